/// The four tensors of a batch normalisation, with one value per channel.
///
/// - SeeAlso: Ioffe and Szegedy 2015 (arXiv:1502.03167).
public struct NormWeights: Equatable, Sendable {
  /// Factor applied after normalising (`weight`, gamma).
  public var scale: [Float]
  /// Addend applied after scaling (`bias`, beta).
  public var shift: [Float]
  /// Moving average of the means seen in training.
  public var runningMean: [Float]
  /// Moving average of the unbiased variances seen in training; never negative.
  public var runningVariance: [Float]
  /// Number of steps in the moving averages (`num_batches_tracked`).
  public var batchesTracked: Int

  /// Added to the variance before the square root, as in PyTorch.
  public static let epsilon = 1e-5
  /// Weight of the newest batch in the moving averages, as in PyTorch.
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
  /// A normalisation that only adds: a kernel folded with it keeps every bit.
  ///
  /// Variance and epsilon add up to 1 within 2^-25, so their square root is off by at most 2^-26,
  /// which rounds away in a product with a float.
  package init(bias: [Float]) {
    self.init(channels: bias.count)
    shift = bias
    runningVariance = [Float](repeating: Float(1 - Self.epsilon), count: bias.count)
  }
}

/// One layer with weights: a 4x4 (transposed) convolution, followed by a batch normalisation or a
/// bias.
public struct LayerWeights: Equatable, Sendable {
  /// Shape `[in, out, 4, 4]` in a generator (transposed convolution), `[out, in, 4, 4]` in a
  /// discriminator (convolution).
  public var kernel: Tensor
  /// One addend per output channel, in a layer without normalisation; nil means zeros.
  ///
  /// Only two kinds of layer can have one: the last layer of a generator, and the hidden layers of
  /// a discriminator without any normalisation.
  public var bias: [Float]?
  /// The normalisation that follows, if there is one.
  public var norm: NormWeights?

  /// A layer of the given kernel, bias and normalisation.
  public init(kernel: Tensor, bias: [Float]? = nil, norm: NormWeights? = nil) {
    self.kernel = kernel
    self.bias = bias
    self.norm = norm
  }
}
