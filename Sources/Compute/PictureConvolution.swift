package import BollyGANKernels
package import BollyGANModel

/// `up` of a ``StridedLink`` from a map of many channels to an image of few, as a fast convolution
/// with bias and tanh.
///
/// This is the transpose of F(4x4, 2x2) as in ``UpConvolution``, with the channels of all four
/// parities side by side as the columns of one product (Winograd 1980; Lavin and Gray 2015,
/// arXiv:1509.09308).
package struct PictureConvolution: Sendable {
  /// The operator that is computed.
  package let link: StridedLink
  /// Transformed weights, `[25, coarseStride, columns]`.
  private let planes: FloatBuffer
  /// An addend for each channel.
  private let bias: FloatBuffer
  /// Columns of the product, padded to whole vectors.
  private let columns: Int

  /// Transforms the weights.
  ///
  /// - Parameters:
  ///   - kernel: `[coarseChannels, fineChannels, 4, 4]`.
  ///   - scale: A factor for each fine channel.
  ///   - bias: An addend for each fine channel.
  /// - Precondition: The link leads to an image, from a map whose side is a multiple of 4.
  package init(
    link: StridedLink, kernel: Tensor, scale: [Double], bias: [Float], kernels: bg_kernels
  ) {
    precondition(link.isNarrow && link.coarseSide.isMultiple(of: Int(BG_WIN_TILE)))
    self.link = link
    self.bias = FloatBuffer(bias)
    columns = bg_picture_columns(link.fineChannels, Int(kernels.lanes))
    planes = FloatBuffer(count: Int(BG_WIN_PLANES) * link.coarseStride * columns)
    unsafe bg_pack_picture(
      kernel.values, link.coarseChannels, link.fineChannels, scale, link.coarseStride, columns,
      planes.base)
  }

  /// Transformed values of all tiles of one image, for one channel.
  private var planeTiles: Int { Int(BG_WIN_PLANES) * UpConvolution.tiles(side: link.coarseSide) }

  /// Multiply-adds of the products for one image, including the padding of vectors.
  package var multiplyAdds: Int { planeTiles * link.coarseChannels * columns }

  /// Floats of intermediate planes that are written and read again, for one image.
  package var intermediateFloats: Int { planeTiles * (link.coarseStride + columns) }

  /// Floats of scratch memory that each thread needs.
  package func scratchFloats(kernels: bg_kernels) -> Int {
    bg_picture_floats(
      link.coarseSide, link.coarseStride, link.fineChannels, Int(kernels.lanes))
  }

  /// Computes images from maps.
  ///
  /// - Parameters:
  ///   - coarse: The maps.
  ///   - first: The index of the first map to read.
  ///   - source: The layout of the maps.
  ///   - target: Memory for `images` images.
  ///   - scratch: ``scratchFloats(kernels:)`` floats for each thread.
  /// - Precondition: All buffers are large enough.
  package func run(
    from coarse: FloatBuffer, at first: Int = 0, source: MapLayout, to target: PictureTarget,
    images: Int, scratch: [FloatBuffer], kernels: bg_kernels, workers: Workers
  ) {
    precondition(
      first >= 0 && coarse.count >= (first + images) * source.imageStride
        && source.imageStride >= link.coarseChunkedLayout.imageStride
        && scratch.count >= workers.count
        && scratch.allSatisfy { $0.count >= scratchFloats(kernels: kernels) },
      "a buffer is too small")
    var job = unsafe target.job(
      link, from: coarse.base + first * source.imageStride + source.origin, source: source)
    unsafe job.planes = UnsafePointer(planes.base)
    unsafe job.bias = UnsafePointer(bias.base)
    unsafe job.parts = workers.count == 1 ? 1 : link.pictureParts(images: images, workers: workers)
    let tasks = unsafe images * job.parts
    unsafe withUnsafePointer(to: &job) { job in
      workers.run(tasks) { task, thread in
        unsafe kernels.fast_picture(job, task, scratch[thread].base)
      }
    }
  }
}
