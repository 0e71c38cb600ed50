package import BollyGANKernels
import BollyGANModel

/// The last layer of a generator: a transposed convolution to a picture's few channels, a bias, and
/// tanh.
///
/// Each pixel of the map is multiplied with all sixteen taps at once, a dense product of 16 · channels
/// columns; then the pictures' rows are added up from what the pixels give to them.
package struct PictureLayer: Sendable {
  let link: StridedLink
  private let weights: FloatBuffer
  private let bias: FloatBuffer

  init(link: StridedLink, weights: LayerWeights) {
    precondition(link.isNarrow)
    self.link = link
    let fold = Fold(weights, outputs: link.fineChannels)
    bias = FloatBuffer(fold.shift)
    let columns = 16 * link.fineChannels
    self.weights = FloatBuffer(count: link.coarseStride * columns)
    let values = weights.kernel.values
    for c in 0..<link.coarseChannels {
      for d in 0..<link.fineChannels {
        for tap in 0..<16 {
          let value = values[(c * link.fineChannels + d) * 16 + tap]
          unsafe self.weights.base[c * columns + tap * link.fineChannels + d] =
            Float(Double(value) * fold.scale[d])
        }
      }
    }
  }

  /// Without bias, and with weights that are all zeros until ``fill(packed:)``.
  package init(link: StridedLink) {
    precondition(link.isNarrow)
    self.link = link
    bias = FloatBuffer(count: link.fineChannels)
    weights = FloatBuffer(count: link.coarseStride * link.weightStride)
  }

  /// Takes weights as they lie in training, `[coarseChannels, 4, 4, fineChannels]`.
  @unsafe package func fill(packed weights: UnsafePointer<Float>) {
    unsafe self.weights.base.update(from: weights, count: link.weightCount)
  }

  /// Multiply-adds for one picture.
  var multiplyAdds: Int {
    16 * link.coarseSide * link.coarseSide * link.coarseChannels * link.fineChannels
  }

  /// Floats of a thread's own memory.
  package func scratchFloats(kernels: bg_kernels) -> Int {
    let (side, channels, rows) = (link.coarseSide, link.fineChannels, Int(unsafe kernels.rows))
    return (side + rows) * link.coarseStride + 2 * side * channels
      + 2 * (side + 2 + rows) * 16 * channels
  }

  /// Where pictures go: bytes `[images, side, side, channels]`, floats `[images, channels, side,
  /// side]`, or a map, where tanh may be left out.
  @unsafe package enum Target {
    case bytes(UnsafeMutablePointer<UInt8>)
    case planar(UnsafeMutablePointer<Float>)
    case map(UnsafeMutablePointer<Float>, MapLayout, tanh: Bool)
  }

  /// From maps with the given margin to pictures.
  ///
  /// - Parameters:
  ///   - first: The map to begin with.
  ///   - before: Makes the map of a picture, on the thread that then reads it.
  @unsafe package func run(
    from coarse: FloatBuffer, at first: Int = 0, coarseMargin: Int, to target: Target, images: Int,
    scratch: [FloatBuffer], kernels: bg_kernels, workers: Workers,
    before: ((_ image: Int) -> Void)? = nil
  ) {
    let source = link.coarseLayout(margin: coarseMargin)
    // Each part computes the products of two rows more than it has.
    let parts = max(1, min(link.coarseSide / 4, (2 * workers.count + images - 1) / images))
    var job = unsafe bg_picture(
      side: link.coarseSide, depth: link.coarseStride, channels: link.fineChannels,
      from: coarse.base + first * source.imageStride + source.origin,
      from_image: source.imageStride,
      from_row: source.rowStride, weights: weights.base, bias: bias.base, bytes: nil, planar: nil,
      map: nil, map_image: 0, map_row: 0, linear: 0,
      parts: workers.count == 1 || before != nil ? 1 : parts)
    switch unsafe target {
    case .bytes(let start): unsafe job.bytes = start
    case .planar(let start): unsafe job.planar = start
    case .map(let start, let layout, let tanh):
      unsafe job.map = start + layout.origin
      unsafe job.map_image = layout.imageStride
      unsafe job.map_row = layout.rowStride
      unsafe job.linear = tanh ? 0 : 1
    }
    let tasks = unsafe images * job.parts
    unsafe withUnsafePointer(to: &job) { job in
      workers.run(tasks) { task, thread in
        before?(task)
        unsafe kernels.picture(job, task, scratch[thread].base)
      }
    }
  }
}
