package import BollyGANKernels

/// `down` of a ``StridedLink`` between maps of many channels, and the gradient of its weights, as
/// fast convolutions.
///
/// The rows and columns of a fine map have two parities each, so it holds four maps of the coarse
/// map's size, and `down` is a convolution with 2x2 taps of all their channels together: F(4x4,
/// 2x2), with 25 products instead of 64 (Winograd 1980; Lavin and Gray 2015, arXiv:1509.09308). The
/// gradient of the taps is the same algorithm with its parts exchanged, F(2x2, 4x4).
package struct DownConvolution: Sendable {
  /// The operator that is computed.
  package let link: StridedLink
  /// `[panels, 4 parities, fineStride, 2, 2, width]`.
  private let taps: FloatBuffer
  /// Panels of coarse channels.
  private let panels: Int

  /// A convolution whose weights are zeros until ``fill(packed:kernels:workers:)``.
  ///
  /// - Precondition: ``UpConvolution/suits(_:)``.
  package init(link: StridedLink, kernels: bg_kernels) {
    precondition(UpConvolution.suits(link))
    self.link = link
    let columns = Int(kernels.columns)
    panels = (link.coarseStride + columns - 1) / columns
    taps = FloatBuffer(count: 16 * panels * link.fineStride * columns)
  }

  /// Channels of a chunk, which the gradient transforms together and a task packs.
  private static let chunk = Int(BG_CHANNEL_UNIT)

  /// Packs weights from their layout in training, `[coarseChannels, 4, 4, fineStride]`.
  @unsafe package func fill(
    packed weights: UnsafePointer<Float>, kernels: bg_kernels, workers: Workers
  ) {
    let columns = Int(kernels.columns)
    workers.run(link.fineStride / Self.chunk) { task, _ in
      unsafe bg_pack_down(
        weights, task * Self.chunk, (task + 1) * Self.chunk, link.coarseChannels,
        UpConvolution.tapScale, link.fineStride, panels, columns, taps.base)
    }
  }

  /// Tiles of one image.
  private var tilesPerImage: Int { UpConvolution.tiles(side: link.coarseSide) }

  /// Images that go through this layer in one pass. One transform of the weights serves
  /// `BG_WIN_ROWS` tiles, so a pass takes enough images to fill them.
  package var imagesPerPass: Int { max(1, Int(BG_WIN_ROWS) / tilesPerImage) }

  /// Floats of transformed maps of `images` images.
  package func planeFloats(images: Int, kernels: bg_kernels) -> Int {
    let rows = (images * tilesPerImage).roundedUp(to: Int(kernels.rows))
    return Int(BG_WIN_PLANES) * (rows * 4 * link.fineStride + Int(BG_WIN_PAD))
  }

  /// Computes coarse maps from fine ones, on the caller's thread.
  ///
  /// - Parameters:
  ///   - fine: The first fine map. Fine maps have margin 1.
  ///   - coarse: The first coarse map. Coarse maps have the given margin, which is not written.
  ///   - planes: Room for ``planeFloats(images:kernels:)``.
  ///   - scratch: ``UpConvolution/scratchFloats(kernels:)`` floats.
  @unsafe package func run(
    from fine: UnsafePointer<Float>, to coarse: UnsafeMutablePointer<Float>, margin: Int,
    images: Int, planes: FloatBuffer, scratch: FloatBuffer, kernels: bg_kernels
  ) {
    let source = link.fineLayout(margin: 1)
    let target = link.coarseLayout(margin: margin)
    let tiles = images * tilesPerImage
    let rows = Int(tiles <= Int(kernels.small_job_tiles) ? kernels.row_step : kernels.rows)
    var job = unsafe bg_down(
      images: images, side: link.coarseSide, depth: link.fineStride, columns: link.coarseStride,
      from: fine, from_image: source.imageStride, from_row: source.rowStride,
      to: coarse + target.origin, to_image: target.imageStride, to_row: target.rowStride,
      taps: taps.base, planes: planes.base, parts: 1)
    for task in 0..<4 * ((tiles + rows - 1) / rows) { unsafe kernels.down_input(&job, task) }
    for panel in 0..<panels { unsafe kernels.down_output(&job, panel, scratch.base) }
  }

  // MARK: Weight gradient

  /// Tiles whose products are summed before the sum is added to the gradient.
  private static let slice = Int(BG_WIN_SUM)

  /// Panels of fine channels, those of all four parities together.
  private func gradientPanels(_ kernels: bg_kernels) -> Int {
    4 * link.fineStride / Int(kernels.columns)
  }

  /// Chunks of coarse channels.
  private var chunks: Int { link.coarseStride / Self.chunk }

  /// Floats of the transformed values of `columns` channels, for a slice of tiles.
  private func planes(_ columns: Int) -> Int {
    Int(BG_WIN_PLANES) * (Self.slice * columns + Int(BG_WIN_PAD))
  }

  /// Floats of the room that each thread needs for
  /// ``gradient(_:coarse:coarseMargin:fine:images:into:accumulates:room:scratch:kernels:)``.
  package func gradientFloats(kernels: bg_kernels) -> Int {
    chunks * planes(Self.chunk) + planes(Int(kernels.columns))
  }

  /// Divides a gradient into blocks that threads compute independently.
  ///
  /// A block is a range of chunks of coarse channels and a range of panels of fine channels. Each
  /// thread transforms the maps that its blocks need, so the channels are cut into the ranges that
  /// need the fewest transforms.
  package func gradientBlocks(threads: Int, kernels: bg_kernels) -> [(
    chunks: Range<Int>, panels: Range<Int>
  )] {
    let panels = gradientPanels(kernels)
    let cuts = (1...min(threads, chunks)).map { rows in
      (rows: rows, columns: min(panels, (threads + rows - 1) / rows))
    }
    let best = cuts.min { a, b in
      func cost(_ cut: (rows: Int, columns: Int)) -> Int {
        // With fewer blocks than threads, some threads are idle and each block takes longer.
        let rounds = (threads + cut.rows * cut.columns - 1) / (cut.rows * cut.columns)
        return rounds * (cut.columns * link.coarseStride + cut.rows * 4 * link.fineStride)
      }
      return cost(a) < cost(b)
    }!
    return (0..<best.rows * best.columns).map { block in
      let (row, column) = block.quotientAndRemainder(dividingBy: best.columns)
      return (
        chunks * row / best.rows..<chunks * (row + 1) / best.rows,
        panels * column / best.columns..<panels * (column + 1) / best.columns
      )
    }
  }

  /// Computes a block of the gradient, over all pixels of all images, on the caller's thread.
  ///
  ///     gradient[c, u, v, d] = Σ coarse[i, j, c] · fine[2i + u − 1, 2j + v − 1, d]
  ///
  /// - Parameters:
  ///   - block: From ``gradientBlocks(threads:kernels:)``.
  ///   - coarseMargin: The margin of coarse maps. Fine maps have margin 1.
  ///   - gradient: `[coarseChannels, 4, 4, fineStride]`.
  ///   - accumulates: Adds to the gradient instead of overwriting it.
  ///   - room: ``gradientFloats(kernels:)`` floats.
  ///   - scratch: ``UpConvolution/scratchFloats(kernels:)`` floats.
  @unsafe package func gradient(
    _ block: (chunks: Range<Int>, panels: Range<Int>), coarse: UnsafePointer<Float>,
    coarseMargin: Int, fine: UnsafePointer<Float>, images: Int,
    into gradient: UnsafeMutablePointer<Float>, accumulates: Bool, room: FloatBuffer,
    scratch: FloatBuffer, kernels: bg_kernels
  ) {
    let coarseLayout = link.coarseLayout(margin: coarseMargin)
    let fineLayout = link.fineLayout(margin: 1)
    let tiles = images * tilesPerImage
    // All chunks are transformed once per slice of tiles and kept. Panels are transformed one at a
    // time, into `right`.
    let each = planes(Self.chunk)
    let right = unsafe room.base + block.chunks.count * each
    for first in stride(from: 0, to: tiles, by: Self.slice) {
      var job = unsafe bg_gradient(
        side: link.coarseSide, rows: link.coarseStride, wanted_rows: link.coarseChannels,
        columns: link.fineStride, coarse: coarse + coarseLayout.origin,
        coarse_image: coarseLayout.imageStride, coarse_row: coarseLayout.rowStride, fine: fine,
        fine_image: fineLayout.imageStride, fine_row: fineLayout.rowStride, first: first,
        tiles: min(Self.slice, tiles - first), gradient: gradient,
        accumulates: accumulates || first > 0 ? 1 : 0)
      for (place, chunk) in block.chunks.enumerated() {
        unsafe kernels.gradient_coarse(&job, chunk, room.base + place * each)
      }
      for panel in block.panels {
        unsafe kernels.gradient_fine(&job, panel, right)
        for (place, chunk) in block.chunks.enumerated() {
          unsafe kernels.gradient_output(
            &job, chunk, room.base + place * each, panel, right, scratch.base)
        }
      }
    }
  }
}
