package import BollyGANKernels
package import BollyGANModel

/// `up` of a ``StridedLink`` between maps of many channels, as a fast convolution.
///
/// The rows and columns of a fine map have two parities each, so it holds four maps of the coarse
/// map's size. The transpose of F(4x4, 2x2) computes what a tile of 4x4 coarse pixels adds to 5x5
/// pixels of each: 25 products where the definition has 64, on transformed inputs that all four
/// parities share (Winograd 1980; Lavin and Gray 2015, arXiv:1509.09308).
///
/// An output's sequence of roundings depends on its tiles alone, not on the batch or the threads.
package struct UpConvolution: Sendable {
  /// The operator that is computed.
  package let link: StridedLink
  /// `[4 parities, panels, coarseStride, 2, 2, width]`.
  private let taps: FloatBuffer
  /// Panels of fine channels.
  private let panels: Int

  /// Products of a tile, for one coarse and one fine channel: 25 for each of the four parities.
  package static let productsPerTile = 4 * Int(BG_WIN_PLANES)

  /// Whether a link can be computed this way.
  package static func suits(_ link: StridedLink) -> Bool {
    !link.isPoint && !link.isNarrow && link.coarseSide.isMultiple(of: Int(BG_WIN_TILE))
      && link.coarseSide <= Int(BG_WIN_SIDE)
  }

  /// A convolution whose weights are zeros until ``fill(_:scale:kernels:workers:)`` or
  /// ``fill(packed:kernels:workers:)``.
  ///
  /// - Precondition: ``suits(_:)``.
  package init(link: StridedLink, kernels: bg_kernels) {
    precondition(Self.suits(link))
    self.link = link
    let columns = Int(kernels.columns)
    panels = (link.fineStride + columns - 1) / columns
    taps = FloatBuffer(count: 16 * panels * link.coarseStride * columns)
  }

  /// The factor of all taps: the kernels leave out 1/9 in each dimension.
  package static let tapScale = 1.0 / 81

  /// Channels that a task packs.
  private static let chunk = Int(BG_CHANNEL_UNIT)

  /// Packs a kernel `[coarseChannels, fineChannels, 4, 4]`, each fine channel times its factor.
  package func fill(_ kernel: Tensor, scale: [Double], kernels: bg_kernels, workers: Workers) {
    let scale = scale.map { $0 * Self.tapScale }
    let columns = Int(kernels.columns)
    let size = 16 * link.fineChannels
    workers.run((link.coarseChannels + Self.chunk - 1) / Self.chunk) { task, _ in
      let first = task * Self.chunk
      // One channel at a time, so that half-precision weights are widened in the cache.
      for c in first..<min(first + Self.chunk, link.coarseChannels) {
        unsafe kernel.values(c * size..<(c + 1) * size).withUnsafeBufferPointer { channel in
          unsafe bg_pack_up(
            channel.baseAddress!, c, c + 1, link.fineChannels, scale, link.coarseStride, panels,
            columns, taps.base)
        }
      }
    }
  }

  /// Packs weights from their layout in training, `[coarseChannels, 4, 4, fineStride]`.
  @unsafe package func fill(
    packed weights: UnsafePointer<Float>, kernels: bg_kernels, workers: Workers
  ) {
    let columns = Int(kernels.columns)
    workers.run((link.coarseChannels + Self.chunk - 1) / Self.chunk) { task, _ in
      let first = task * Self.chunk
      unsafe bg_pack_up_rows(
        weights, first, min(first + Self.chunk, link.coarseChannels), link.fineStride,
        Self.tapScale, link.coarseStride, panels, columns, taps.base)
    }
  }

  /// A bias for the fine channels, padded to what the kernels read.
  package func bias(_ values: [Float], kernels: bg_kernels) -> FloatBuffer {
    FloatBuffer(
      values + [Float](repeating: 0, count: panels * Int(kernels.columns) - values.count))
  }

  /// Tiles of one image.
  package var tiles: Int { Self.tiles(side: link.coarseSide) }

  /// Tiles of one coarse map of the given side.
  package static func tiles(side: Int) -> Int {
    let across = side / Int(BG_WIN_TILE)
    return across * across
  }

  /// Multiply-adds of the products for one image.
  package var multiplyAdds: Int {
    Self.productsPerTile * tiles * link.coarseChannels * link.fineChannels
  }

  /// Floats of transformed inputs of `images` images.
  package func planeFloats(images: Int, kernels: bg_kernels) -> Int {
    let rows = (images * tiles).roundedUp(to: Int(kernels.rows))
    return Int(BG_WIN_PLANES) * (rows * link.coarseStride + Int(BG_WIN_PAD))
  }

  /// The most images that go through any layer of a generator in one pass.
  package static let mostImagesPerPass = 64

  /// Images that go through this layer in one pass. One transform of the weights serves
  /// `BG_WIN_ROWS` tiles, so a pass takes enough images to fill them.
  package var imagesPerPass: Int {
    max(1, min(Self.mostImagesPerPass, Int(BG_WIN_ROWS) / tiles))
  }

  /// Fine maps of more floats than this bypass the caches: 1 MiB, a core's own cache.
  private static let cached = 1 << 18

  /// Floats of scratch memory that each thread needs.
  package static func scratchFloats(kernels: bg_kernels) -> Int {
    bg_scratch_floats(Int(kernels.columns))
  }

  /// Computes fine maps from coarse ones.
  ///
  /// - Parameters:
  ///   - coarse: The coarse maps.
  ///   - images: Which of them to read. Their fine maps go to the beginning of `fine`.
  ///   - source: The layout of coarse maps.
  ///   - target: The layout of fine maps.
  ///   - bias: From ``bias(_:kernels:)``.
  ///   - slope: The factor of outputs below 0: 0 is ReLU.
  ///   - planes: Room for ``planeFloats(images:kernels:)``.
  ///   - scratch: ``scratchFloats(kernels:)`` floats for each thread.
  /// - Precondition: All buffers are large enough.
  package func run(
    from coarse: FloatBuffer, images: Range<Int>, source: MapLayout, to fine: FloatBuffer,
    target: MapLayout, bias: FloatBuffer, slope: Float, planes: FloatBuffer,
    scratch: [FloatBuffer], kernels: bg_kernels, workers: Workers
  ) {
    precondition(
      images.lowerBound >= 0 && coarse.count >= images.upperBound * source.imageStride
        && source.imageStride >= link.coarseChunkedLayout.imageStride
        && fine.count >= images.count * target.imageStride
        && target.imageStride >= link.fineChunkedLayout.imageStride
        && bias.count >= panels * Int(kernels.columns)
        && planes.count >= planeFloats(images: images.count, kernels: kernels)
        && scratch.count >= workers.count
        && scratch.allSatisfy { $0.count >= Self.scratchFloats(kernels: kernels) },
      "a buffer is too small")
    unsafe run(
      from: coarse.base + images.lowerBound * source.imageStride, source: source, to: fine.base,
      target: target, images: images.count, bias: bias, slope: slope, streams: true,
      planes: planes, scratch: scratch, kernels: kernels, workers: workers)
  }

  /// Computes fine maps from coarse ones, which may have margins.
  ///
  /// - Parameters:
  ///   - coarse: Where the first coarse map begins, including its margin.
  ///   - source: The layout of coarse maps.
  ///   - fine: Where the first fine map begins, including its margin.
  ///   - target: The layout of fine maps.
  ///   - bias: From ``bias(_:kernels:)``; nil for none.
  ///   - slope: The factor of outputs below 0: 0 is ReLU, 1 is none.
  ///   - streams: Fine maps that exceed a core's own cache bypass it. They and their rows must then
  ///     begin at a cache line.
  ///   - planes: Room for ``planeFloats(images:kernels:)``.
  ///   - scratch: ``scratchFloats(kernels:)`` floats for each thread.
  @unsafe package func run(
    from coarse: UnsafePointer<Float>, source: MapLayout, to fine: UnsafeMutablePointer<Float>,
    target: MapLayout, images: Int, bias: FloatBuffer? = nil, slope: Float = 1,
    streams: Bool = false, planes: FloatBuffer, scratch: [FloatBuffer], kernels: bg_kernels,
    workers: Workers
  ) {
    let count = images * tiles
    let rows = Int(count <= Int(kernels.small_job_tiles) ? kernels.row_step : kernels.rows)
    let groups = (count + rows - 1) / rows
    let parts = max(1, min(images, workers.count / panels))
    var job = unsafe bg_up(
      images: images, side: link.coarseSide, depth: link.coarseStride, columns: link.fineStride,
      from: coarse + source.origin, from_image: source.imageStride, from_row: source.rowStride,
      from_pixel: source.pixelStride, from_chunk: source.chunkStride, to: fine + target.origin,
      to_image: target.imageStride, to_row: target.rowStride, to_pixel: target.pixelStride,
      to_chunk: target.chunkStride, taps: taps.base,
      bias: bias.map { unsafe UnsafePointer($0.base) }, slope: slope, planes: planes.base,
      parts: parts, streams: streams && images * target.imageStride > Self.cached ? 1 : 0)
    unsafe withUnsafePointer(to: &job) { job in
      workers.run(groups) { task, _ in unsafe kernels.up_input(job, task) }
      workers.run(4 * panels * parts) { task, thread in
        unsafe kernels.up_output(job, task, scratch[thread].base)
      }
    }
  }
}
