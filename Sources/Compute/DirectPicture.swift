package import BollyGANKernels

/// `up` of a ``StridedLink`` from a map of many channels to an image of few, summed as in the
/// definition.
///
/// This is for training, where weights change at every step, so transforming them would not pay.
/// Each pixel of the map is multiplied by all sixteen taps at once, and the products are added up
/// to rows of the images.
package struct DirectPicture: Sendable {
  /// The operator that is computed.
  package let link: StridedLink
  /// `[coarseStride, 4, 4, fineChannels]`.
  private let weights: FloatBuffer
  /// Zeros.
  private let bias: FloatBuffer

  /// A layer without bias, whose weights are zeros until ``fill(packed:)``.
  ///
  /// - Precondition: The link leads to an image.
  package init(link: StridedLink) {
    precondition(link.isNarrow)
    self.link = link
    bias = FloatBuffer(count: link.fineChannels)
    weights = FloatBuffer(count: link.coarseStride * link.weightStride)
  }

  /// Copies weights from their layout in training, `[coarseChannels, 4, 4, fineChannels]`.
  @unsafe package func fill(packed weights: UnsafePointer<Float>) {
    unsafe self.weights.base.update(from: weights, count: link.weightCount)
  }

  /// Floats of scratch memory that each thread needs: packed inputs, a row of the image, and two
  /// rows of products between pixels of zeros.
  package func scratchFloats(kernels: bg_kernels) -> Int {
    let (side, depth, channels) = (link.coarseSide, link.coarseStride, link.fineChannels)
    let rows = Int(kernels.rows)
    return (side + rows) * depth + 2 * side * channels + 2 * (side + 2 + rows) * 16 * channels
  }

  /// Computes images from maps.
  ///
  /// - Parameters:
  ///   - coarse: The maps.
  ///   - source: The layout of the maps.
  ///   - target: Memory for `images` images.
  ///   - scratch: ``scratchFloats(kernels:)`` floats for each thread.
  ///   - before: Produces the map of an image, on the thread that reads it next.
  @unsafe package func run(
    from coarse: FloatBuffer, source: MapLayout, to target: PictureTarget, images: Int,
    scratch: [FloatBuffer], kernels: bg_kernels, workers: Workers,
    before: ((_ image: Int) -> Void)? = nil
  ) {
    var job = unsafe target.job(link, from: coarse.base + source.origin, source: source)
    unsafe job.weights = UnsafePointer(weights.base)
    unsafe job.bias = UnsafePointer(bias.base)
    unsafe job.parts =
      workers.count == 1 || before != nil ? 1 : link.pictureParts(images: images, workers: workers)
    let tasks = unsafe images * job.parts
    unsafe withUnsafePointer(to: &job) { job in
      workers.run(tasks) { task, thread in
        before?(task)
        unsafe kernels.direct_picture(job, task, scratch[thread].base)
      }
    }
  }
}
