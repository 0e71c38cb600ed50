package import BollyGANKernels

/// `up` of a ``StridedLink`` from a map of many channels to an image's few, summed directly, as
/// training needs it: weights change with every step, so transforming them would not pay.
///
/// Each pixel of the map is multiplied with all sixteen taps at once, and the rows of the images are
/// added up from those products.
package struct DirectPicture: Sendable {
  package let link: StridedLink
  private let weights: FloatBuffer
  private let bias: FloatBuffer

  /// Without bias, and with weights that are all zeros until ``fill(packed:)``.
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

  /// Floats of scratch memory that each thread needs.
  package func scratchFloats(kernels: bg_kernels) -> Int {
    let (side, depth, channels) = (link.coarseSide, link.coarseStride, link.fineChannels)
    let rows = Int(unsafe kernels.rows)
    return (side + rows) * depth + 2 * side * channels + 2 * (side + 2 + rows) * 16 * channels
  }

  /// Computes images from maps.
  ///
  /// - Parameters:
  ///   - coarse: the maps, laid out as `source` says.
  ///   - scratch: ``scratchFloats(kernels:)`` floats for each thread.
  ///   - before: makes the map of an image, on the thread that reads it next.
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
        unsafe kernels.picture(job, task, scratch[thread].base)
      }
    }
  }
}
