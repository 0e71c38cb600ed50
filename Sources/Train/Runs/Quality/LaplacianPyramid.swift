/// The Laplacian pyramid of an image: each level is the detail that its scale adds to the next
/// smaller one. The last level, 16x16, is the image itself at that size.
///
/// The filter is the binomial one, (1 4 6 4 1)/16, with the image mirrored at its edge pixels.
///
/// - SeeAlso: Burt and Adelson 1983, "The Laplacian Pyramid as a Compact Image Code".
enum LaplacianPyramid {
  /// Side of the smallest level.
  static let smallestSide = 16

  /// The sides of the levels, the largest first, such as 64, 32, 16.
  static func sides(_ side: Int) -> [Int] {
    var sides = [side]
    while sides[sides.count - 1] > smallestSide { sides.append(sides[sides.count - 1] / 2) }
    return sides
  }

  /// All levels of one channel.
  ///
  /// - Parameters:
  ///   - channel: `[side, side]`.
  ///   - side: 16 times a power of two.
  static func levels(_ channel: [Float], side: Int) -> [[Float]] {
    var levels: [[Float]] = []
    var rest = channel
    for side in sides(side).dropLast() {
      let half = reduced(rest, side: side)
      levels.append(zip(rest, expanded(half, side: side / 2)).map { $0 - $1 })
      rest = half
    }
    return levels + [rest]
  }

  private static let filter: [Float] = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16]

  /// The index inside the image that mirrors an index just outside.
  private static func mirrored(_ place: Int, _ side: Int) -> Int {
    place < 0 ? -place : place >= side ? 2 * side - 2 - place : place
  }

  /// Blurs and takes every second pixel.
  static func reduced(_ x: [Float], side: Int) -> [Float] {
    let half = side / 2
    // Rows first, then columns; both halve.
    var rows = [Float](repeating: 0, count: half * side)
    for row in 0..<half {
      for tap in 0..<5 {
        let source = mirrored(2 * row + tap - 2, side) * side
        let weight = filter[tap]
        for column in 0..<side { rows[row * side + column] += weight * x[source + column] }
      }
    }
    var result = [Float](repeating: 0, count: half * half)
    for row in 0..<half {
      for column in 0..<half {
        var sum: Float = 0
        for tap in 0..<5 {
          sum += filter[tap] * rows[row * side + mirrored(2 * column + tap - 2, side)]
        }
        result[row * half + column] = sum
      }
    }
    return result
  }

  /// Doubles the size: inserts zeros, blurs, and multiplies by 4.
  static func expanded(_ x: [Float], side: Int) -> [Float] {
    let double = 2 * side
    var rows = [Float](repeating: 0, count: double * side)
    for row in 0..<double {
      for tap in 0..<5 {
        let place = mirrored(row + tap - 2, double)
        guard place.isMultiple(of: 2) else { continue }
        let weight = 2 * filter[tap]
        for column in 0..<side {
          rows[row * side + column] += weight * x[place / 2 * side + column]
        }
      }
    }
    var result = [Float](repeating: 0, count: double * double)
    for row in 0..<double {
      for column in 0..<double {
        var sum: Float = 0
        for tap in 0..<5 {
          let place = mirrored(column + tap - 2, double)
          if place.isMultiple(of: 2) { sum += 2 * filter[tap] * rows[row * side + place / 2] }
        }
        result[row * double + column] = sum
      }
    }
    return result
  }
}
