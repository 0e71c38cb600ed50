import BollyGANCompute
import BollyGANInfer
import BollyGANModel
import BollyGANTraining

/// What a generator is worth, measured without any network but its own.
package struct QualityFigures: Equatable, Sendable {
  /// Sliced Wasserstein distance to training pictures on each level, the largest first, in
  /// thousandths.
  package var toData: [Double]
  /// The same to pictures that were kept from training; nil where none are.
  package var toHeldOut: [Double]?
  /// Mean multi-scale structural similarity of pairs: higher where pictures are more alike.
  package var similarity: Double
  /// Nearness to training pictures.
  package var copies: NearCopies.Figures

  /// What a best generator is chosen by, the smaller the better: the mean over the levels of the
  /// distance to what was kept from training, or where nothing was, to the data.
  package var choice: Double { Self.mean(toHeldOut ?? toData) }

  static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}

/// Measures a generator against the pictures of a run.
///
/// Sets of equal size are compared: as many as were kept from training, at most ``limit``. The
/// latents are those of seed 1, the same in every run.
package final class QualityMeter {
  /// Pictures of a set, at most.
  package static let limit = 1024
  /// Made pictures that are compared with all of the training set.
  private static let copyLimit = 256
  /// Pairs whose similarity is taken.
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
  /// What real pictures come to: those kept from training, or, where none are, training pictures
  /// among themselves (of which the distance would be 0, so there is none).
  package let reference: QualityFigures

  /// The sides of the levels.
  package var sides: [Int] { distance.sides }
  /// Pictures in each set.
  package var count: Int { latents.count }

  /// Prepares all that does not change from epoch to epoch.
  ///
  /// - Parameters:
  ///   - training: at least two pictures.
  ///   - heldOut: none, or at least two.
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
    // Evenly from the whole set, which may be sorted by person.
    let places = (0..<count).map { $0 * training.count / count }
    let sample = training.selecting(places)
    data = distance.profile(sample.pixels)
    let size = training.pictureSize
    if heldOut.count > 0 {
      let kept = Array(heldOut.pixels.prefix(count * size))
      let profile = distance.profile(kept)
      self.heldOut = profile
      reference = QualityFigures(
        toData: SlicedDistance.distances(profile, data), toHeldOut: nil,
        similarity: Self.similarity(kept, format, workers),
        copies: copies.figures(Array(kept.prefix(Self.copyLimit * size))))
    } else {
      self.heldOut = nil
      let few = Array(places.prefix(Self.copyLimit))
      reference = QualityFigures(
        toData: distance.sides.map { _ in 0 }, toHeldOut: nil,
        similarity: Self.similarity(sample.pixels, format, workers),
        copies: copies.figures(training.selecting(few).pixels, own: few))
    }
  }

  /// Measures pictures drawn by the weights, normalised by the running statistics as whoever uses
  /// them does.
  package func measure(_ weights: GeneratorWeights) -> QualityFigures {
    let generator = Generator(weights, instructionSet: instructionSet, threads: threads)
    return measure(generator.pixels(latents: latents.values))
  }

  /// Measures ``count`` pictures, `[count, side, side, channels]`.
  package func measure(_ pixels: [UInt8]) -> QualityFigures {
    let profile = distance.profile(pixels)
    let size = format.side * format.side * format.channels
    return QualityFigures(
      toData: SlicedDistance.distances(profile, data),
      toHeldOut: heldOut.map { SlicedDistance.distances(profile, $0) },
      similarity: Self.similarity(pixels, format, workers),
      copies: copies.figures(Array(pixels.prefix(Self.copyLimit * size))))
  }

  /// The mean over pairs of a picture and one half the set away.
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
    return QualityFigures.mean(found)
  }
}
