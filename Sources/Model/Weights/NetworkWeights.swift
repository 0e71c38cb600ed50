/// The four tensors of a batch normalisation, each of one value a channel.
///
/// - SeeAlso: Ioffe and Szegedy 2015 (arXiv:1502.03167).
public struct NormWeights: Equatable, Sendable {
  /// Factor after normalisation (`weight`, gamma).
  public var scale: [Float]
  /// Addend after normalisation (`bias`, beta).
  public var shift: [Float]
  /// Moving average of the means seen in training.
  public var runningMean: [Float]
  /// Moving average of the unbiased variances seen in training; never negative.
  public var runningVariance: [Float]
  /// Steps that the moving averages have seen (`num_batches_tracked`).
  public var batchesTracked: Int

  /// What is added to the variance before its root, in PyTorch and here.
  public static let epsilon = 1e-5
  /// Weight of the newest batch in the moving averages, in PyTorch and here.
  public static let momentum = 0.1

  /// The identity: scale 1, shift 0, mean 0, variance 1.
  public init(channels: Int) {
    scale = [Float](repeating: 1, count: channels)
    shift = [Float](repeating: 0, count: channels)
    runningMean = [Float](repeating: 0, count: channels)
    runningVariance = [Float](repeating: 1, count: channels)
    batchesTracked = 0
  }

  /// Number of channels.
  public var channels: Int { scale.count }
}

extension NormWeights {
  /// The normalisation that does nothing but add, to the last bit of a kernel folded with it.
  ///
  /// Variance and epsilon add up to 1 within 2^-25, so their root is off by 2^-26 at most, which
  /// rounds away in a product with a float.
  package init(bias: [Float]) {
    self.init(channels: bias.count)
    shift = bias
    runningVariance = [Float](repeating: Float(1 - Self.epsilon), count: bias.count)
  }
}

/// One layer with weights: a 4x4 (transposed) convolution and the batch normalisation or bias behind
/// it.
public struct LayerWeights: Equatable, Sendable {
  /// Shape `[in, out, 4, 4]` in a generator (transposed convolution), `[out, in, 4, 4]` in a
  /// discriminator (convolution).
  public var kernel: Tensor
  /// An addend for each output channel, in a layer without normalisation (whose shift is one already).
  /// Only the last layer of a generator and the hidden ones of a discriminator that normalises
  /// nothing have a place for it; nil is the same as zeros.
  public var bias: [Float]?
  /// The normalisation behind it, if there is one.
  public var norm: NormWeights?

  /// A layer of the given kernel and normalisation.
  public init(kernel: Tensor, bias: [Float]? = nil, norm: NormWeights? = nil) {
    self.kernel = kernel
    self.bias = bias
    self.norm = norm
  }
}

/// The weights of a DCGAN generator, from latent to picture.
///
/// Layer 0 is the projection of the latent to 4x4 (stride 1, padding 0), all others double the
/// side (stride 2, padding 1); every layer but the last is followed by batch normalisation and ReLU
/// (or LeakyReLU), the last by tanh.
public struct GeneratorWeights: Equatable, Sendable {
  /// The sizes; `discriminatorWidth` says nothing here.
  public let shape: DCGANShape
  /// `shape.doublings + 1` layers.
  public var layers: [LayerWeights]
  /// What the hidden activations make of negative numbers, 0 to 1: max(z, 0) + slope · min(z, 0). 0 is
  /// ReLU, as DCGANs have it and training knows it; others come from files of LeakyReLU generators.
  public var slope: Float

  /// - Precondition: the layers' kernels and normalisations fit the shape; the slope is 0 to 1.
  public init(shape: DCGANShape, layers: [LayerWeights], slope: Float = 0) {
    let channels = shape.generatorChannels
    precondition((0...1).contains(slope), "slope \(slope) is not from 0 to 1")
    precondition(layers.count == channels.count - 1, "a generator of this shape has other layers")
    for (index, layer) in layers.enumerated() {
      precondition(
        layer.kernel.shape == [channels[index], channels[index + 1], 4, 4],
        "layer \(index) has kernel \(layer.kernel.shape)")
      precondition(
        layer.norm?.channels == (index == layers.count - 1 ? nil : channels[index + 1]),
        "layer \(index) has another normalisation than its place asks for")
      precondition(
        layer.bias.map { index == layers.count - 1 && $0.count == channels[index + 1] } ?? true,
        "layer \(index) has a bias that does not fit its place")
    }
    self.shape = shape
    self.layers = layers
    self.slope = slope
  }

  /// What training here does not know of, if the generator has anything of it: it begins, and goes
  /// on, with ReLU, channels that halve, and no bias before the picture.
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

/// The weights of a DCGAN discriminator, from picture to score.
///
/// All layers but the last halve the side (stride 2, padding 1) and are followed by LeakyReLU(0.2);
/// the last takes 4x4 to one number (stride 1, padding 0), the logit before the sigmoid.
public struct DiscriminatorWeights: Equatable, Sendable {
  /// The sizes; `latent` and `generatorWidth` say nothing here.
  public let shape: DCGANShape
  /// Whether the first convolution is followed by batch normalisation (the article) or not (the
  /// tutorial).
  public let normalisesFirst: Bool
  /// Whether the hidden layers have batch normalisation, as a DCGAN's; where not, they have biases.
  public let normalises: Bool
  /// `shape.doublings + 1` layers.
  public var layers: [LayerWeights]

  /// - Precondition: the layers' kernels, biases and normalisations fit the shape; nothing normalises
  ///   the first where nothing normalises any.
  public init(
    shape: DCGANShape, normalisesFirst: Bool, normalises: Bool = true, layers: [LayerWeights]
  ) {
    precondition(normalises || !normalisesFirst, "the first layer alone is normalised")
    let channels = shape.discriminatorChannels
    precondition(
      layers.count == channels.count - 1, "a discriminator of this shape has other layers")
    for (index, layer) in layers.enumerated() {
      precondition(
        layer.kernel.shape == [channels[index + 1], channels[index], 4, 4],
        "layer \(index) has kernel \(layer.kernel.shape)")
      let isHidden = index < layers.count - 1
      precondition(
        layer.bias?.count == (isHidden && !normalises ? channels[index + 1] : nil),
        "layer \(index) has another bias than its place asks for")
      let normalised = normalises && isHidden && (index > 0 || normalisesFirst)
      precondition(
        layer.norm?.channels == (normalised ? channels[index + 1] : nil),
        "layer \(index) has another normalisation than its place asks for")
    }
    self.shape = shape
    self.normalisesFirst = normalisesFirst
    self.normalises = normalises
    self.layers = layers
  }
}

extension DiscriminatorWeights {
  /// The same function with a normalisation in each hidden layer: where there are biases, one that
  /// does nothing but add them.
  package var withNorms: DiscriminatorWeights {
    guard !normalises else { return self }
    return DiscriminatorWeights(
      shape: shape, normalisesFirst: true,
      layers: layers.map { layer in
        LayerWeights(kernel: layer.kernel, norm: layer.bias.map { NormWeights(bias: $0) })
      })
  }
}
