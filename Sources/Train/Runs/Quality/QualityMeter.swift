import BollyGANCompute
import BollyGANInfer
import BollyGANModel

/// The quality of generated images, measured without any pretrained network.
package struct QualityMetrics: Equatable, Sendable {
  /// Sliced Wasserstein distance to the training images on each pyramid level, the largest first,
  /// in thousandths.
  package var toData: [Double]
  /// The same distance to the held-out images; nil if there are none.
  package var toHeldOut: [Double]?
  /// Mean multi-scale structural similarity of pairs. It is higher the more alike the images are.
  package var similarity: Double
  /// Nearness to the training images.
  package var copies: NearCopies.Metrics

  /// The metric by which the best generator is chosen, lower is better: the mean distance over all
  /// levels, to the held-out images or, without them, to the training images.
  package var selectionMetric: Double { Self.mean(toHeldOut ?? toData) }

  static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}

/// Measures generators against the images of a run.
///
/// It compares sets of equal size: the number of held-out images, at most ``limit``. The latents
/// come from seed 1 in every run.
package final class QualityMeter {
  /// Largest number of images in a set.
  package static let limit = 1024
  /// Largest number of generated images that are compared with the whole training set.
  private static let copyLimit = 256
  /// Largest number of pairs whose similarity is measured.
  private static let pairLimit = 256

  private let workers: Workers
  private let instructionSet: InstructionSet
  private let threads: Int
  private let format: PictureSet.Format
  private let distance: SlicedDistance
  private let copies: NearCopies
  private let latents: Latents
  private let data: SlicedDistance.Profile
  private let heldOut: SlicedDistance.Profile?
  /// The metrics of real images: of the held-out ones or, without them, of the training images,
  /// whose distance to themselves is 0.
  package let reference: QualityMetrics

  /// The sides of the pyramid levels.
  package var sides: [Int] { distance.sides }
  /// Number of images in each set.
  package var count: Int { latents.count }

  /// Prepares everything that stays the same from epoch to epoch.
  ///
  /// - Parameters:
  ///   - training: At least two images.
  ///   - heldOut: None, or at least two.
  ///   - mirrors: Whether training mirrors images.
  package init(
    training: PictureSet, heldOut: PictureSet, mirrors: Bool, latentSize: Int,
    instructionSet: InstructionSet, threads: Int
  ) {
    workers = Workers(count: threads)
    self.instructionSet = instructionSet
    self.threads = threads
    format = training.format
    let count = min(Self.limit, heldOut.count > 0 ? heldOut.count : training.count, training.count)
    latents = Latents.torch(seed: 1, count: count, size: latentSize)
    distance = SlicedDistance(
      side: format.side, channels: format.channels, workers: workers)
    copies = NearCopies(
      training.pixels, side: format.side, channels: format.channels, mirrors: mirrors,
      workers: workers)
    // Spread evenly over the set, which may be sorted by person.
    let indices = (0..<count).map { $0 * training.count / count }
    let sample = training.selecting(indices)
    data = distance.profile(sample.pixels)
    let size = training.pictureSize
    if heldOut.count > 0 {
      let kept = Array(heldOut.pixels.prefix(count * size))
      let profile = distance.profile(kept)
      self.heldOut = profile
      reference = QualityMetrics(
        toData: SlicedDistance.distances(profile, data), toHeldOut: nil,
        similarity: Self.similarity(kept, format, workers),
        copies: copies.metrics(Array(kept.prefix(Self.copyLimit * size))))
    } else {
      self.heldOut = nil
      let own = Array(indices.prefix(Self.copyLimit))
      reference = QualityMetrics(
        toData: distance.sides.map { _ in 0 }, toHeldOut: nil,
        similarity: Self.similarity(sample.pixels, format, workers),
        copies: copies.metrics(training.selecting(own).pixels, own: own))
    }
  }

  /// Measures images generated with the given weights, normalised by the running statistics as in
  /// every later use of the weights.
  package func measure(_ weights: GeneratorWeights) -> QualityMetrics {
    let generator = Generator(weights, instructionSet: instructionSet, threads: threads)
    return measure(generator.pixels(latents: latents.values))
  }

  /// Measures ``count`` images, `[count, side, side, channels]`.
  package func measure(_ pixels: [UInt8]) -> QualityMetrics {
    let profile = distance.profile(pixels)
    let size = format.side * format.side * format.channels
    return QualityMetrics(
      toData: SlicedDistance.distances(profile, data),
      toHeldOut: heldOut.map { SlicedDistance.distances(profile, $0) },
      similarity: Self.similarity(pixels, format, workers),
      copies: copies.metrics(Array(pixels.prefix(Self.copyLimit * size))))
  }

  /// The mean similarity of pairs, each an image and the one half a set after it.
  private static func similarity(
    _ pixels: [UInt8], _ format: PictureSet.Format, _ workers: Workers
  ) -> Double {
    let size = format.side * format.side * format.channels
    let half = pixels.count / size / 2
    let pairs = min(half, pairLimit)
    let found = workers.map(pairs) { pair in
      StructuralSimilarity.similarity(
        pixels[pair * size..<(pair + 1) * size],
        pixels[(half + pair) * size..<(half + pair + 1) * size], side: format.side,
        channels: format.channels)
    }
    return QualityMetrics.mean(found)
  }
}
