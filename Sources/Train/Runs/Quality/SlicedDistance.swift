import BollyGANCompute
import BollyGANModel
import BollyGANTraining

/// The sliced Wasserstein distance between two sets of images, on each level of their Laplacian
/// pyramids. It compares the distributions of small patches, from the coarse shape of a face to its
/// grain.
///
/// Each level of each image contributes ``patches`` patches of 7x7 pixels in all channels. The
/// patches of a set are normalised to mean 0 and standard deviation 1 per channel and projected
/// onto ``directions`` random directions. In each direction, the distance is the mean difference
/// between the sorted projections. Patch positions and directions are the same in every run, so
/// distances can be compared from epoch to epoch.
///
/// Karras et al. take 128 patches from each of 16,384 images and 512 directions. The sets here have
/// hundreds of images, and even two such sets of real images differ: compare a distance with that
/// baseline.
///
/// - SeeAlso: Karras, Aila, Laine and Lehtinen 2018 (arXiv:1710.10196), section 5.
package struct SlicedDistance: Sendable {
  /// Patches per image and level.
  package static let patches = 32
  /// Directions that the patches of a level are projected onto.
  package static let directions = 128
  private static let width = 7
  /// Distances are given in thousandths, as by Karras et al.
  private static let unit = 1000.0

  private let side: Int
  private let channels: Int
  private let workers: Workers

  /// Sorted projections of one set, `[level][direction][patch]`.
  package struct Profile: Sendable {
    let levels: [[[Float]]]
  }

  package init(side: Int, channels: Int, workers: Workers) {
    self.side = side
    self.channels = channels
    self.workers = workers
  }

  /// The sides of the pyramid levels, the largest first.
  package var sides: [Int] { LaplacianPyramid.sides(side) }

  private var dimensions: Int { channels * Self.width * Self.width }

  /// The profile of a set, by which it is compared.
  ///
  /// - Parameter pixels: `[count, side, side, channels]`, 0…255; at least one image.
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
  /// - Precondition: both sets have the same number of images.
  package static func distances(_ a: Profile, _ b: Profile) -> [Double] {
    zip(a.levels, b.levels).map { a, b in
      var total = 0.0
      for (x, y) in zip(a, b) {
        precondition(x.count == y.count, "sets of \(x.count) and \(y.count) patches")
        var sum = 0.0
        for index in x.indices { sum += Double(abs(x[index] - y[index])) }
        total += sum / Double(x.count)
      }
      return Self.unit * total / Double(a.count)
    }
  }

  /// The patches of an image on each level, `[channel, row, column, patch]`.
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

  /// Sorted projections of a level, `[direction][patch]`.
  private func projections(_ descriptors: [[Float]], level: Int) -> [[Float]] {
    let area = Self.width * Self.width
    // Per channel, over the whole set.
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
      // Normalising and then projecting equals projecting onto a stretched direction and shifting.
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

  /// A random vector of length 1, uniformly distributed over all directions.
  private static func direction(_ number: Int, level: Int, dimensions: Int) -> [Float] {
    var line = [Float](repeating: 0, count: dimensions)
    // Normal numbers are generated in pairs, so the count is rounded up.
    InstanceNoise(deviation: 1, seed: UInt64(level)).each(
      .real, picture: number, count: dimensions + 1
    ) { place, value in
      if place < dimensions { line[place] = value }
    }
    let length = line.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    return line.map { Float(Double($0) / length) }
  }
}

/// The channels of an image as planes, 0…255.
func planar(_ pixels: ArraySlice<UInt8>, channels: Int) -> [[Float]] {
  (0..<channels).map { channel in
    stride(from: pixels.startIndex + channel, to: pixels.endIndex, by: channels).map {
      Float(pixels[$0])
    }
  }
}

/// Sorts finite numbers in ascending order.
///
/// A radix sort in three passes of 11 bits, over keys that are ordered as the numbers are. It is
/// several times faster than sorting by comparison.
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
