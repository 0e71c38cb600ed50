internal import BollyGANCompute
internal import BollyGANKernels
import BollyGANModel

/// A hidden layer of a generator: a transposed convolution that doubles a map, with its
/// normalisation folded in, and the rectifier behind it.
struct UpLayer: Sendable {
  let convolution: UpConvolution
  private let bias: FloatBuffer
  private let slope: Float

  var link: StridedLink { convolution.link }

  init(
    link: StridedLink, weights: LayerWeights, slope: Float, kernels: bg_kernels, workers: Workers
  ) {
    self.slope = slope
    convolution = unsafe UpConvolution(link: link, kernels: kernels)
    let fold = Fold(weights, outputs: link.fineChannels)
    bias = unsafe convolution.bias(fold.shift, kernels: kernels)
    unsafe convolution.fill(
      weights.kernel, scale: fold.scale, kernels: kernels, workers: workers)
  }

  /// From some of the coarse maps to the first of the fine ones, in chunks of channels.
  @unsafe func run(
    from coarse: FloatBuffer, images: Range<Int>, to fine: FloatBuffer, planes: FloatBuffer,
    scratch: [FloatBuffer], kernels: bg_kernels, workers: Workers
  ) {
    let first = images.lowerBound * link.coarseChunks.imageStride
    unsafe convolution.run(
      from: coarse.base + first, source: link.coarseChunks, to: fine.base, target: link.fineChunks,
      images: images.count, bias: bias, slope: slope, streams: true, planes: planes,
      scratch: scratch, kernels: kernels,
      workers: workers)
  }
}

/// Batch normalisation in evaluation mode as a factor and an addend for each channel:
/// `(x − mean) / √(variance + 1e-5) · scale + shift` is `x · factor + addend`.
struct Fold {
  var scale: [Double]
  var shift: [Float]

  init(_ weights: LayerWeights, outputs: Int) {
    guard let norm = weights.norm else {
      scale = Array(repeating: 1, count: outputs)
      shift = weights.bias ?? Array(repeating: 0, count: outputs)
      return
    }
    // In float64 and rounded once, so that folding costs half an ulp a weight.
    scale = (0..<outputs).map {
      Double(norm.scale[$0])
        / (Double(norm.runningVariance[$0]) + Double(NormWeights.epsilon)).squareRoot()
    }
    shift = zip(scale, 0..<outputs).map { scale, d in
      Float(Double(norm.shift[d]) - Double(norm.runningMean[d]) * scale)
    }
  }
}
