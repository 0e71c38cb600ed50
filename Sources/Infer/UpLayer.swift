internal import BollyGANCompute
internal import BollyGANKernels
import BollyGANModel

/// A hidden layer of a generator: a transposed convolution that doubles a map's side, with folded
/// batch normalisation and the rectifier that follows.
struct UpLayer: Sendable {
  let convolution: UpConvolution
  private let bias: FloatBuffer
  private let slope: Float

  /// The operator that is computed.
  var link: StridedLink { convolution.link }

  /// Folds and packs the weights.
  init(
    link: StridedLink, weights: LayerWeights, slope: Float, kernels: bg_kernels, workers: Workers
  ) {
    self.slope = slope
    convolution = UpConvolution(link: link, kernels: kernels)
    let fold = Fold(weights, outputs: link.fineChannels)
    bias = convolution.bias(fold.shift, kernels: kernels)
    convolution.fill(weights.kernel, scale: fold.scale, kernels: kernels, workers: workers)
  }

  /// Computes fine maps from the given coarse ones. Fine maps go to the beginning of `fine`; both
  /// are stored in chunks of channels.
  func run(from coarse: FloatBuffer, images: Range<Int>, to fine: FloatBuffer, in lane: Lane) {
    convolution.run(
      from: coarse, images: images, source: link.coarseChunkedLayout, to: fine,
      target: link.fineChunkedLayout, bias: bias, slope: slope, planes: lane.scratch.planes,
      scratch: lane.scratch.threads, kernels: lane.multiplier.kernels,
      workers: lane.multiplier.workers)
  }
}
