package import BollyGANKernels
import BollyGANModel

/// The last layer of a generator: a transposed convolution to a picture's few channels, a bias, and
/// tanh.
///
/// An engine takes it as a fast convolution, the transpose of F(4x4, 2x2), whose products have the channels
/// of all four parities for columns. Training sums directly: each pixel of the map is multiplied with all
/// sixteen taps at once, and the pictures' rows are added up from that.
package struct PictureLayer: Sendable {
  let link: StridedLink
  private let weights: FloatBuffer
  private let bias: FloatBuffer
  private let isFast: Bool
  /// Of its products.
  private let columns: Int

  /// As a fast convolution.
  init(link: StridedLink, weights: LayerWeights, kernels: bg_kernels) {
    precondition(link.isNarrow && link.coarseSide.isMultiple(of: Int(BG_WIN_TILE)))
    self.link = link
    isFast = true
    let fold = Fold(weights, outputs: link.fineChannels)
    bias = FloatBuffer(fold.shift)
    columns = bg_picture_columns(link.fineChannels, Int(unsafe kernels.lanes))
    let planes = FloatBuffer(count: Int(BG_WIN_PLANES) * link.coarseStride * columns)
    unsafe bg_pack_picture(
      weights.kernel.values, link.coarseChannels, link.fineChannels, fold.scale, link.coarseStride,
      columns, planes.base)
    self.weights = planes
  }

  /// Summed directly, without bias, and with weights that are all zeros until ``fill(packed:)``.
  package init(link: StridedLink) {
    precondition(link.isNarrow)
    self.link = link
    isFast = false
    columns = 16 * link.fineChannels
    bias = FloatBuffer(count: link.fineChannels)
    weights = FloatBuffer(count: link.coarseStride * link.weightStride)
  }

  /// Takes weights as they lie in training, `[coarseChannels, 4, 4, fineChannels]`.
  @unsafe package func fill(packed weights: UnsafePointer<Float>) {
    precondition(!isFast)
    unsafe self.weights.base.update(from: weights, count: link.weightCount)
  }

  /// Planes of all tiles of one picture, for a fast convolution.
  private var planes: Int { Int(BG_WIN_PLANES) * UpConvolution.tiles(side: link.coarseSide) }

  /// Multiply-adds of the products for one picture, as a fast convolution, with those that fill up vectors.
  var multiplyAdds: Int { planes * link.coarseChannels * columns }

  /// Floats that a fast convolution writes on its way and reads again, for one picture.
  var betweenFloats: Int { planes * (link.coarseStride + columns) }

  /// Floats of a thread's own memory.
  package func scratchFloats(kernels: bg_kernels) -> Int {
    let (side, depth, channels) = (link.coarseSide, link.coarseStride, link.fineChannels)
    if isFast { return unsafe bg_picture_floats(side, depth, channels, Int(kernels.lanes)) }
    let rows = Int(unsafe kernels.rows)
    return (side + rows) * depth + 2 * side * channels + 2 * (side + 2 + rows) * 16 * channels
  }

  /// Where pictures go: bytes `[images, side, side, channels]`, floats `[images, channels, side,
  /// side]`, or a map, where tanh may be left out.
  @unsafe package enum Target {
    case bytes(UnsafeMutablePointer<UInt8>)
    case planar(UnsafeMutablePointer<Float>)
    case map(UnsafeMutablePointer<Float>, MapLayout, tanh: Bool)
  }

  /// From maps to pictures.
  ///
  /// - Parameters:
  ///   - source: How maps lie.
  ///   - first: The map to begin with.
  ///   - before: Makes the map of a picture, on the thread that then reads it.
  @unsafe package func run(
    from coarse: FloatBuffer, at first: Int = 0, source: MapLayout, to target: Target, images: Int,
    scratch: [FloatBuffer], kernels: bg_kernels, workers: Workers,
    before: ((_ image: Int) -> Void)? = nil
  ) {
    // A part computes something of its neighbours' rows, so there are no more than it takes.
    let wanted = images < workers.count ? workers.count : 2 * workers.count
    let parts = max(1, min(link.coarseSide / 4, (wanted + images - 1) / images))
    var job = unsafe bg_picture(
      side: link.coarseSide, depth: link.coarseStride, channels: link.fineChannels,
      from: coarse.base + first * source.imageStride + source.origin,
      from_image: source.imageStride,
      from_row: source.rowStride, from_pixel: source.pixelStride, from_chunk: source.chunkStride,
      weights: isFast ? nil : weights.base,
      planes: isFast ? weights.base : nil, bias: bias.base, bytes: nil, planar: nil, map: nil,
      map_image: 0, map_row: 0, linear: 0,
      parts: workers.count == 1 || before != nil ? 1 : parts)
    switch unsafe target {
    case .bytes(let start): unsafe job.bytes = start
    case .planar(let start): unsafe job.planar = start
    case .map(let start, let layout, let tanh):
      unsafe (job.map, job.map_image, job.map_row, job.linear) =
        (start + layout.origin, layout.imageStride, layout.rowStride, tanh ? 0 : 1)
    }
    let tasks = unsafe images * job.parts
    unsafe withUnsafePointer(to: &job) { job in
      workers.run(tasks) { task, thread in
        before?(task)
        unsafe (isFast ? kernels.fast_picture : kernels.picture)(job, task, scratch[thread].base)
      }
    }
  }
}
