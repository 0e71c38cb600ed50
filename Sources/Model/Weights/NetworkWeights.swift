/// The weights of a DCGAN generator, from latent to image.
///
/// Layer 0 projects the latent to 4x4 (stride 1, padding 0); every other layer doubles the side
/// (stride 2, padding 1). Batch normalisation and ReLU (or LeakyReLU) follow every layer but the
/// last; tanh follows the last.
public struct GeneratorWeights: Network {
  /// The generator.
  public static let kind = NetworkKind.generator

  /// The sizes; `discriminatorWidth` is meaningless here.
  public let shape: DCGANShape
  /// `shape.doublings + 1` layers.
  public var layers: [LayerWeights]
  /// Slope of the hidden activations for negative numbers, 0 to 1: max(z, 0) + slope · min(z, 0).
  ///
  /// 0 is ReLU, which DCGANs use and training requires. Other slopes come from files of generators
  /// with LeakyReLU.
  public var slope: Float

  /// A generator of the given layers.
  ///
  /// - Precondition: kernels, biases and normalisations fit the shape; the slope is from 0 to 1.
  public init(shape: DCGANShape, layers: [LayerWeights], slope: Float = 0) {
    let channels = shape.generatorChannels
    precondition((0...1).contains(slope), "slope \(slope) is not from 0 to 1")
    precondition(
      layers.count == channels.count - 1,
      "a generator of this shape has \(channels.count - 1) layers, not \(layers.count)")
    for (index, layer) in layers.enumerated() {
      precondition(
        layer.kernel.shape == [channels[index], channels[index + 1], 4, 4],
        "layer \(index) has kernel \(layer.kernel.shape)")
      precondition(
        layer.norm?.channels == (index == layers.count - 1 ? nil : channels[index + 1]),
        "the normalisation of layer \(index) does not fit its position")
      precondition(
        layer.bias.map { index == layers.count - 1 && $0.count == channels[index + 1] } ?? true,
        "the bias of layer \(index) does not fit its position")
    }
    self.shape = shape
    self.layers = layers
    self.slope = slope
  }

  /// Why this generator cannot be trained here, or nil if it can be.
  ///
  /// Training requires ReLU, channels that halve from layer to layer, and no bias before the image.
  package var untrainable: String? {
    if slope != 0 { return "activations are LeakyReLU" }
    if layers.last?.bias != nil { return "last layer has a bias" }
    let widths = shape.generatorWidths
    guard zip(widths, widths.dropFirst()).allSatisfy({ $0 == 2 * $1 }) else {
      return "channels \(widths) do not halve"
    }
    return nil
  }
}

/// The weights of a DCGAN discriminator, from image to score.
///
/// Every layer but the last halves the side (stride 2, padding 1) and is followed by
/// LeakyReLU(0.2). The last layer turns 4x4 into one number (stride 1, padding 0), the logit before
/// the sigmoid.
public struct DiscriminatorWeights: Network {
  /// The discriminator.
  public static let kind = NetworkKind.discriminator

  /// Slope of LeakyReLU for negative numbers in every discriminator, as in PyTorch's tutorial.
  ///
  /// A `Double`, because the plain engine computes in float64 too.
  public static let leakySlope = 0.2

  /// The sizes; `latent` and `generatorWidth` are meaningless here.
  public let shape: DCGANShape
  /// Whether batch normalisation follows the first convolution (the article) or not (the tutorial).
  public let normalisesFirst: Bool
  /// Whether the hidden layers have batch normalisation, as in a DCGAN; if not, they have biases.
  public let normalises: Bool
  /// `shape.doublings + 1` layers.
  public var layers: [LayerWeights]

  /// ``leakySlope``.
  public var slope: Float { Float(Self.leakySlope) }

  /// A discriminator of the given layers.
  ///
  /// - Precondition: kernels, biases and normalisations fit the shape; the first layer has no
  ///   normalisation unless the others have one.
  public init(
    shape: DCGANShape, normalisesFirst: Bool, normalises: Bool = true, layers: [LayerWeights]
  ) {
    precondition(normalises || !normalisesFirst, "the first layer alone is normalised")
    let channels = shape.discriminatorChannels
    precondition(
      layers.count == channels.count - 1,
      "a discriminator of this shape has \(channels.count - 1) layers, not \(layers.count)")
    for (index, layer) in layers.enumerated() {
      precondition(
        layer.kernel.shape == [channels[index + 1], channels[index], 4, 4],
        "layer \(index) has kernel \(layer.kernel.shape)")
      let isHidden = index < layers.count - 1
      precondition(
        layer.bias?.count == (isHidden && !normalises ? channels[index + 1] : nil),
        "the bias of layer \(index) does not fit its position")
      let normalised = normalises && isHidden && (index > 0 || normalisesFirst)
      precondition(
        layer.norm?.channels == (normalised ? channels[index + 1] : nil),
        "the normalisation of layer \(index) does not fit its position")
    }
    self.shape = shape
    self.normalisesFirst = normalisesFirst
    self.normalises = normalises
    self.layers = layers
  }

  /// A discriminator of the given layers, whose normalisations are those that the layers have.
  ///
  /// - Precondition: as for the other initialiser; the slope is ``leakySlope``.
  public init(shape: DCGANShape, layers: [LayerWeights], slope: Float) {
    precondition(slope == Float(Self.leakySlope), "a discriminator has slope \(Self.leakySlope)")
    // The first layer may lack a normalisation, the last one always does.
    self.init(
      shape: shape, normalisesFirst: layers[0].norm != nil, normalises: layers[1].norm != nil,
      layers: layers)
  }
}
