package import BollyGANKernels
package import BollyGANModel

/// `up` of a ``StridedLink`` between maps of many channels, as a fast convolution.
///
/// A fine map is four maps of the coarse one's size, by the parities of its rows and columns. What a tile
/// of 4x4 coarse pixels adds to 5x5 pixels of each is computed by the transpose of F(4x4, 2x2): 25 products
/// where the definition has 64, of planes that all four share (Winograd 1980; Lavin and Gray 2015,
/// arXiv:1509.09308). The sequence of roundings that makes an output is that of its tiles, whatever
/// the batch and the threads.
package struct UpConvolution: Sendable {
  package let link: StridedLink
  private let taps: FloatBuffer
  private let panels: Int

  /// Products of a tile: 25 for each of four parities.
  package static let products = 4 * Int(BG_WIN_PLANES)

  /// Whether this is a way to compute the link.
  package static func suits(_ link: StridedLink) -> Bool {
    !link.isWhole && !link.isNarrow && link.coarseSide.isMultiple(of: Int(BG_WIN_TILE))
      && link.coarseSide <= Int(BG_WIN_SIDE)
  }

  package init(link: StridedLink, kernels: bg_kernels) {
    precondition(Self.suits(link))
    self.link = link
    let columns = Int(unsafe kernels.columns)
    panels = (link.fineStride + columns - 1) / columns
    taps = FloatBuffer(count: 16 * panels * link.coarseStride * columns)
  }

  /// The kernels want taps divided by 9 for each dimension.
  package static let tapScale = 1.0 / 81

  /// Takes a kernel `[coarseChannels, fineChannels, 4, 4]`, each fine channel times its factor.
  package func fill(_ kernel: Tensor, scale: [Double], kernels: bg_kernels, workers: Workers) {
    let scale = scale.map { $0 * Self.tapScale }
    let columns = Int(unsafe kernels.columns)
    let size = 16 * link.fineChannels
    workers.run((link.coarseChannels + Self.chunk - 1) / Self.chunk) { task, _ in
      let first = task * Self.chunk
      // One channel at a time, so that what a file has in half the width is widened in the cache.
      for c in first..<min(first + Self.chunk, link.coarseChannels) {
        unsafe kernel.values(c * size..<(c + 1) * size).withUnsafeBufferPointer { channel in
          unsafe bg_pack_up(
            channel.baseAddress!, c, c + 1, link.fineChannels, scale, link.coarseStride, panels,
            columns, taps.base)
        }
      }
    }
  }

  /// Takes weights as they lie in training, `[coarseChannels, 4, 4, fineStride]`.
  @unsafe package func fill(
    packed weights: UnsafePointer<Float>, kernels: bg_kernels, workers: Workers
  ) {
    let columns = Int(unsafe kernels.columns)
    workers.run((link.coarseChannels + Self.chunk - 1) / Self.chunk) { task, _ in
      let first = task * Self.chunk
      unsafe bg_pack_up_rows(
        weights, first, min(first + Self.chunk, link.coarseChannels), link.fineStride,
        Self.tapScale, link.coarseStride, panels, columns, taps.base)
    }
  }

  private static let chunk = Int(BG_CHANNEL_UNIT)

  /// Addends for the fine channels, as many as the kernels read.
  package func bias(_ values: [Float], kernels: bg_kernels) -> FloatBuffer {
    let bias = FloatBuffer(count: panels * Int(unsafe kernels.columns))
    for (d, value) in values.enumerated() { unsafe bias.base[d] = value }
    return bias
  }

  /// Tiles of one picture.
  package var tiles: Int { Self.tiles(side: link.coarseSide) }

  /// Tiles of a coarse map.
  package static func tiles(side: Int) -> Int {
    let across = side / Int(BG_WIN_TILE)
    return across * across
  }

  /// Multiply-adds of the products for one picture.
  package var multiplyAdds: Int { Self.products * tiles * link.coarseChannels * link.fineChannels }

  /// Floats of transformed inputs of `images` pictures.
  package func planeFloats(images: Int, kernels: bg_kernels) -> Int {
    let rows = (images * tiles).roundedUp(to: Int(unsafe kernels.rows))
    return Int(BG_WIN_PLANES) * (rows * link.coarseStride + Int(BG_WIN_PAD))
  }

  /// The most pictures that go through a layer together.
  package static let largestSweep = 64

  /// Pictures that go through this layer together: as many tiles as share one transform of the weights.
  package var sweep: Int { max(1, min(Self.largestSweep, Int(BG_WIN_ROWS) / tiles)) }

  /// Floats that a core's own cache has room for, 1 MiB.
  private static let cached = 1 << 18

  /// Floats of a thread's own memory.
  package static func scratchFloats(kernels: bg_kernels) -> Int {
    unsafe bg_scratch_floats(Int(kernels.columns))
  }

  /// From coarse maps to fine ones.
  ///
  /// - Parameters:
  ///   - coarse: Where the first coarse map begins, its margin included, and likewise the first fine one.
  ///   - source: How coarse maps lie.
  ///   - target: How fine ones do.
  ///   - bias: As ``bias(_:kernels:)`` gives it, or none.
  ///   - slope: What outputs below 0 are multiplied by: 0 for ReLU, 1 for none.
  ///   - streams: Whether fine maps go past the caches, where they are more than a core's own has room for.
  ///     Then they begin with a cache line, as do their rows.
  ///   - planes: Room for as many floats as ``planeFloats(images:kernels:)`` says.
  ///   - scratch: For each thread as many as ``scratchFloats(kernels:)``.
  @unsafe package func run(
    from coarse: UnsafePointer<Float>, source: MapLayout, to fine: UnsafeMutablePointer<Float>,
    target: MapLayout, images: Int, bias: FloatBuffer? = nil, slope: Float = 1,
    streams: Bool = false,
    planes: FloatBuffer, scratch: [FloatBuffer], kernels: bg_kernels, workers: Workers
  ) {
    let count = images * tiles
    let rows = Int(count <= Int(unsafe kernels.few) ? unsafe kernels.row_step : unsafe kernels.rows)
    let groups = (count + rows - 1) / rows
    let parts = max(1, min(images, workers.count / panels))
    var job = unsafe bg_up(
      images: images, side: link.coarseSide, depth: link.coarseStride, columns: link.fineStride,
      from: coarse + source.origin, from_image: source.imageStride, from_row: source.rowStride,
      from_pixel: source.pixelStride, from_chunk: source.chunkStride, to: fine + target.origin,
      to_image: target.imageStride, to_row: target.rowStride, to_pixel: target.pixelStride,
      to_chunk: target.chunkStride,
      taps: taps.base, bias: bias.map { unsafe UnsafePointer($0.base) }, slope: slope,
      planes: planes.base, parts: parts,
      streams: streams && images * target.imageStride > Self.cached ? 1 : 0)
    unsafe withUnsafePointer(to: &job) { job in
      workers.run(groups) { task, _ in unsafe kernels.up_input(job, task) }
      workers.run(4 * panels * parts) { task, thread in
        unsafe kernels.up_output(job, task, scratch[thread].base)
      }
    }
  }
}
