import ArgumentParser
import BollyGANModel
import BollyGANPictures
import BollyGANRuns
import BollyGANTraining

// Options that change the recipe.

extension PictureRules: ExpressibleByArgument {}

extension Augmentation: ExpressibleByArgument {
  /// In the form that ``Augmentation/init(_:)`` reads.
  public init?(argument: String) { self.init(argument) }
}

extension AdversarialLoss: ExpressibleByArgument {}
extension DiscriminatorNorm: ExpressibleByArgument {}

/// Options that determine the weights. Each one that is given overrides the recipe.
struct RecipeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Preset for all other options: \(Recipe.all.map(\.name).joined(separator: ", ")). "
        + "(default: \(Recipe.all[0].name))",
      discussion: """
        bollygan is our own recipe. tutorial is PyTorch's DCGAN tutorial. article is the article \
        on Bollywood faces, with a learning rate of 0.0002: the printed 0.005 diverges within an \
        epoch.
        """),
    transform: { name in
      guard let recipe = Recipe.all.first(where: { $0.name == name }) else {
        let names = Recipe.all.map(\.name).joined(separator: ", ")
        throw ValidationError("Unknown recipe '\(name)'; the recipes are \(names).")
      }
      return recipe
    })
  var recipe: Recipe?

  @Option(help: ArgumentHelp("Passes over the training images.", valueName: "n"))
  var epochs: Int?

  @Option(
    help: ArgumentHelp(
      "Random seed, as in torch.manual_seed. (default: 0)", valueName: "n"))
  var seed: Int64?

  @Option(help: ArgumentHelp("Learning rate of both networks.", valueName: "rate"))
  var lr: Double?

  @Option(
    name: [.long, .customLong("lr-g")],
    help: ArgumentHelp("Learning rate of the generator.", valueName: "rate"))
  var lrGenerator: Double?

  @Option(
    name: [.long, .customLong("lr-d")],
    help: ArgumentHelp(
      "Learning rate of the discriminator.", valueName: "rate"))
  var lrDiscriminator: Double?

  @Option(
    help: ArgumentHelp(
      "Decay both learning rates linearly to 0 over this last share of the epochs. (default: 0)",
      valueName: "share"))
  var lrDecay: Double?

  @Option(help: ArgumentHelp("Adam's decay rate of the first moment.", valueName: "beta"))
  var beta1: Double?

  @Option(help: ArgumentHelp("Adam's decay rate of the second moment.", valueName: "beta"))
  var beta2: Double?

  @Option(help: ArgumentHelp("Images per batch.", valueName: "n"))
  var batch: Int?

  @Option(help: ArgumentHelp("Length of the latent vectors.", valueName: "n"))
  var latent: Int?

  @Option(
    help: ArgumentHelp(
      "Channels of the generator's last hidden layer and of the discriminator's first. "
        + "(default: 64)", valueName: "n"))
  var width: Int?

  @Option(
    help: ArgumentHelp(
      "Channels of the discriminator's first layer. (default: same as --width)", valueName: "n"))
  var discriminatorWidth: Int?

  @Option(
    help: ArgumentHelp(
      "Height and width of the images: 16, 32, 64, 128 or 256. (default: 64)", valueName: "pixels"))
  var side: Int?

  @Option(help: ArgumentHelp("3 for RGB, 1 for grayscale. (default: 3)", valueName: "n"))
  var channels: Int?

  @Option(
    help: ArgumentHelp(
      "Start from the generator in this file and use its sizes.", valueName: "file"),
    completion: .file(extensions: ["safetensors"]))
  var initGenerator: String?

  @Option(
    help: ArgumentHelp("Start from the discriminator in this file.", valueName: "file"),
    completion: .file(extensions: ["safetensors"]))
  var initDiscriminator: String?

  @Flag(
    inversion: .prefixedNo,
    help: """
      Consume the random numbers of one batch before the networks are initialised, as scripts do \
      that show some images first. (default: from the recipe)
      """)
  var preview: Bool?

  @Flag(
    inversion: .prefixedNo,
    help: "Mirror each image with probability 0.5. (default: from the recipe)")
  var mirror: Bool?

  @Option(
    help: ArgumentHelp(
      "Decay per step of the exponential moving average (EMA) of the generator, which is what gets "
        + "saved; 0 for none. (default: from the recipe)", valueName: "decay"))
  var average: Double?

  @Option(
    name: .customLong("diffaugment"),
    help: ArgumentHelp(
      "DiffAugment: augment every image that the discriminator sees, so that it does not memorise "
        + "a small data set: any of color,translation,cutout; or none. (default: from the recipe)",
      valueName: "list"))
  var augmentation: Augmentation?

  @Option(
    help: ArgumentHelp(
      "Loss of both networks: bce (like PyTorch's Sigmoid and BCELoss), logistic (the same "
        + "function of the logit, which never saturates), hinge, rp-logistic (relativistic, pairs "
        + "each real image with a generated one) or ra-ls (relativistic average least squares). "
        + "(default: from the recipe)",
      valueName: "loss"))
  var loss: AdversarialLoss?

  @Option(
    help: ArgumentHelp(
      "Reduce the label of real images by this much, such as 0.1; only with bce and logistic. "
        + "(default: from the recipe)", valueName: "share"))
  var labelSmoothing: Double?

  @Option(
    help: ArgumentHelp(
      "Standard deviation of noise added to every image that the discriminator sees (values in "
        + "-1...1), such as 0.1; decays linearly over the epochs to 0 or --noise-floor. "
        + "(default: 0)",
      valueName: "deviation"))
  var instanceNoise: Double?

  @Option(
    help: ArgumentHelp(
      "Lower bound of that standard deviation, such as 0.03: enough for the discriminator to judge "
        + "the contrast. (default: from the recipe)", valueName: "deviation"))
  var noiseFloor: Double?

  @Option(
    name: [.customLong("discriminator-norm"), .customLong("d-norm")],
    help: ArgumentHelp(
      "Normalisation in the discriminator: batch (as in a DCGAN), spectral (each kernel divided by "
        + "its largest singular value) or none. (default: batch)",
      valueName: "norm"))
  var discriminatorNorm: DiscriminatorNorm?

  @Option(
    name: .customLong("r1"),
    help: ArgumentHelp(
      "Weight of the R1 gradient penalty at real images, such as 1 with --loss logistic; requires "
        + "--d-norm none or spectral. (default: 0)", valueName: "weight"))
  var slopePenalty: Double?

  @Option(
    name: .customLong("r1-every"),
    help: ArgumentHelp(
      "Apply R1 every n steps, with n times the weight. (default: 16)", valueName: "n"))
  var slopePenaltyEvery: Int?

  @Option(
    help: ArgumentHelp(
      "Share of images held out from training for quality measurements, such as 0.1. (default: 0)",
      valueName: "share"))
  var holdout: Double?

  @Option(
    help: ArgumentHelp(
      "How image files are read: kind (applies EXIF orientation, puts transparency on white) or "
        + "pillow (ignores both, like PyTorch's scripts). (default: from the recipe)",
      valueName: "rules"))
  var pictureRules: PictureRules?

  /// Applies the options to a definition, or to that of the recipe.
  ///
  /// - Throws: `ValidationError` if a value is out of bounds.
  func applied(to base: RunDefinition?) throws -> RunDefinition {
    var definition = base ?? RunDefinition(recipe: recipe ?? Recipe.all[0], seed: 0)
    func set<Value>(_ place: WritableKeyPath<RunDefinition, Value>, _ value: Value?) {
      if let value { definition[keyPath: place] = value }
    }
    // For an existing run, --recipe is one more setting that has to match.
    if base != nil, let recipe { definition.recipe = recipe }
    set(\.seed, seed)
    set(\.recipe.epochs, epochs)
    set(\.recipe.generatorRate, lrGenerator ?? lr)
    set(\.recipe.discriminatorRate, lrDiscriminator ?? lr)
    set(\.recipe.beta1, beta1)
    set(\.recipe.beta2, beta2)
    set(\.recipe.batch, batch)
    set(\.recipe.latent, latent)
    set(\.recipe.preview, preview)
    set(\.recipe.mirror, mirror)
    if let average { definition.recipe.generatorAverage = average == 0 ? nil : average }
    set(\.recipe.pictureRules, pictureRules.flatMap { .init(rawValue: $0.rawValue) })
    set(\.recipe.holdout, holdout)
    set(\.recipe.techniques.augmentation, augmentation)
    set(\.recipe.techniques.loss, loss)
    // A loss without labels drops the recipe's label smoothing.
    set(\.recipe.techniques.labelSmoothing, labelSmoothing ?? (loss?.hasLabels == false ? 0 : nil))
    set(\.recipe.techniques.instanceNoise, instanceNoise)
    set(\.recipe.techniques.noiseFloor, noiseFloor)
    set(\.recipe.techniques.rateDecay, lrDecay)
    set(\.recipe.techniques.discriminatorNorm, discriminatorNorm)
    set(\.recipe.techniques.r1, slopePenalty)
    set(\.recipe.techniques.r1Every, slopePenaltyEvery)
    set(\.generatorWidth, width)
    set(\.discriminatorWidth, discriminatorWidth ?? width)
    set(\.side, side)
    set(\.channels, channels)
    do {
      try definition.recipe.validate()
      _ = try definition.shape()
    } catch {
      throw ValidationError("The \(error).")
    }
    return definition
  }
}
