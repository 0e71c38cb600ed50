import BollyGANCompute
import BollyGANInfer
import BollyGANModel
import BollyGANTraining

/// The sliced Wasserstein distance between two sets of pictures, on each level of their Laplacian
/// pyramids: how differently their small neighbourhoods are distributed, from the coarse shape of a
/// face to its grain.
///
/// From each level of each picture come ``patches`` neighbourhoods of 7x7 pixels, all channels. A set
/// is normalised to mean 0 and deviation 1 in each channel, and projected on ``directions`` random
/// lines; on a line the distance is that between the sorted numbers. Places and lines are the same in
/// every run, so that figures can be compared from epoch to epoch.
///
/// Karras et al. take 128 neighbourhoods of 16,384 pictures and 512 lines; here sets of some hundred
/// pictures have to do, so figures are higher by what such sets differ by among themselves: compare
/// them with that between real sets.
///
/// - SeeAlso: Karras, Aila, Laine and Lehtinen 2018 (arXiv:1710.10196), section 5.
package struct SlicedDistance: Sendable {
  /// Neighbourhoods of a picture on each level.
  package static let patches = 32
  /// Lines that a level's neighbourhoods are projected on.
  package static let directions = 128
  private static let width = 7
  /// Karras et al. give thousandths.
  private static let unit = 1000.0

  private let side: Int
  private let channels: Int
  private let workers: Workers

  /// Sorted projections of one set: `[level][direction][number]`.
  package struct Profile: Sendable {
    let levels: [[[Float]]]
  }

  package init(side: Int, channels: Int, workers: Workers) {
    self.side = side
    self.channels = channels
    self.workers = workers
  }

  /// The levels' sides, the largest first.
  package var sides: [Int] { LaplacianPyramid.sides(side) }

  private var dimensions: Int { channels * Self.width * Self.width }

  /// What is compared of a set.
  ///
  /// - Parameter pixels: `[count, side, side, channels]`, 0…255; at least one picture.
  package func profile(_ pixels: [UInt8]) -> Profile {
    let size = side * side * channels
    let count = pixels.count / size
    let found = workers.map(count) { picture in
      descriptors(pixels[picture * size..<(picture + 1) * size], picture: picture)
    }
    return Profile(
      levels: sides.indices.map { level in
        projections(found.map { $0[level] }, level: level)
      })
  }

  /// The distance on each level, in thousandths.
  ///
  /// - Precondition: both sets have the same number of pictures.
  package static func distances(_ a: Profile, _ b: Profile) -> [Double] {
    zip(a.levels, b.levels).map { a, b in
      var total = 0.0
      for (x, y) in zip(a, b) {
        precondition(x.count == y.count, "sets of \(x.count) and \(y.count) neighbourhoods")
        var sum = 0.0
        for index in x.indices { sum += Double(abs(x[index] - y[index])) }
        total += sum / Double(x.count)
      }
      return Self.unit * total / Double(a.count)
    }
  }

  /// For each level a picture's neighbourhoods, `[channel, row, column, neighbourhood]`.
  private func descriptors(_ pixels: ArraySlice<UInt8>, picture: Int) -> [[Float]] {
    let planes = planar(pixels, channels: channels)
    let pyramids = planes.map { LaplacianPyramid.levels($0, side: side) }
    return sides.enumerated().map { level, side in
      var found = [Float](repeating: 0, count: dimensions * Self.patches)
      for patch in 0..<Self.patches {
        let word = SplitMix64.mix(UInt64(level << 40 | picture << 16 | patch) + 1)
        let places = UInt64(side - Self.width + 1)
        let (top, left) = (Int((word >> 32) % places), Int((word & 0xffff_ffff) % places))
        var place = patch
        for pyramid in pyramids {
          for row in top..<top + Self.width {
            for column in left..<left + Self.width {
              found[place] = pyramid[level][row * side + column]
              place += Self.patches
            }
          }
        }
      }
      return found
    }
  }

  /// Sorted projections of a level, `[direction][number]`.
  private func projections(_ descriptors: [[Float]], level: Int) -> [[Float]] {
    let area = Self.width * Self.width
    // Of each channel over the whole set.
    let moments = (0..<channels).map { channel in
      let range = channel * area * Self.patches..<(channel + 1) * area * Self.patches
      let parts = workers.map(descriptors.count) { picture in
        var (sum, squares) = (0.0, 0.0)
        for index in range {
          let value = Double(descriptors[picture][index])
          sum += value
          squares += value * value
        }
        return (sum, squares)
      }
      let count = Double(range.count * descriptors.count)
      let mean = parts.reduce(0) { $0 + $1.0 } / count
      let variance = parts.reduce(0) { $0 + $1.1 } / count - mean * mean
      return (mean: mean, deviation: max(variance, 1e-12).squareRoot())
    }
    return workers.map(Self.directions) { number in
      // Normalising a set and projecting it is projecting it on a stretched line, and a shift.
      var line = Self.direction(number, level: level, dimensions: dimensions)
      var shift = 0.0
      for index in line.indices {
        let (mean, deviation) = moments[index / area]
        let stretched = line[index] / Float(deviation)
        line[index] = stretched
        shift -= Double(stretched) * mean
      }
      var numbers: [Float] = []
      numbers.reserveCapacity(descriptors.count * Self.patches)
      for descriptor in descriptors {
        var sums = [Float](repeating: Float(shift), count: Self.patches)
        addProduct(
          line, descriptor, to: &sums, rows: 1, depth: dimensions, columns: Self.patches)
        numbers += sums
      }
      return sortedByDigits(numbers)
    }
  }

  /// A line of length 1, evenly distributed in direction.
  private static func direction(_ number: Int, level: Int, dimensions: Int) -> [Float] {
    var line = [Float](repeating: 0, count: dimensions)
    // Normal numbers come in pairs.
    InstanceNoise(deviation: 1, seed: UInt64(level)).each(
      .real, picture: number, count: dimensions + 1
    ) { place, value in
      if place < dimensions { line[place] = value }
    }
    let length = line.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    return line.map { Float(Double($0) / length) }
  }
}

/// Channels of a picture as planes, 0…255.
func planar(_ pixels: ArraySlice<UInt8>, channels: Int) -> [[Float]] {
  (0..<channels).map { channel in
    stride(from: pixels.startIndex + channel, to: pixels.endIndex, by: channels).map {
      Float(pixels[$0])
    }
  }
}

/// Finite numbers in rising order: three passes over 11 bits each of a key that rises with the number,
/// several times faster than by comparisons.
package func sortedByDigits(_ numbers: [Float]) -> [Float] {
  let top: UInt32 = 1 << 31
  var keys = numbers.map { number -> UInt32 in
    let bits = number.bitPattern
    return bits & top == 0 ? bits | top : ~bits
  }
  var sorted = [UInt32](repeating: 0, count: keys.count)
  for shift in [UInt32(0), 11, 22] {
    var places = [Int](repeating: 0, count: 2049)
    for key in keys { places[Int(key >> shift & 2047) + 1] += 1 }
    for digit in 1...2048 { places[digit] += places[digit - 1] }
    for key in keys {
      let digit = Int(key >> shift & 2047)
      sorted[places[digit]] = key
      places[digit] += 1
    }
    swap(&keys, &sorted)
  }
  return keys.map { Float(bitPattern: $0 & top == 0 ? ~$0 : $0 & ~top) }
}
