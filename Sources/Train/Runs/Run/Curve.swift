import BollyGANTraining

/// A figure over the steps of a run, in no more points than a screen can show.
///
/// Neighbouring steps share a point once there are more than ``capacity``, so a run of a million
/// steps costs as much memory as one of a thousand. Which steps do depends on their numbers alone,
/// not on the order in which they came.
package struct Curve: Equatable, Sendable {
  /// Some neighbouring steps.
  package struct Point: Equatable, Sendable {
    package fileprivate(set) var first: Int
    package fileprivate(set) var last: Int
    fileprivate var count: Int
    fileprivate var sum: Double
    package fileprivate(set) var low: Double
    package fileprivate(set) var high: Double

    package var mean: Double { sum / Double(count) }
  }

  /// Points that are kept at most.
  package static let capacity = 512

  package private(set) var points: [Point] = []
  /// Steps that share a point.
  private var stride = 1
  /// The value of the last step.
  package private(set) var latest: Double?

  package init() {}

  /// Takes in the value of a step; steps come in ascending order.
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

  /// Forgets the steps behind the given one.
  package mutating func cut(behind step: Int) {
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
