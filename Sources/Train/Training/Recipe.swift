import BollyGANModel

/// Everything that determines a run apart from its data, its seed and the sizes of its networks.
///
/// Two recipes replay published scripts: ``tutorial`` (PyTorch's DCGAN tutorial) and ``article``
/// (the notebook of the article on Bollywood faces). With the same seed and folder they make the
/// same steps as the script. ``bollygan`` is our own.
public struct Recipe: Sendable, Equatable, Codable {
  /// The distribution of new networks' weights.
  public enum Initialisation: String, Sendable, Codable, CaseIterable {
    /// Kernels from N(0, 0.02), scales of batch normalisation from N(1, 0.02), shifts 0 (the
    /// tutorial's `weights_init`; Radford, Metz and Chintala 2015, section 4).
    case dcgan
    /// PyTorch's default for each layer: kernels uniform within ±1/√(16 · `shape[1]`), scales 1,
    /// shifts 0.
    case torchDefault
  }

  /// The order in which a run draws its random numbers, named after the script that has it.
  public enum DrawingOrder: String, Sendable, Codable, CaseIterable {
    /// Preview batch, generator, discriminator, fixed latents, then the epochs.
    case tutorial
    /// Preview batch, discriminator, generator, a trial batch of latents, fixed latents, then the
    /// epochs.
    case article
  }

  /// How an epoch ends when its last images do not fill a batch.
  public enum LastBatch: String, Sendable, Codable, CaseIterable {
    /// With a short batch and an equal number of generated images.
    case short
    /// With a short batch of real images and a full batch of generated ones.
    case shortWithFullLatents
    /// Without them: they are left out of this epoch.
    case dropped
  }

  /// How image files are decoded; the names are those of `PictureRules` in BollyGANPictures.
  public enum PictureRules: String, Sendable, Codable, CaseIterable {
    /// As an image viewer shows the file: upright by EXIF, alpha over white.
    case asDisplayed = "kind"
    /// Sample for sample as Pillow converts the file, like PyTorch's scripts.
    case pillow
  }

  /// The recipe's name on the command line and in files.
  public var name: String
  /// Size of a latent vector (`nz`), for the `DCGANShape` of the run.
  public var latent: Int
  /// Whether batch normalisation follows the discriminator's first convolution.
  public var normalisesFirst: Bool
  /// The distribution of new networks' weights.
  public var initialisation: Initialisation
  /// Whether the generator's step draws its own latents instead of using the images that the
  /// discriminator has just seen.
  public var freshLatents: Bool
  /// Adam's learning rate for the generator.
  public var generatorRate: Double
  /// Adam's learning rate for the discriminator.
  public var discriminatorRate: Double
  /// Adam's decay rate for the first moment.
  public var beta1: Double
  /// Adam's decay rate for the second moment.
  public var beta2: Double
  /// Passes over the data.
  public var epochs: Int
  /// Images in a batch.
  public var batch: Int
  /// How an epoch ends when its last images do not fill a batch.
  public var lastBatch: LastBatch
  /// The order in which random numbers are drawn.
  public var drawingOrder: DrawingOrder
  /// Whether one batch's random numbers are drawn and discarded before the networks are made, as by
  /// scripts that show a few images first.
  public var preview: Bool
  /// How image files are decoded.
  public var pictureRules: PictureRules
  /// Whether each image is mirrored at random, in half of the epochs on average.
  public var mirror: Bool
  /// Decay per step of the generator's moving average; nil for no average.
  public var generatorAverage: Double?
  /// Share of the images that is held out of training, for metrics.
  public var holdout: Double
  /// Techniques beyond the DCGAN of 2015.
  public var techniques = Techniques.none

  /// PyTorch's DCGAN tutorial.
  ///
  /// - SeeAlso: <https://pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html>
  public static let tutorial = Recipe(
    name: "tutorial", latent: 100, normalisesFirst: false, initialisation: .dcgan,
    freshLatents: false, generatorRate: 0.0002, discriminatorRate: 0.0002, beta1: 0.5,
    beta2: 0.999, epochs: 5, batch: 128, lastBatch: .short, drawingOrder: .tutorial,
    preview: true, pictureRules: .pillow, mirror: false, generatorAverage: nil, holdout: 0)

  /// The article's notebook, with a learning rate that works.
  ///
  /// The article prints a learning rate of 0.005. Taken literally, training diverges within the
  /// first epoch, in PyTorch as well as here: the discriminator answers 1 to everything. So this
  /// recipe uses 0.0002, as the notebook that the article follows does.
  public static let article = Recipe(
    name: "article", latent: 64, normalisesFirst: true, initialisation: .torchDefault,
    freshLatents: true, generatorRate: 0.0002, discriminatorRate: 0.0002, beta1: 0.5,
    beta2: 0.999, epochs: 60, batch: 128, lastBatch: .shortWithFullLatents,
    drawingOrder: .article, preview: true, pictureRules: .pillow, mirror: false,
    generatorAverage: nil, holdout: 0)

  /// Our own recipe, the default.
  ///
  /// Its batches are small, so that a few thousand images make many steps. Real images are labelled
  /// 0.9. A long moving average evens out the generator, which small batches make noisier.
  /// `Documentation/Training.md` lists what else was tried, with results.
  public static let bollygan = Recipe(
    name: "bollygan", latent: 64, normalisesFirst: false, initialisation: .dcgan,
    freshLatents: true, generatorRate: 0.0002, discriminatorRate: 0.0002, beta1: 0.5,
    beta2: 0.999, epochs: 60, batch: 16, lastBatch: .dropped, drawingOrder: .tutorial,
    preview: false, pictureRules: .asDisplayed, mirror: true, generatorAverage: 0.9995, holdout: 0,
    techniques: Techniques(loss: .logistic, labelSmoothing: 0.1, noiseFloor: 0.03))

  /// The recipes by name, the default first.
  public static let all = [bollygan, tutorial, article]

  /// Whether the recipe replays a script, so that accuracy matters more than speed.
  private var repeatsScript: Bool { name == Self.tutorial.name || name == Self.article.name }

  /// The configuration of an engine for networks of the given sizes.
  public func configuration(for shape: DCGANShape) -> TrainingConfiguration {
    TrainingConfiguration(
      shape: shape, normalisesFirst: normalisesFirst, freshLatents: freshLatents,
      generatorRate: generatorRate, discriminatorRate: discriminatorRate, beta1: beta1,
      beta2: beta2, techniques: techniques, convolutions: repeatsScript ? .direct : .fast)
  }

  /// Steps in one pass over the given number of images.
  public func stepsPerEpoch(pictureCount: Int) -> Int {
    lastBatch == .dropped ? pictureCount / batch : (pictureCount + batch - 1) / batch
  }

  /// Checks every value that a user or a file may have set.
  ///
  /// - Throws: ``RecipeError`` naming the first value that is out of bounds.
  public func validate() throws(RecipeError) {
    func check(_ holds: Bool, _ what: String, _ value: some Any, _ accepted: String)
      throws(RecipeError)
    {
      if !holds { throw RecipeError(what: what, value: "\(value)", accepted: accepted) }
    }
    try check((1...1024).contains(latent), "latent size", latent, "1 to 1024")
    for (what, rate) in [
      ("generator's learning rate", generatorRate),
      ("discriminator's learning rate", discriminatorRate),
    ] {
      try check(rate > 0 && rate <= 1, what, rate, "more than 0, at most 1")
    }
    try check((0..<1).contains(beta1), "beta1", beta1, "0 or more, less than 1")
    try check((0..<1).contains(beta2), "beta2", beta2, "0 or more, less than 1")
    try check((1...1_000_000).contains(epochs), "number of epochs", epochs, "1 to 1000000")
    try check((1...65536).contains(batch), "batch", batch, "1 to 65536")
    if let generatorAverage {
      try check(
        (0..<1).contains(generatorAverage), "decay of the generator's average", generatorAverage,
        "0 or more, less than 1")
    }
    try check((0..<1).contains(holdout), "held-out share", holdout, "0 or more, less than 1")
    try check(
      (0..<0.5).contains(techniques.labelSmoothing), "label smoothing", techniques.labelSmoothing,
      "0 or more, less than 0.5")
    try check(
      techniques.labelSmoothing == 0 || techniques.loss.hasLabels, "label smoothing",
      techniques.labelSmoothing, "0 with --loss \(techniques.loss.rawValue), which has no labels")
    try check(
      (0...2).contains(techniques.instanceNoise), "instance noise", techniques.instanceNoise,
      "0 to 2")
    try check(
      (0...2).contains(techniques.noiseFloor), "noise floor", techniques.noiseFloor, "0 to 2")
    try check(
      (0...10_000).contains(techniques.r1), "weight of R1", techniques.r1, "0 to 10000")
    try check(
      techniques.r1 == 0 || techniques.discriminatorNorm != .batch, "weight of R1", techniques.r1,
      "0 with batch normalisation, which makes an image's score depend on its batch "
        + "(--d-norm none or spectral allow it)")
    try check(
      (1...1000).contains(techniques.r1Every), "steps from one R1 to the next", techniques.r1Every,
      "1 to 1000")
    try check(
      (0...1).contains(techniques.rateDecay), "decay of the learning rate", techniques.rateDecay,
      "0 to 1")
  }
}

/// A value in a recipe that is out of bounds.
public struct RecipeError: Error, Equatable, CustomStringConvertible {
  /// Name of the value.
  public let what: String
  /// The value found.
  public let value: String
  /// The values accepted.
  public let accepted: String

  /// The value found and the values accepted, in a sentence.
  public var description: String { "\(what) must be \(accepted), got \(value)" }
}
