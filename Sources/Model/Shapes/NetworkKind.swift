/// Which of the two networks of a DCGAN: where their geometry and their files differ.
public enum NetworkKind: String, Sendable {
  /// Generates images from latents.
  case generator
  /// Scores images.
  case discriminator
}

extension NetworkKind {
  /// The layouts that files of such a network can have: sides from 16 to 256; for a discriminator,
  /// with or without normalisation after its first convolution, or with biases and no normalisation
  /// at all.
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

  /// Slope of the hidden activations for negative numbers if the file does not say.
  package var usualSlope: Float { self == .generator ? 0 : Float(DiscriminatorWeights.leakySlope) }

  /// The sizes that follow from the shapes of the kernels.
  ///
  /// - Precondition: there is at least one kernel, and each has four axes.
  package func shape(kernels: [[Int]]) throws(ShapeError) -> DCGANShape {
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
  package func kernelShapes(_ shape: DCGANShape) -> [[Int]] {
    switch self {
    case .generator:
      zip(shape.generatorChannels, shape.generatorChannels.dropFirst()).map { [$0, $1, 4, 4] }
    case .discriminator:
      zip(shape.discriminatorChannels, shape.discriminatorChannels.dropFirst())
        .map { [$1, $0, 4, 4] }
    }
  }

  /// The axis of a kernel that counts output channels.
  package var outputAxis: Int { self == .generator ? 1 : 0 }

  /// Stride and padding of each layer: 1 and 0 for the layer between 4x4 maps and the latent or
  /// score, 2 and 1 for the others.
  package func geometry(doublings: Int) -> [(stride: Int, padding: Int)] {
    let end = self == .generator ? 0 : doublings
    return (0...doublings).map { $0 == end ? (1, 0) : (2, 1) }
  }

  /// The side of each layer's output in pixels.
  package func sides(doublings: Int) -> [Int] {
    switch self {
    case .generator: (0...doublings).map { 4 << $0 }
    case .discriminator: (0..<doublings).reversed().map { 4 << $0 } + [1]
    }
  }

  /// Length of the latent; nil for a discriminator, which has none.
  package func latent(_ shape: DCGANShape) -> Int? { self == .generator ? shape.latent : nil }

  /// Channels of the hidden map nearest to the image (`ngf` or `ndf`).
  package func width(_ shape: DCGANShape) -> Int {
    self == .generator ? shape.generatorWidth : shape.discriminatorWidth
  }
}

/// The positions of a network's layers in PyTorch's `nn.Sequential`: for each layer with weights,
/// the index of its convolution and of the normalisation that follows.
package struct ModuleLayout {
  package let layers: [(kernel: Int, norm: Int?)]
  /// Whether all convolutions but the last have biases.
  var hasBiases = false

  /// Convolution, normalisation and ReLU repeat; convolution and tanh end the network.
  static func generator(doublings: Int) -> ModuleLayout {
    ModuleLayout(layers: (0...doublings).map { (3 * $0, $0 < doublings ? 3 * $0 + 1 : nil) })
  }

  /// Convolution, normalisation and LeakyReLU repeat; convolution and sigmoid end the network. The
  /// article normalises after the first convolution, the tutorial does not.
  static func discriminator(doublings: Int, normalisesFirst: Bool) -> ModuleLayout {
    normalisesFirst
      ? generator(doublings: doublings)
      : ModuleLayout(
        layers: (0...doublings).map {
          $0 == 0 ? (0, nil) : (3 * $0 - 1, $0 < doublings ? 3 * $0 : nil)
        })
  }

  /// Convolution with bias and LeakyReLU repeat; a convolution ends the network.
  static func biasedDiscriminator(doublings: Int) -> ModuleLayout {
    ModuleLayout(layers: (0...doublings).map { (2 * $0, nil) }, hasBiases: true)
  }

  var doublings: Int { layers.count - 1 }

  func kernelName(_ layer: Int) -> String { "\(layers[layer].kernel).weight" }

  /// The name of a convolution's bias, which a DCGAN does without.
  func biasName(_ layer: Int) -> String { "\(layers[layer].kernel).bias" }

  /// Whether a layer must have a bias.
  func needsBias(_ layer: Int) -> Bool { hasBiases && layer < doublings }

  /// The name of one tensor of a layer's normalisation; nil if the layer has none.
  func normName(_ layer: Int, _ field: NormField) -> String? {
    layers[layer].norm.map { "\($0).\(field.rawValue)" }
  }

  /// The names that a state_dict must contain.
  var requiredNames: [String] {
    layers.indices.flatMap { layer in
      (needsBias(layer) ? [kernelName(layer), biasName(layer)] : [kernelName(layer)])
        + NormField.required.compactMap { normName(layer, $0) }
    }
  }

  /// The names that it can contain: a generator's convolutions may have biases.
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
  /// Introduced after the others; old files lack it.
  case batchesTracked = "num_batches_tracked"

  static let required: [NormField] = [.scale, .shift, .runningMean, .runningVariance]
}
