/// A metric over the steps of a run, in no more points than a screen can show.
///
/// Beyond ``capacity`` steps, neighbours share a point, so a run of a million steps costs as much
/// memory as one of a thousand. Which steps share a point depends only on their numbers.
package struct Curve: Equatable, Sendable {
  /// A range of neighbouring steps.
  package struct Point: Equatable, Sendable {
    /// The first step.
    package fileprivate(set) var first: Int
    /// The last step.
    package fileprivate(set) var last: Int
    fileprivate var count: Int
    fileprivate var sum: Double
    /// The lowest value.
    package fileprivate(set) var low: Double
    /// The highest value.
    package fileprivate(set) var high: Double

    /// The mean value.
    package var mean: Double { sum / Double(count) }
  }

  /// Largest number of points.
  package static let capacity = 512

  /// The points in the order of their steps.
  package private(set) var points: [Point] = []
  /// Steps per point.
  private var stride = 1
  /// The value at the last step.
  package private(set) var latest: Double?

  package init() {}

  /// Adds the value at a step. Steps come in ascending order; values that are not finite are
  /// ignored.
  package mutating func add(step: Int, _ value: Double) {
    guard value.isFinite, step >= 0, step >= points.last?.last ?? 0 else { return }
    latest = value
    append(Point(first: step, last: step, count: 1, sum: value, low: value, high: value))
    guard points.count > Self.capacity else { return }
    let all = points
    points = []
    stride *= 2
    for point in all { append(point) }
  }

  /// Forgets everything after a step.
  package mutating func truncate(after step: Int) {
    guard let last = points.last, last.last > step else { return }
    points.removeAll { $0.last > step }
    latest = points.last?.mean
  }

  private mutating func append(_ point: Point) {
    guard let last = points.indices.last, points[last].first / stride == point.first / stride
    else { return points.append(point) }
    points[last].last = point.last
    points[last].count += point.count
    points[last].sum += point.sum
    points[last].low = min(points[last].low, point.low)
    points[last].high = max(points[last].high, point.high)
  }
}
