import BollyGANCompute
import BollyGANTraining

/// Finds generated images that nearly copy a training image.
///
/// Images are compared at 16x16 in all channels, also mirrored if training mirrors. The distance is
/// the root mean squared difference of 8-bit values. An image counts as a near copy if its nearest
/// training image is less than half as far away as the next 50 on average: an ordinary face is near
/// many images, a copy is near one.
///
/// - SeeAlso: Carlini et al. 2023 (arXiv:2301.13188), section 5.1, whose criterion this is.
package struct NearCopies: Sendable {
  /// The measurements of a set of images.
  package struct Metrics: Equatable, Sendable {
    /// Share of near copies.
    package let share: Double
    /// Median distance to the nearest training image, in 8-bit steps.
    package let nearest: Double

    package init(share: Double, nearest: Double) {
      self.share = share
      self.nearest = nearest
    }
  }

  private static let side = 16
  private static let neighbours = 50
  private static let factor = 0.5
  /// Images that are compared with all training images in one matrix product.
  private static let block = 32

  private let pictureSide: Int
  private let channels: Int
  private let mirrors: Bool
  private let workers: Workers
  /// Thumbnails of the training images, `[value, image]`, and each one's sum of squares.
  private let training: [Float]
  private let squares: [Float]

  /// Prepares the comparison with training images, `[count, side, side, channels]`.
  ///
  /// - Parameter mirrors: Whether to compare mirrored images too.
  package init(_ pixels: [UInt8], side: Int, channels: Int, mirrors: Bool, workers: Workers) {
    pictureSide = side
    self.channels = channels
    self.mirrors = mirrors
    self.workers = workers
    let thumbnails = Self.thumbnails(pixels, side: side, channels: channels, workers: workers)
    squares = thumbnails.map { $0.reduce(0) { $0 + $1 * $1 } }
    training = transposed(
      Array(thumbnails.joined()), rows: thumbnails.count, columns: Self.size(channels: channels))
  }

  /// Compares images `[count, side, side, channels]` with the training images.
  ///
  /// - Parameter own: If they are training images themselves, the index of each, which is ignored.
  package func metrics(_ pixels: [UInt8], own: [Int]? = nil) -> Metrics {
    let pictures = Self.thumbnails(
      pixels, side: pictureSide, channels: channels, workers: workers)
    let blocks = (pictures.count + Self.block - 1) / Self.block
    let found = workers.map(blocks) { block in
      let range = block * Self.block..<min((block + 1) * Self.block, pictures.count)
      return nearest(Array(pictures[range]), own: own.map { Array($0[range]) })
    }.flatMap { $0 }
    let distances = found.map(\.distance).sorted()
    return Metrics(
      share: Double(found.count { $0.isCopy }) / Double(max(1, found.count)),
      nearest: distances.isEmpty ? 0 : distances[distances.count / 2])
  }

  private func nearest(
    _ pictures: [[Float]], own: [Int]?
  ) -> [(distance: Double, isCopy: Bool)] {
    let size = Self.size(channels: channels)
    let views = mirrors ? pictures + pictures.map { Self.mirrored($0) } : pictures
    var products = [Float](repeating: 0, count: views.count * squares.count)
    addProduct(
      Array(views.joined()), training, to: &products, rows: views.count, depth: size,
      columns: squares.count)
    return pictures.indices.map { picture in
      let square = pictures[picture].reduce(0) { $0 + $1 * $1 }
      var distances: [Float] = []
      for other in squares.indices where own?[picture] != other {
        var product = products[picture * squares.count + other]
        if mirrors {
          product = max(product, products[(pictures.count + picture) * squares.count + other])
        }
        distances.append(max(0, square + squares[other] - 2 * product))
      }
      let nearest = sortedByDigits(distances).prefix(Self.neighbours + 1).map {
        (Double($0) / Double(size)).squareRoot()
      }
      guard let first = nearest.first else { return (0, false) }
      let others = nearest.dropFirst()
      let isCopy =
        !others.isEmpty && first < Self.factor * others.reduce(0, +) / Double(others.count)
      return (first, isCopy)
    }
  }

  private static func size(channels: Int) -> Int { side * side * channels }

  /// Means over square blocks, `[channel, row, column]`, minus 128 to keep sums of squares small
  /// enough for float32.
  private static func thumbnails(
    _ pixels: [UInt8], side: Int, channels: Int, workers: Workers
  ) -> [[Float]] {
    let size = side * side * channels
    let factor = side / Self.side
    return workers.map(pixels.count / size) { picture in
      var sums = [Int](repeating: 0, count: Self.size(channels: channels))
      for row in 0..<side {
        for column in 0..<side {
          let target = row / factor * Self.side + column / factor
          let source = picture * size + (row * side + column) * channels
          for channel in 0..<channels {
            sums[channel * Self.side * Self.side + target] += Int(pixels[source + channel])
          }
        }
      }
      return sums.map { Float($0) / Float(factor * factor) - 128 }
    }
  }

  private static func mirrored(_ thumbnail: [Float]) -> [Float] {
    thumbnail.indices.map { index in
      thumbnail[index / side * side + side - 1 - index % side]
    }
  }
}
