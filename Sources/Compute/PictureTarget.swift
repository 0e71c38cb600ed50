internal import BollyGANKernels

/// Where a generator's last layer writes its images, and in which form.
///
/// Creating a target is unsafe: its memory must have room for the images and outlive the call that
/// writes them.
@safe package enum PictureTarget {
  /// `[images, side, side, channels]`, 0…255.
  case bytes(UnsafeMutablePointer<UInt8>)
  /// `[images, channels, side, side]`, −1…1.
  case planar(UnsafeMutablePointer<Float>)
  /// Maps of the given layout, with or without the tanh.
  case map(UnsafeMutablePointer<Float>, MapLayout, tanh: Bool)

  /// A job for the kernels that still lacks weights and bias.
  @unsafe func job(
    _ link: StridedLink, from start: UnsafePointer<Float>, source: MapLayout
  ) -> bg_picture {
    var job = unsafe bg_picture(
      side: link.coarseSide, depth: link.coarseStride, channels: link.fineChannels,
      from: start, from_image: source.imageStride, from_row: source.rowStride,
      from_pixel: source.pixelStride, from_chunk: source.chunkStride,
      weights: nil, planes: nil, bias: nil, bytes: nil, planar: nil, map: nil,
      map_image: 0, map_row: 0, linear: 0, parts: 1)
    switch self {
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
  /// Parts that each image is cut into, so that even few images keep all threads busy.
  ///
  /// Two adjacent parts both compute the rows at their border, so there are no more parts than
  /// needed: enough for one task a thread if there are fewer images than threads, and for two
  /// otherwise.
  func pictureParts(images: Int, workers: Workers) -> Int {
    let wanted = images < workers.count ? workers.count : 2 * workers.count
    return max(1, min(coarseSide / 4, (wanted + images - 1) / images))
  }
}
