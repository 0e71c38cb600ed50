import BollyGANModel

/// What a page says of its generator: facts from the file's metadata, data and limits in words.
struct ModelCard {
  /// Terms and texts.
  let facts: [[String]]
  /// Data and limits, a paragraph each.
  let limits: [String]
  /// Whether this is the generator that comes with the program.
  let isShipped: Bool

  /// The bundled generator's id; `models/README.md` is its card in full.
  static let shippedID = "b9ecc6f33df4f84ab2e31ec96b3dcff6ff811c725007f7bde4c267fcc57a9120"

  init(_ file: GeneratorFile) {
    let shape = file.weights.shape
    let parameters = file.weights.namedTensors()
      .filter { !$0.name.contains("running_") }
      .reduce(0) { $0 + $1.tensor.values.count }
    var facts = [
      ["Network", "DCGAN generator (Radford, Metz and Chintala 2015)"],
      [
        "Image",
        "\(shape.side) × \(shape.side) pixels, \(shape.channels == 1 ? "gray" : "RGB")",
      ],
      ["Latent", "\(shape.latent) normal numbers"],
      ["Parameters", Self.grouped(parameters)],
    ]
    if file.weights.slope != 0 { facts.append(["Activation", "LeakyReLU(\(file.weights.slope))"]) }
    let known = [
      ("modelspec.title", "Title"), ("modelspec.date", "Date"), ("bollygan.recipe", "Recipe"),
      ("bollygan.epoch", "Epochs"), ("bollygan.step", "Steps"),
      ("bollygan.average", "Decay of the weights' average"),
      ("bollygan.version", "Trained by version"),
      ("bollygan.dataset_sha256", "SHA-256 of the data"),
    ]
    for (key, term) in known {
      if let text = file.metadata[key], !text.isEmpty { facts.append([term, text]) }
    }
    facts.append(["SHA-256", file.id])
    self.facts = facts
    isShipped = file.id == Self.shippedID
    limits =
      (isShipped
        ? [
          "It was trained on 7,114 face crops of 100 film actors, from the Kaggle data set "
            + "“Bollywood Celeb Localized Face Dataset”. Those photographs come from press and film "
            + "and carry no licence; this page holds none of them.",
          "About one face in eight falls apart, most often in profile, in coloured light or in "
            + "deep shadow. Eyes differ in size; chins and hair fray.",
          "It draws what it has seen: actors in make-up and stage light, mostly young, about three "
            + "women for two men, hardly anybody old.",
        ] : [])
      + [
        "A generator draws what it was trained on and says nothing about people at large. A face may "
          + "by chance resemble somebody; do not use one to say something about a real person."
      ]
  }

  /// A whole number with a comma after every third digit from the right.
  private static func grouped(_ number: Int) -> String {
    var digits = Array(String(number))
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return String(digits)
  }
}
