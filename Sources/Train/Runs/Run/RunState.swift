import BollyGANTraining

/// What became of a run, or what is becoming of it.
package enum RunState: String, Sendable, CaseIterable, Encodable {
  /// A process trains in its folder.
  case running
  /// All its epochs or steps were made.
  case finished
  /// Somebody asked it to end; it can go on.
  case stopped
  /// The guard gave it up.
  case diverged
  /// Its process ended without a word: killed, or the power went. It can go on.
  case killed

  /// The state that a log and a lock tell together.
  package init(_ phase: RunHistory.Phase, isRunning: Bool) {
    self =
      switch phase {
      case _ where isRunning: .running
      case .finished: .finished
      case .stopped: .stopped
      case .diverged: .diverged
      case .underWay: .killed
      }
  }
}

/// The figure that runs are compared by, at its best.
package struct BestFigure: Equatable, Sendable, Encodable {
  /// Its name in the log's `quality` events.
  package let name: String
  package let value: Double
  package let step: Int

  /// What to call it in a table.
  package var label: String { name.replacing("_", with: " ") }

  /// The best so far; nil where the log has no such figure.
  package init?(_ history: RunHistory) {
    guard let name = Self.name(among: history.quality.names),
      let point = history.quality[name]?.points.min(by: { $0.low < $1.low })
    else { return nil }
    self.name = name
    value = point.low
    step = point.last
  }

  /// The name of the figure among those that were measured.
  package static func name(among names: [String]) -> String? {
    let distances = names.filter { $0.hasPrefix("swd") }
    return distances.first { $0.contains("holdout") || $0.contains("held") } ?? distances.first
  }
}
