import BollyGANCompute
import BollyGANModel

/// How a forward pass normalised one batch: y = (x − mean) · factor + shift.
///
/// The backward pass of the same batch needs it, so each ``FastNetwork/Record`` holds its own.
final class BatchStatistics {
  let mean: FloatBuffer
  /// Scale divided by the standard deviation.
  let factor: FloatBuffer
  /// 1/√(variance + ε) of each channel.
  var inverseDeviation: [Double]

  init(channels: Int, stride: Int) {
    mean = FloatBuffer(count: stride)
    factor = FloatBuffer(count: stride)
    inverseDeviation = [Double](repeating: 1, count: channels)
  }
}

/// What comes between a layer's convolution and its activation: batch normalisation, a bias or
/// nothing.
///
/// All three are y = (x − mean) · factor + shift, so that the loops need not tell them apart.
///
/// - SeeAlso: Ioffe and Szegedy 2015 (arXiv:1502.03167), algorithm 1 and section 3.
final class FastNorm {
  enum Kind {
    /// Batch normalisation.
    case batch
    /// A bias, stored as the shift; mean is 0, factor 1.
    case bias
    /// Nothing: mean is 0, factor 1, shift 0.
    case identity
  }

  let kind: Kind
  /// The module's name in a state_dict (`main.1`).
  let name: String
  let channels: Int
  /// Floats from one pixel to the next.
  private let stride: Int
  let scale: FastParameter
  let shift: FastParameter
  private(set) var runningMean: [Float]
  private(set) var runningVariance: [Float]
  private var batchesTracked = 0

  /// Statistics of the last batch, or of the batch whose backward pass comes next.
  var statistics: BatchStatistics

  /// The backward pass is dx = a · dz + b · (x − mean) + addend, with dz the gradient of z, the
  /// activation's input. See ``beginBackward(_:accumulates:)``.
  let a: FloatBuffer
  let b: FloatBuffer
  let addend: FloatBuffer

  var normalises: Bool { kind == .batch }

  /// - Parameter module: number of the layer's kernel in the state_dict. A bias belongs to the same
  ///   module; a normalisation is the next module.
  init(kind: Kind, channels: Int, stride: Int, module: Int) {
    self.kind = kind
    self.channels = channels
    self.stride = stride
    name = "main.\(kind == .batch ? module + 1 : module)"
    scale = FastParameter(name: "\(name).weight", channels: channels, stride: stride)
    shift = FastParameter(name: "\(name).bias", channels: channels, stride: stride)
    runningMean = [Float](repeating: 0, count: channels)
    runningVariance = [Float](repeating: 1, count: channels)
    statistics = BatchStatistics(channels: channels, stride: stride)
    a = FloatBuffer(count: stride)
    b = FloatBuffer(count: stride)
    addend = FloatBuffer(count: stride)
    if kind != .batch {
      statistics.factor.fill(1)
      a.fill(1)
    }
  }

  /// The trained tensors in the order of a state_dict.
  var parameters: [FastParameter] {
    switch kind {
    case .batch: [scale, shift]
    case .bias: [shift]
    case .identity: []
    }
  }

  /// Memory for the statistics of another batch.
  func newStatistics() -> BatchStatistics {
    let statistics = BatchStatistics(channels: channels, stride: stride)
    if kind != .batch { statistics.factor.fill(1) }
    return statistics
  }

  // MARK: Weights

  /// Loads the parameters and running statistics of a batch normalisation.
  func load(_ weights: NormWeights) {
    scale.load(weights.scale, into: scale.weight)
    shift.load(weights.shift, into: shift.weight)
    runningMean = weights.runningMean
    runningVariance = weights.runningVariance
    batchesTracked = weights.batchesTracked
  }

  /// Parameters and running statistics; nil if nothing is normalised.
  var weights: NormWeights? {
    guard normalises else { return nil }
    var weights = NormWeights(channels: channels)
    weights.scale = scale.tensor(scale.weight).values
    weights.shift = shift.tensor(shift.weight).values
    weights.runningMean = runningMean
    weights.runningVariance = runningVariance
    weights.batchesTracked = batchesTracked
    return weights
  }

  // MARK: Forward

  /// Normalises by a batch's own statistics from now on.
  ///
  /// - Parameter updatesRunning: whether the running statistics are updated, the variance by its
  ///   unbiased estimate.
  func begin(_ moments: ChannelMoments, updatesRunning: Bool) {
    let (mean, squares) = moments.joined()
    let count = moments.count
    let momentum = Double(NormWeights.momentum)
    for c in 0..<channels {
      let inverse = 1 / (squares[c] / Double(count) + Double(NormWeights.epsilon)).squareRoot()
      statistics.inverseDeviation[c] = inverse
      statistics.mean[c] = Float(mean[c])
      statistics.factor[c] = Float(Double(scale.weight[c]) * inverse)
      if updatesRunning {
        runningMean[c] = Float((1 - momentum) * Double(runningMean[c]) + momentum * mean[c])
        // A single value has no unbiased variance. PyTorch refuses to train on it; batches here are
        // larger.
        let unbiased = squares[c] / Double(max(1, count - 1))
        runningVariance[c] = Float(
          (1 - momentum) * Double(runningVariance[c]) + momentum * unbiased)
      }
    }
    if updatesRunning { batchesTracked += 1 }
  }

  /// Normalises by the running statistics from now on, as in evaluation.
  func beginEvaluation() {
    for c in 0..<channels {
      let inverse = 1 / (Double(runningVariance[c]) + Double(NormWeights.epsilon)).squareRoot()
      statistics.mean[c] = runningMean[c]
      statistics.factor[c] = Float(Double(scale.weight[c]) * inverse)
    }
  }

  /// `to = act((from − mean) · factor + shift)` for part of a batch, on the caller's thread.
  ///
  /// - Parameters:
  ///   - from: maps without margin.
  ///   - to: maps with margin 1, of layout `target`.
  ///   - slope: the activation's slope where its input is negative.
  func activate(
    _ from: FloatBuffer, layout: MapLayout, to: FloatBuffer, target: MapLayout,
    images: Range<Int>, slope: Float, loops: FastLoops
  ) {
    for image in images {
      for row in 0..<layout.rows {
        let source = image * layout.imageStride + row * layout.rowStride
        let place = image * target.imageStride + target.origin + row * target.rowStride
        unsafe loops.kernels.normalise(
          layout.columns, layout.pixelStride, from.base + source, statistics.mean.base,
          statistics.factor.base, shift.weight.base, slope, to.base + place)
      }
    }
  }

  // MARK: Backward

  /// Computes the parameters' gradients and the constants of the gradient with respect to x.
  ///
  /// With n values in a channel, s = 1/√(variance + ε), and the sums Σdz and Σdz · (x − mean):
  ///
  ///     dshift = Σdz        dscale = s · Σdz · (x − mean)
  ///     a = scale · s       b = −a · s² · Σdz · (x − mean) / n       addend = −a · Σdz / n
  ///
  /// A bias has dshift alone; its a, b and addend stay 1, 0 and 0.
  ///
  /// - Parameter accumulates: true adds to the parameters' gradients, false overwrites them, nil
  ///   leaves them unchanged.
  func beginBackward(_ sums: NormGradientSums, accumulates: Bool?) {
    let (sum, product) = sums.joined()
    let count = sums.count
    func store(_ value: Double, into gradient: FloatBuffer, _ c: Int) {
      guard let accumulates else { return }
      gradient[c] = (accumulates ? gradient[c] : 0) + Float(value)
    }
    for c in 0..<channels {
      store(sum[c], into: shift.gradient, c)
      guard normalises else { continue }
      let inverse = statistics.inverseDeviation[c]
      let gain = Double(scale.weight[c]) * inverse
      store(product[c] * inverse, into: scale.gradient, c)
      a[c] = Float(gain)
      b[c] = Float(-gain * inverse * inverse * product[c] / Double(count))
      addend[c] = Float(-gain * sum[c] / Double(count))
    }
  }
}
