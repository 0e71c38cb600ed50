import Foundation

/// A fixture's summary of a tensor (`digest` in `Fixtures/dcgan.py`): largest magnitude, norm, sums
/// weighted by the formula, and a few of its numbers.
///
/// A wrong number anywhere changes the weighted sums.
struct Digest: Decodable, Sendable {
  let count: Int
  let max: Double
  let norm: Double
  let projections: [Double]
  let samples: [Double]

  /// A tensor's deviation from the digested one, relative to the latter's largest number.
  /// Deviations of the norm and the sums are divided by √count, as if the numbers' errors were
  /// independent.
  func deviation(_ values: [Double]) -> Double {
    guard values.count == count, max > 0 else { return .infinity }
    let places =
      count <= samples.count
      ? Array(0..<count)
      : Formula.words(salt: 7, count: samples.count).map { Int($0 % UInt32(count)) }
    let ofSamples = zip(places, samples).map { abs(values[$0] - $1) }
    let squares = values.reduce(0) { $0 + $1 * $1 }
    let ofSums = projections.enumerated().map { index, expected in
      let weights = Formula.uniform(salt: 1000 + index, count: count)
      return abs(zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } - expected)
    }
    let scale = Double(count).squareRoot()
    let all = ofSamples + [abs(squares.squareRoot() - norm) / scale] + ofSums.map { $0 / scale }
    return all.reduce(0) { $1.isNaN ? .infinity : Swift.max($0, $1) } / max
  }
}

/// The largest of several deviations, and where it was found.
struct Deviation: Comparable, CustomStringConvertible {
  var value = 0.0
  var place = ""

  static func < (a: Deviation, b: Deviation) -> Bool { a.value < b.value }

  mutating func take(_ value: Double, at place: String) {
    if !(value <= self.value) { self = Deviation(value: value, place: place) }
  }

  /// Takes all tensors of a network, whose names must be those of the digests.
  mutating func take(_ tensors: [String: [Double]], _ digests: [String: Digest], at place: String) {
    if tensors.keys.sorted() != digests.keys.sorted() {
      take(.infinity, at: "\(place): \(tensors.keys.sorted()) are not \(digests.keys.sorted())")
    }
    for (name, digest) in digests {
      take(tensors[name].map { digest.deviation($0) } ?? .infinity, at: "\(place) \(name)")
    }
  }

  var description: String { "\(value) at \(place)" }
}

/// The folder of these tests' fixtures.
let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

/// Reads a fixture.
func fixture<Value: Decodable>(_ name: String, as type: Value.Type) -> Value {
  do {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(contentsOf: fixtures.appending(path: name)))
  } catch {
    fatalError("\(name): \(error)")
  }
}

/// Whether the loops are compiled without optimisation, as for the sanitizers. They are about a
/// hundred times slower then, so large cases are left out.
var isDebugBuild: Bool {
  #if DEBUG
    true
  #else
    false
  #endif
}
