import BollyGANModel

/// A way to train: everything that determines a run apart from its data, its seed and the sizes of
/// its networks.
///
/// Two recipes follow scripts of other people so closely that, with the same seed and folder, they
/// make the same steps: ``tutorial`` (PyTorch's DCGAN tutorial) and ``article`` (the notebook behind
/// the article on Bollywood faces). ``bollygan`` is our own.
public struct Recipe: Sendable, Equatable, Codable {
  /// What the weights of new networks are drawn from.
  public enum Initialisation: String, Sendable, Codable, CaseIterable {
    /// Kernels from N(0, 0.02), scales of batch normalisation from N(1, 0.02), shifts 0 (the
    /// tutorial's `weights_init`; Radford, Metz and Chintala 2015, section 4).
    case dcgan
    /// What PyTorch's layers draw for themselves: kernels uniform within ±1/√(16 · `shape[1]`),
    /// scales 1, shifts 0.
    case torchDefault
  }

  /// Whose script's order the random numbers of a run are drawn in.
  public enum DrawingOrder: String, Sendable, Codable, CaseIterable {
    /// Preview batch, generator, discriminator, fixed latents, then the epochs.
    case tutorial
    /// Preview batch, discriminator, generator, one trial batch of latents, fixed latents, then the
    /// epochs.
    case article
  }

  /// What becomes of the pictures that do not fill a batch at the end of an epoch.
  public enum LastBatch: String, Sendable, Codable, CaseIterable {
    /// They make a short batch, with as many fakes.
    case short
    /// They make a short batch, but the fakes are as many as in any other.
    case shortWithFullLatents
    /// They are left out of this epoch.
    case dropped
  }

  /// What the recipe is called on the command line and in files.
  public var name: String
  /// Numbers in a latent vector (`nz`), for the `DCGANShape` of the run.
  public var latent: Int
  /// Whether batch normalisation follows the discriminator's first convolution.
  public var normalisesFirst: Bool
  /// What new networks are drawn from.
  public var initialisation: Initialisation
  /// Whether the generator's step draws latents of its own or uses the fakes that the discriminator
  /// has just seen.
  public var freshLatents: Bool
  /// Adam's learning rate for the generator.
  public var generatorRate: Double
  /// Adam's learning rate for the discriminator.
  public var discriminatorRate: Double
  /// Adam's decay of the first moment.
  public var beta1: Double
  /// Adam's decay of the second moment.
  public var beta2: Double
  /// Passes over the data.
  public var epochs: Int
  /// Pictures in a batch.
  public var batch: Int
  /// What becomes of an epoch's last, short batch.
  public var lastBatch: LastBatch
  /// The order in which random numbers are drawn.
  public var drawingOrder: DrawingOrder
  /// Whether the random numbers of one batch are spent before the networks are made, as scripts do
  /// that show some pictures first.
  public var preview: Bool
  /// How picture files are read: `pillow`, as the scripts do, or `kind`, which heeds orientation and
  /// alpha.
  public var pictureRules: String
  /// Whether each picture is shown mirrored in half of the epochs, at random.
  public var mirror: Bool
  /// Decay a step of the generator's moving average; nil where none is kept.
  public var generatorAverage: Double?
  /// Share of the pictures that is kept from training, to measure with.
  public var holdout: Double
  /// What is done beyond the DCGAN of 2015.
  public var techniques = Techniques.none

  /// PyTorch's DCGAN tutorial.
  ///
  /// - SeeAlso: <https://pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html>
  public static let tutorial = Recipe(
    name: "tutorial", latent: 100, normalisesFirst: false, initialisation: .dcgan,
    freshLatents: false, generatorRate: 0.0002, discriminatorRate: 0.0002, beta1: 0.5,
    beta2: 0.999, epochs: 5, batch: 128, lastBatch: .short, drawingOrder: .tutorial,
    preview: true, pictureRules: "pillow", mirror: false, generatorAverage: nil, holdout: 0)

  /// The article's notebook, with a learning rate that works.
  ///
  /// The article prints a learning rate of 0.005. Taken literally it diverges within the first
  /// epoch, in PyTorch as here: the discriminator answers 1 to everything. So this recipe uses the
  /// 0.0002 of the notebook that the article follows.
  public static let article = Recipe(
    name: "article", latent: 64, normalisesFirst: true, initialisation: .torchDefault,
    freshLatents: true, generatorRate: 0.0002, discriminatorRate: 0.0002, beta1: 0.5,
    beta2: 0.999, epochs: 60, batch: 128, lastBatch: .shortWithFullLatents,
    drawingOrder: .article, preview: true, pictureRules: "pillow", mirror: false,
    generatorAverage: nil, holdout: 0)

  /// Our own, the default: small batches, so that some thousand pictures make many steps, real
  /// pictures asked to be 0.9 real, and a long average of the noisier generator that comes of it.
  /// What else was tried, and what came out: `Documentation/Training.md`.
  public static let bollygan = Recipe(
    name: "bollygan", latent: 64, normalisesFirst: false, initialisation: .dcgan,
    freshLatents: true, generatorRate: 0.0002, discriminatorRate: 0.0002, beta1: 0.5,
    beta2: 0.999, epochs: 60, batch: 16, lastBatch: .dropped, drawingOrder: .tutorial,
    preview: false, pictureRules: "kind", mirror: true, generatorAverage: 0.9995, holdout: 0,
    techniques: Techniques(loss: .logistic, labelSmoothing: 0.1, noiseFloor: 0.03))

  /// The recipes by name, the default first.
  public static let all = [bollygan, tutorial, article]

  /// Whether the recipe follows a script, and a run is to repeat its steps: digits count more than time.
  private var repeatsScript: Bool { name == Self.tutorial.name || name == Self.article.name }

  /// The arithmetic of a step for networks of the given sizes.
  public func configuration(for shape: DCGANShape) -> TrainingConfiguration {
    TrainingConfiguration(
      shape: shape, normalisesFirst: normalisesFirst, freshLatents: freshLatents,
      generatorRate: generatorRate, discriminatorRate: discriminatorRate, beta1: beta1,
      beta2: beta2, techniques: techniques, convolutions: repeatsScript ? .direct : .fast)
  }

  /// Batches in one pass over the given number of pictures.
  public func stepsPerEpoch(pictureCount: Int) -> Int {
    lastBatch == .dropped ? pictureCount / batch : (pictureCount + batch - 1) / batch
  }

  /// Checks every value that a person or a file may have set.
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
    try check(
      ["pillow", "kind"].contains(pictureRules), "picture rules", pictureRules, "pillow or kind")
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
      "0 with batch normalisation, which makes a picture's score depend on its neighbours "
        + "(--d-norm none or spectral)")
    try check(
      (1...1000).contains(techniques.r1Every), "steps from one R1 to the next", techniques.r1Every,
      "1 to 1000")
    try check(
      (0...1).contains(techniques.rateDecay), "decay of the learning rate", techniques.rateDecay,
      "0 to 1")
  }
}

/// A recipe's value that no run can have.
public struct RecipeError: Error, Equatable, CustomStringConvertible {
  /// Which value.
  public let what: String
  /// What it is.
  public let value: String
  /// What would be accepted.
  public let accepted: String

  /// A sentence that says what is wrong and what would be right.
  public var description: String { "\(what) is \(value), accepted is \(accepted)" }
}
