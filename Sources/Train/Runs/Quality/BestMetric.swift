/// The best value of the metric that runs are compared by.
package struct BestMetric: Equatable, Sendable, Encodable {
  /// Its name in the log's `quality` events.
  package let name: String
  /// The lowest value.
  package let value: Double
  /// Steps made when it was measured.
  package let step: Int

  /// The name in words.
  package var label: String { name.replacing("_", with: " ") }

  /// The best value so far; nil if the log has no such metric.
  package init?(_ history: RunHistory) {
    guard let name = Self.name(among: history.quality.names),
      let point = history.quality[name]?.points.min(by: { $0.low < $1.low })
    else { return nil }
    self.name = name
    value = point.low
    step = point.last
  }

  /// The metric to compare by among those that were measured: a sliced Wasserstein distance, to
  /// held-out images if possible.
  package static func name(among names: [String]) -> String? {
    let distances = names.filter { $0.hasPrefix("swd") }
    return distances.first { $0.contains("holdout") || $0.contains("held") } ?? distances.first
  }
}
