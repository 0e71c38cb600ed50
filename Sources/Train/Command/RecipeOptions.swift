import ArgumentParser
import BollyGANModel
import BollyGANPictures
import BollyGANRuns
import BollyGANTraining

extension PictureRules: ExpressibleByArgument {}

extension Augmentation: ExpressibleByArgument {
  /// As ``Augmentation/init(_:)`` reads it.
  public init?(argument: String) { self.init(argument) }
}

extension AdversarialLoss: ExpressibleByArgument {}
extension DiscriminatorNorm: ExpressibleByArgument {}

/// What determines the weights. Only what is given changes a recipe.
struct RecipeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where all other settings come from: \(Recipe.all.map(\.name).joined(separator: ", ")). "
        + "(default: \(Recipe.all[0].name))",
      discussion: """
        tutorial is PyTorch's DCGAN tutorial, article the article on Bollywood faces (whose printed \
        learning rate of 0.005 diverges within an epoch; it uses 0.0002), bollygan is our own.
        """),
    transform: { name in
      guard let recipe = Recipe.all.first(where: { $0.name == name }) else {
        let names = Recipe.all.map(\.name).joined(separator: ", ")
        throw ValidationError("There is no recipe '\(name)', only \(names).")
      }
      return recipe
    })
  var recipe: Recipe?

  @Option(help: ArgumentHelp("Passes over the pictures.", valueName: "n"))
  var epochs: Int?

  @Option(
    help: ArgumentHelp(
      "What all random numbers come from, as in torch.manual_seed. (default: 0)", valueName: "n"))
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
      "Learning rate of the discriminator; two rates make two time-scales.", valueName: "rate"))
  var lrDiscriminator: Double?

  @Option(
    help: ArgumentHelp(
      "Last share of the epochs over which both rates fall linearly to 0. (default: 0)",
      valueName: "share"))
  var lrDecay: Double?

  @Option(help: ArgumentHelp("Adam's decay of the first moment.", valueName: "beta"))
  var beta1: Double?

  @Option(help: ArgumentHelp("Adam's decay of the second moment.", valueName: "beta"))
  var beta2: Double?

  @Option(help: ArgumentHelp("Pictures in a batch.", valueName: "n"))
  var batch: Int?

  @Option(help: ArgumentHelp("Numbers in a latent vector.", valueName: "n"))
  var latent: Int?

  @Option(
    help: ArgumentHelp(
      "Channels of the generator's last hidden map, and of the discriminator's first. "
        + "(default: 64)", valueName: "n"))
  var width: Int?

  @Option(
    help: ArgumentHelp(
      "Channels of the discriminator's first map. (default: as --width)", valueName: "n"))
  var discriminatorWidth: Int?

  @Option(
    help: ArgumentHelp(
      "Height and width of the pictures: 16, 32, 64, 128 or 256. (default: 64)", valueName: "pixels"
    ))
  var side: Int?

  @Option(help: ArgumentHelp("3 for colour, 1 for gray. (default: 3)", valueName: "n"))
  var channels: Int?

  @Option(
    help: ArgumentHelp(
      "Begin with the generator in this file; sizes come from it.", valueName: "file"),
    completion: .file(extensions: ["safetensors"]))
  var initGenerator: String?

  @Option(
    help: ArgumentHelp("Begin with the discriminator in this file.", valueName: "file"),
    completion: .file(extensions: ["safetensors"]))
  var initDiscriminator: String?

  @Flag(
    inversion: .prefixedNo,
    help: """
      Spend the random numbers of one batch before the networks are made, as scripts do that show \
      some pictures first. (default: as the recipe)
      """)
  var preview: Bool?

  @Flag(
    inversion: .prefixedNo,
    help: "Show each picture mirrored half of the time. (default: as the recipe)")
  var mirror: Bool?

  @Option(
    help: ArgumentHelp(
      "Decay a step of the generator's moving average, which is what is given away; 0 keeps none. "
        + "(default: as the recipe)", valueName: "decay"))
  var average: Double?

  @Option(
    name: .customLong("diffaugment"),
    help: ArgumentHelp(
      "DiffAugment: change every picture before the discriminator sees it, so that it does not learn "
        + "a few thousand by heart: any of color,translation,cutout; or none. "
        + "(default: as the recipe)", valueName: "list"))
  var augmentation: Augmentation?

  @Option(
    help: ArgumentHelp(
      "The loss of both networks: bce, as PyTorch's Sigmoid and BCELoss; logistic, the same "
        + "function of the logit, which never saturates; hinge; rp-logistic, relativistic: each "
        + "real image is paired with a generated one; ra-ls, relativistic average least squares. "
        + "(default: as the recipe)",
      valueName: "loss"))
  var loss: AdversarialLoss?

  @Option(
    help: ArgumentHelp(
      "Ask the discriminator for this much less than 1 on real pictures, as 0.1; the hinge loss "
        + "knows none. (default: as the recipe)", valueName: "share"))
  var labelSmoothing: Double?

  @Option(
    help: ArgumentHelp(
      "Standard deviation of noise on every picture that the discriminator sees, in -1...1, as 0.1; "
        + "it falls linearly over the epochs, to 0 or --noise-floor. (default: 0)",
      valueName: "deviation"))
  var instanceNoise: Double?

  @Option(
    help: ArgumentHelp(
      "What the deviation of that noise does not fall below, as 0.03: enough for the discriminator to "
        + "see how strong the contrast is. (default: as the recipe)", valueName: "deviation"))
  var noiseFloor: Double?

  @Option(
    name: [.customLong("discriminator-norm"), .customLong("d-norm")],
    help: ArgumentHelp(
      "What keeps the discriminator's layers in bounds: batch, batch normalisation as a DCGAN has it; "
        + "spectral, each kernel divided by its largest singular value; none. (default: batch)",
      valueName: "norm"))
  var discriminatorNorm: DiscriminatorNorm?

  @Option(
    name: .customLong("r1"),
    help: ArgumentHelp(
      "Weight of the penalty on the discriminator's slope at real pictures (R1), as 1 with --loss "
        + "logistic; goes with --d-norm none or spectral. (default: 0)", valueName: "weight"))
  var slopePenalty: Double?

  @Option(
    name: .customLong("r1-every"),
    help: ArgumentHelp(
      "Steps from one with that penalty to the next; it weighs as many times as much. (default: 16)",
      valueName: "n"))
  var slopePenaltyEvery: Int?

  @Option(
    help: ArgumentHelp(
      "Share of the pictures that is kept from training, to measure quality with, as 0.1. "
        + "(default: 0)", valueName: "share"))
  var holdout: Double?

  @Option(
    help: ArgumentHelp(
      "How picture files are read: kind (EXIF turned, alpha over white) or pillow (as PyTorch's "
        + "scripts do). (default: as the recipe)", valueName: "rules"))
  var pictureRules: PictureRules?

  /// A definition with these options' changes.
  ///
  /// - Throws: `ValidationError` where a value is out of bounds.
  func applied(to base: RunDefinition?) throws -> RunDefinition {
    var definition = base ?? RunDefinition(recipe: recipe ?? Recipe.all[0], seed: 0)
    func set<Value>(_ place: WritableKeyPath<RunDefinition, Value>, _ value: Value?) {
      if let value { definition[keyPath: place] = value }
    }
    // A recipe named beside a run is one more claim about that run.
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
    set(\.recipe.pictureRules, pictureRules?.rawValue)
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
