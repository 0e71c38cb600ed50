import BollyGANModel
import BollyGANTraining

/// Everything that determines the weights of a run.
///
/// Two runs with equal definitions, on processors of the same kind, end with equal bytes.
package struct RunDefinition: Codable, Equatable, Sendable {
  /// The recipe with the user's changes. The number of epochs says when a run ends, not which run
  /// it is, unless learning rates or noise decay over it.
  package var recipe: Recipe
  /// The seed of all random numbers.
  package var seed: Int64
  /// Height and width of an image in pixels.
  package var side: Int
  /// 3 for RGB, 1 for grayscale.
  package var channels: Int
  /// Channels of the generator's last hidden layer.
  package var generatorWidth: Int
  /// Channels of the discriminator's first layer.
  package var discriminatorWidth: Int
  /// Hash of the generator weights to start from, if they were read from a file.
  package var initialGenerator: String?
  /// Hash of the discriminator weights to start from, if they were read from a file.
  package var initialDiscriminator: String?
  /// Fingerprint of the training images; empty until they have been read.
  package var pictures: String

  package init(
    recipe: Recipe, seed: Int64, side: Int = 64, channels: Int = 3, generatorWidth: Int = 64,
    discriminatorWidth: Int = 64, initialGenerator: String? = nil,
    initialDiscriminator: String? = nil, pictures: String = ""
  ) {
    self.recipe = recipe
    self.seed = seed
    self.side = side
    self.channels = channels
    self.generatorWidth = generatorWidth
    self.discriminatorWidth = discriminatorWidth
    self.initialGenerator = initialGenerator
    self.initialDiscriminator = initialDiscriminator
    self.pictures = pictures
  }

  /// The sizes of both networks.
  package func shape() throws(ShapeError) -> DCGANShape {
    try DCGANShape(
      latent: recipe.latent, generatorWidth: generatorWidth,
      discriminatorWidth: discriminatorWidth, side: side, channels: channels)
  }
}

// MARK: - Identity

extension RunDefinition {
  /// One value of a definition, under the name that its hash and our messages use.
  fileprivate struct Field {
    let name: String
    let value: String
    /// Whether the hash skips the field: an unused technique, or a run length that changes no step.
    var isLeftOut = false

    var line: String { "\(name)=\(value)\n" }
  }

  /// SHA-256 over every value that must not change between two parts of a run.
  ///
  /// The hash is written into checkpoints, so names, order and spelling below are a file format. A
  /// technique at its default is left out: runs from before it existed keep their hash.
  package var hash: String {
    SHA256.hex(of: Array(fields.filter { !$0.isLeftOut }.map(\.line).joined().utf8))
  }

  /// What differs from another definition, each as `name: this value, not that one`.
  package func differences(from other: RunDefinition) -> [String] {
    let ignoresEpochs =
      !recipe.techniques.dependOnLength && !other.recipe.techniques.dependOnLength
    return zip(fields, other.fields).compactMap { mine, theirs in
      mine.value == theirs.value || ignoresEpochs && mine.name == "recipe.epochs"
        ? nil : "\(mine.name): \(mine.value), not \(theirs.value)"
    }
  }

  /// Every value for readers, under its name in words.
  package var described: [(name: String, value: String)] {
    fields.map { field in
      if field.name == "recipe.name" { return ("recipe", field.value) }
      var words = ""
      for letter in field.name.split(separator: ".").last ?? "" {
        words += letter.isUppercase ? " \(letter.lowercased())" : String(letter)
      }
      let value = field.value
      return (words, value == "true" ? "yes" : value == "false" ? "no" : value)
    }
  }

  private var fields: [Field] {
    let none = "nothing"
    func field(_ name: String, _ value: some CustomStringConvertible) -> Field {
      Field(name: name, value: "\(value)")
    }
    let start = [
      field("recipe.name", recipe.name),
      field("recipe.latent", recipe.latent),
      field("recipe.normalisesFirst", recipe.normalisesFirst),
      field("recipe.initialisation", recipe.initialisation.rawValue),
      field("recipe.freshLatents", recipe.freshLatents),
      field("recipe.generatorRate", recipe.generatorRate),
      field("recipe.discriminatorRate", recipe.discriminatorRate),
      field("recipe.beta1", recipe.beta1),
      field("recipe.beta2", recipe.beta2),
      Field(
        name: "recipe.epochs", value: "\(recipe.epochs)",
        isLeftOut: !recipe.techniques.dependOnLength),
      field("recipe.batch", recipe.batch),
      field("recipe.lastBatch", recipe.lastBatch.rawValue),
      field("recipe.drawingOrder", recipe.drawingOrder.rawValue),
      field("recipe.preview", recipe.preview),
      field("recipe.pictureRules", recipe.pictureRules.rawValue),
      field("recipe.mirror", recipe.mirror),
      field("recipe.generatorAverage", recipe.generatorAverage.map { "\($0)" } ?? none),
      field("recipe.holdout", recipe.holdout),
    ]
    let end = [
      field("seed", seed),
      field("side", side),
      field("channels", channels),
      field("generatorWidth", generatorWidth),
      field("discriminatorWidth", discriminatorWidth),
      field("initialGenerator", initialGenerator ?? none),
      field("initialDiscriminator", initialDiscriminator ?? none),
      field("pictures", pictures),
    ]
    return start + recipe.techniques.fields + end
  }
}

extension Techniques {
  /// The techniques as fields of a definition; those at their defaults are left out of its hash.
  fileprivate var fields: [RunDefinition.Field] {
    zip(values, Techniques.none.values).map { value, unused in
      RunDefinition.Field(
        name: "recipe.techniques.\(value.0)", value: value.1, isLeftOut: value.1 == unused.1)
    }
  }

  private var values: [(String, String)] {
    [
      ("augmentation", "\(augmentation)"),
      ("loss", lossName),
      ("labelSmoothing", "\(labelSmoothing)"),
      ("instanceNoise", "\(instanceNoise)"),
      ("noiseFloor", "\(noiseFloor)"),
      ("rateDecay", "\(rateDecay)"),
      ("discriminatorNorm", discriminatorNorm.rawValue),
      ("r1", "\(r1)"),
      ("r1Every", "\(r1Every)"),
    ]
  }

  /// The name of the loss in the hash, which for two of them is not its option value.
  private var lossName: String {
    switch loss {
    case .bce, .hinge, .logistic: loss.rawValue
    case .pairedLogistic: "pairedLogistic"
    case .averageLeastSquares: "averageLeastSquares"
    }
  }
}
