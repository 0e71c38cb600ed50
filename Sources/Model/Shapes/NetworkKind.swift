/// Which of the two networks: what their files have in common and where they differ.
enum NetworkKind: String {
  case generator
  case discriminator

  /// The layouts that files of such a network may have: sides 16 to 256, a discriminator with or
  /// without normalisation behind its first convolution, or with none at all and biases.
  var layouts: [ModuleLayout] {
    switch self {
    case .generator: (2...6).map { .generator(doublings: $0) }
    case .discriminator:
      (2...6).flatMap { doublings in
        [false, true].map { .discriminator(doublings: doublings, normalisesFirst: $0) }
      } + (2...6).map { .biasedDiscriminator(doublings: $0) }
    }
  }

  var other: NetworkKind { self == .generator ? .discriminator : .generator }

  /// The sizes that the shapes of the kernels tell.
  ///
  /// - Precondition: there are three or more, each has four axes.
  func shape(kernels: [[Int]]) throws(ShapeError) -> DCGANShape {
    switch self {
    case .generator:
      try DCGANShape(
        latent: kernels[0][0], generatorWidths: kernels.dropLast().map { $0[1] },
        channels: kernels[kernels.count - 1][1])
    case .discriminator:
      try DCGANShape(
        generatorWidth: kernels[0][0], side: 4 << (kernels.count - 1), channels: kernels[0][1])
    }
  }

  /// The shapes of the kernels: `[in, out, 4, 4]` in a generator, `[out, in, 4, 4]` in a
  /// discriminator.
  func kernelShapes(_ shape: DCGANShape) -> [[Int]] {
    switch self {
    case .generator:
      zip(shape.generatorChannels, shape.generatorChannels.dropFirst()).map { [$0, $1, 4, 4] }
    case .discriminator:
      zip(shape.discriminatorChannels, shape.discriminatorChannels.dropFirst())
        .map { [$1, $0, 4, 4] }
    }
  }

  /// The axis of a kernel that counts what the layer puts out.
  var outputAxis: Int { self == .generator ? 1 : 0 }
}

/// Where the layers of a network stand in PyTorch's `nn.Sequential`: for each layer with weights
/// the index of its convolution and of the normalisation behind it.
struct ModuleLayout {
  let layers: [(kernel: Int, norm: Int?)]
  /// Whether all convolutions but the last have biases.
  var hasBiases = false

  /// Convolution, normalisation, ReLU, over and over; convolution and tanh at the end.
  static func generator(doublings: Int) -> ModuleLayout {
    ModuleLayout(layers: (0...doublings).map { (3 * $0, $0 < doublings ? 3 * $0 + 1 : nil) })
  }

  /// Convolution, normalisation, LeakyReLU, over and over; convolution and sigmoid at the end. The
  /// tutorial has no normalisation behind the first convolution, the article has one.
  static func discriminator(doublings: Int, normalisesFirst: Bool) -> ModuleLayout {
    normalisesFirst
      ? generator(doublings: doublings)
      : ModuleLayout(
        layers: (0...doublings).map {
          $0 == 0 ? (0, nil) : (3 * $0 - 1, $0 < doublings ? 3 * $0 : nil)
        })
  }

  /// Convolution with bias and LeakyReLU, over and over; convolution at the end.
  static func biasedDiscriminator(doublings: Int) -> ModuleLayout {
    ModuleLayout(layers: (0...doublings).map { (2 * $0, nil) }, hasBiases: true)
  }

  var doublings: Int { layers.count - 1 }
  var normalisesFirst: Bool { layers[0].norm != nil }

  func kernelName(_ layer: Int) -> String { "\(layers[layer].kernel).weight" }

  /// The name of the convolution's own addends, which DCGANs do without.
  func biasName(_ layer: Int) -> String { "\(layers[layer].kernel).bias" }

  /// Whether a layer must have such addends.
  func needsBias(_ layer: Int) -> Bool { hasBiases && layer < doublings }

  /// The name of a tensor of the normalisation in a layer that has one.
  func normName(_ layer: Int, _ field: NormField) -> String? {
    layers[layer].norm.map { "\($0).\(field.rawValue)" }
  }

  /// The names that a state_dict must hold.
  var requiredNames: [String] {
    layers.indices.flatMap { layer in
      (needsBias(layer) ? [kernelName(layer), biasName(layer)] : [kernelName(layer)])
        + NormField.required.compactMap { normName(layer, $0) }
    }
  }

  /// The names that it may hold: a generator's convolutions may have biases.
  func optionalNames(_ kind: NetworkKind) -> [String] {
    layers.indices.compactMap { normName($0, .batchesTracked) }
      + (kind == .generator ? layers.indices.map(biasName) : [])
  }
}

/// A tensor of batch normalisation, by its name in PyTorch.
enum NormField: String {
  case scale = "weight"
  case shift = "bias"
  case runningMean = "running_mean"
  case runningVariance = "running_var"
  /// Younger than the others; files of old versions do not have it.
  case batchesTracked = "num_batches_tracked"

  static let required: [NormField] = [.scale, .shift, .runningMean, .runningVariance]
}
