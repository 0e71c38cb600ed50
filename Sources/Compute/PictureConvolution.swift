package import BollyGANKernels
package import BollyGANModel

/// `up` of a ``StridedLink`` from a map of many channels to an image's few, as a fast convolution
/// with bias and tanh.
///
/// This is the transpose of F(4x4, 2x2) as in ``UpConvolution``, with the channels of all four
/// parities side by side as the columns of one product (Winograd 1980; Lavin and Gray 2015,
/// arXiv:1509.09308).
package struct PictureConvolution: Sendable {
  package let link: StridedLink
  private let planes: FloatBuffer
  private let bias: FloatBuffer
  /// Columns of the product, filled up to whole vectors.
  private let columns: Int

  /// Transforms the weights.
  ///
  /// - Parameters:
  ///   - kernel: `[coarseChannels, fineChannels, 4, 4]`.
  ///   - scale: a factor for each fine channel.
  ///   - bias: an addend for each fine channel.
  package init(
    link: StridedLink, kernel: Tensor, scale: [Double], bias: [Float], kernels: bg_kernels
  ) {
    precondition(link.isNarrow && link.coarseSide.isMultiple(of: Int(BG_WIN_TILE)))
    self.link = link
    self.bias = FloatBuffer(bias)
    columns = bg_picture_columns(link.fineChannels, Int(unsafe kernels.lanes))
    planes = FloatBuffer(count: Int(BG_WIN_PLANES) * link.coarseStride * columns)
    unsafe bg_pack_picture(
      kernel.values, link.coarseChannels, link.fineChannels, scale, link.coarseStride, columns,
      planes.base)
  }

  /// Transformed values of all tiles of one image, for one channel.
  private var planeTiles: Int { Int(BG_WIN_PLANES) * UpConvolution.tiles(side: link.coarseSide) }

  /// Multiply-adds of the products for one image, including the columns that only fill up vectors.
  package var multiplyAdds: Int { planeTiles * link.coarseChannels * columns }

  /// Floats of intermediate planes that are written and read again, for one image.
  package var intermediateFloats: Int { planeTiles * (link.coarseStride + columns) }

  /// Floats of scratch memory that each thread needs.
  package func scratchFloats(kernels: bg_kernels) -> Int {
    unsafe bg_picture_floats(
      link.coarseSide, link.coarseStride, link.fineChannels, Int(kernels.lanes))
  }

  /// Computes images from maps.
  ///
  /// - Parameters:
  ///   - coarse: the maps, laid out as `source` says.
  ///   - first: index of the first map to read.
  ///   - scratch: ``scratchFloats(kernels:)`` floats for each thread.
  @unsafe package func run(
    from coarse: FloatBuffer, at first: Int = 0, source: MapLayout, to target: PictureTarget,
    images: Int, scratch: [FloatBuffer], kernels: bg_kernels, workers: Workers
  ) {
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

/// Where a generator's last layer writes its images.
@unsafe package enum PictureTarget {
  /// `[images, side, side, channels]`, 0…255.
  case bytes(UnsafeMutablePointer<UInt8>)
  /// `[images, channels, side, side]`, −1…1.
  case planar(UnsafeMutablePointer<Float>)
  /// A map of the given layout, with or without the tanh.
  case map(UnsafeMutablePointer<Float>, MapLayout, tanh: Bool)

  /// A job for the kernels, without weights.
  @unsafe func job(
    _ link: StridedLink, from start: UnsafePointer<Float>, source: MapLayout
  ) -> bg_picture {
    var job = unsafe bg_picture(
      side: link.coarseSide, depth: link.coarseStride, channels: link.fineChannels,
      from: start, from_image: source.imageStride, from_row: source.rowStride,
      from_pixel: source.pixelStride, from_chunk: source.chunkStride,
      weights: nil, planes: nil, bias: nil, bytes: nil, planar: nil, map: nil,
      map_image: 0, map_row: 0, linear: 0, parts: 1)
    switch unsafe self {
    case .bytes(let start): unsafe job.bytes = start
    case .planar(let start): unsafe job.planar = start
    case .map(let start, let layout, let tanh):
      unsafe (job.map, job.map_image, job.map_row, job.linear) =
        (start + layout.origin, layout.imageStride, layout.rowStride, tanh ? 0 : 1)
    }
    return unsafe job
  }
}

extension StridedLink {
  /// Parts that an image is cut into, so that few images still keep all threads busy. Adjacent parts
  /// both compute the rows at their border, so there are no more parts than that requires.
  func pictureParts(images: Int, workers: Workers) -> Int {
    let wanted = images < workers.count ? workers.count : 2 * workers.count
    return max(1, min(coarseSide / 4, (wanted + images - 1) / images))
  }
}
