import BollyGANCompute
import BollyGANKernels
import BollyGANModel

/// One tensor that is trained: its numbers, their gradient and Adam's moments, all in the order in
/// which the loops read the weights. Places that only fill up stay zero in all four.
final class FastParameter {
  let weight: FloatBuffer
  let gradient: FloatBuffer
  let first: FloatBuffer
  let second: FloatBuffer

  init(count: Int) {
    weight = FloatBuffer(count: count)
    gradient = FloatBuffer(count: count)
    first = FloatBuffer(count: count)
    second = FloatBuffer(count: count)
  }

  /// Numbers that one task updates: enough to be worth handing out.
  static let slice = 1 << 16
}

/// What normalises one batch: the forward pass is `(x − mean) · factor + shift`.
final class BatchStatistics {
  let mean: FloatBuffer
  /// Scale divided by the deviation.
  let factor: FloatBuffer
  /// 1/√(variance + ε).
  var inverseRoot: [Double]

  init(channels: Int, stride: Int) {
    mean = FloatBuffer(count: stride)
    factor = FloatBuffer(count: stride)
    inverseRoot = [Double](repeating: 1, count: channels)
  }
}

/// A normalisation in training: parameters, running statistics, and what one pass leaves for the
/// way back.
///
/// - SeeAlso: Ioffe and Szegedy 2015 (arXiv:1502.03167), algorithm 1 and section 3.
final class FastNorm {
  let channels: Int
  let stride: Int
  /// What comes before the activation.
  enum Kind {
    /// Batch normalisation.
    case batch
    /// A bias, which is the shift; scale is 1.
    case bias
    /// Nothing: scale is 1, shift 0.
    case none
  }
  let kind: Kind
  var normalises: Bool { kind == .batch }
  let scale: FastParameter
  let shift: FastParameter
  var runningMean: [Float]
  var runningVariance: [Float]
  var batchesTracked = 0

  /// Those of the last batch, or of the one whose backward pass comes next.
  var statistics: BatchStatistics
  var mean: FloatBuffer { statistics.mean }
  var factor: FloatBuffer { statistics.factor }
  /// The pass back is `a · dz + b · (x − mean) + c0`.
  let a: FloatBuffer
  let b: FloatBuffer
  let c0: FloatBuffer

  init(channels: Int, stride: Int, kind: Kind) {
    self.channels = channels
    self.stride = stride
    self.kind = kind
    scale = FastParameter(count: stride)
    shift = FastParameter(count: stride)
    runningMean = [Float](repeating: 0, count: channels)
    runningVariance = [Float](repeating: 1, count: channels)
    statistics = BatchStatistics(channels: channels, stride: stride)
    a = FloatBuffer(count: stride)
    b = FloatBuffer(count: stride)
    c0 = FloatBuffer(count: stride)
    if kind != .batch {
      statistics.factor.fill(1)
      a.fill(1)
    }
  }

  /// Room for the statistics of another batch.
  func newStatistics() -> BatchStatistics {
    let statistics = BatchStatistics(channels: channels, stride: stride)
    if kind != .batch { statistics.factor.fill(1) }
    return statistics
  }

  func load(_ weights: NormWeights) {
    for c in 0..<channels {
      unsafe scale.weight.base[c] = weights.scale[c]
      unsafe shift.weight.base[c] = weights.shift[c]
    }
    runningMean = weights.runningMean
    runningVariance = weights.runningVariance
    batchesTracked = weights.batchesTracked
  }

  var weights: NormWeights {
    var weights = NormWeights(channels: channels)
    weights.scale = Array(scale.weight.array[..<channels])
    weights.shift = Array(shift.weight.array[..<channels])
    weights.runningMean = runningMean
    weights.runningVariance = runningVariance
    weights.batchesTracked = batchesTracked
    return weights
  }

  /// Takes in the statistics of a batch.
  func begin(_ moments: ChannelMoments, updatesRunning: Bool) {
    let (mean, deviation) = moments.joined()
    let count = moments.count
    let momentum = Double(NormWeights.momentum)
    for c in 0..<channels {
      let variance = deviation[c] / Double(count)
      let inverse = 1 / (variance + Double(NormWeights.epsilon)).squareRoot()
      statistics.inverseRoot[c] = inverse
      unsafe self.mean.base[c] = Float(mean[c])
      unsafe factor.base[c] = Float(Double(scale.weight.base[c]) * inverse)
      if updatesRunning {
        runningMean[c] = Float((1 - momentum) * Double(runningMean[c]) + momentum * mean[c])
        // One value has no unbiased variance; PyTorch refuses to train on it, a batch here is larger.
        let unbiased = deviation[c] / Double(max(1, count - 1))
        runningVariance[c] = Float(
          (1 - momentum) * Double(runningVariance[c]) + momentum * unbiased)
      }
    }
    if updatesRunning { batchesTracked += 1 }
  }

  /// Uses the running statistics as evaluation does.
  func beginEvaluation() {
    for c in 0..<channels {
      let inverse = 1 / (Double(runningVariance[c]) + Double(NormWeights.epsilon)).squareRoot()
      unsafe mean.base[c] = runningMean[c]
      unsafe factor.base[c] = Float(Double(scale.weight.base[c]) * inverse)
    }
  }

  /// Takes in what the gradient sums to.
  ///
  /// - Parameter accumulates: adds to the parameters' gradients; nil leaves them alone.
  func beginBackward(_ sums: NormGradientSums, accumulates: Bool?) {
    let (sum, product) = sums.joined()
    let count = sums.count
    for c in 0..<channels {
      guard normalises else {
        if let accumulates {
          unsafe shift.gradient.base[c] =
            (accumulates ? shift.gradient.base[c] : 0) + Float(sum[c])
        }
        continue
      }
      let inverse = statistics.inverseRoot[c]
      let gain = unsafe Double(scale.weight.base[c]) * inverse
      unsafe a.base[c] = Float(gain)
      unsafe b.base[c] = Float(-gain * inverse * inverse * product[c] / Double(count))
      unsafe c0.base[c] = Float(-gain * sum[c] / Double(count))
      if let accumulates {
        unsafe scale.gradient.base[c] =
          (accumulates ? scale.gradient.base[c] : 0) + Float(product[c] * inverse)
        unsafe shift.gradient.base[c] =
          (accumulates ? shift.gradient.base[c] : 0) + Float(sum[c])
      }
    }
  }
}

/// A link with its kernel, and the normalisation and activation behind it (none behind the last).
final class FastLayer {
  let link: StridedLink
  let kernel: FastParameter
  let norm: FastNorm?
  /// The way up, one of the three.
  let upPanels: [Panels]
  let upConvolution: UpConvolution?
  let picture: DirectPicture?
  /// The way down, one of the two.
  let downPanels: Panels?
  let downConvolution: DownConvolution?
  /// Passes forward sum nearly exactly, but for the generator's last layer, whose sums are short: a value that rounding takes across a rectifier's bend moves
  /// gradients by a thousand roundings, and a replay leaves its script (Documentation/Numerics.md).
  let forwardsPrecisely: Bool
  /// Nil where the kernel is used as it is.
  let spectral: FastSpectral?

  init(
    link: StridedLink, norm: FastNorm?, kernels: bg_kernels,
    convolutions: TrainingConfiguration.Convolutions, spectral: FastSpectral? = nil
  ) {
    self.link = link
    self.norm = norm
    self.spectral = spectral
    forwardsPrecisely = convolutions == .direct
    kernel = FastParameter(count: link.weightCount)
    if convolutions == .fast && UpConvolution.suits(link) {
      upConvolution = unsafe UpConvolution(link: link, kernels: kernels)
      downConvolution = unsafe DownConvolution(link: link, kernels: kernels)
      upPanels = []
      picture = nil
      downPanels = nil
    } else {
      upConvolution = nil
      downConvolution = nil
      picture = link.isNarrow ? DirectPicture(link: link) : nil
      upPanels = link.isNarrow ? [] : unsafe link.upPanels(kernels: kernels)
      downPanels = unsafe link.downPanels(kernels: kernels)
    }
  }

  func load(_ weights: LayerWeights) {
    link.packed(weights.kernel.values, into: kernel.weight)
    if let norm, let loaded = weights.norm { norm.load(loaded) }
    if let norm, let bias = weights.bias {
      for (c, value) in bias.enumerated() { unsafe norm.shift.weight.base[c] = value }
    }
  }

  func weights(kernelShape: [Int]) -> LayerWeights {
    LayerWeights(
      kernel: Tensor(shape: kernelShape, values: link.unpacked(kernel.weight)),
      bias: norm.flatMap { norm in
        norm.kind == .bias ? Array(norm.shift.weight.array[..<norm.channels]) : nil
      },
      norm: norm.flatMap { $0.normalises ? $0.weights : nil })
  }

  /// Its trained tensors in the order of a state_dict: kernel, bias; or kernel, scale, shift.
  var parameters: [FastParameter] {
    switch norm?.kind ?? .none {
    case .batch: [kernel, norm!.scale, norm!.shift]
    case .bias: [kernel, norm!.shift]
    case .none: [kernel]
    }
  }

  /// Puts the kernel, divided where it is to be, in the order of both products, after it changed.
  func refresh(_ loops: FastLoops) {
    let workers = loops.workers
    spectral?.normalise(kernel.weight)
    let used = spectral?.kernel ?? kernel.weight
    if let upConvolution, let downConvolution {
      unsafe upConvolution.fill(packed: used.base, kernels: loops.kernels, workers: workers)
      unsafe downConvolution.fill(packed: used.base, kernels: loops.kernels, workers: workers)
    } else if let downPanels {
      if let picture {
        unsafe picture.fill(packed: used.base)
      } else {
        unsafe link.fillUp(upPanels, from: used.base, workers: workers)
      }
      unsafe link.fillDown(downPanels, from: used.base, workers: workers)
    }
  }
}
