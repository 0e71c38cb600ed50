package import BollyGANKernels

/// `down` of a ``StridedLink`` between maps of many channels, and the gradient of its weights, as fast
/// convolutions.
///
/// A fine map is four maps of the coarse one's size, by the parities of rows and columns, and `down`
/// is a convolution with 2x2 taps from all their channels together: F(4x4, 2x2), with 25 products
/// instead of 64 (Winograd 1980; Lavin and Gray 2015, arXiv:1509.09308). The gradient of the taps is the
/// same algorithm with its parts exchanged, F(2x2, 4x4).
package struct DownConvolution: Sendable {
  package let link: StridedLink
  private let taps: FloatBuffer
  private let panels: Int

  /// - Precondition: ``UpConvolution/suits(_:)``.
  package init(link: StridedLink, kernels: bg_kernels) {
    precondition(UpConvolution.suits(link))
    self.link = link
    let columns = Int(unsafe kernels.columns)
    panels = (link.coarseStride + columns - 1) / columns
    taps = FloatBuffer(count: 16 * panels * link.fineStride * columns)
  }

  private static let chunk = Int(BG_CHANNEL_UNIT)

  /// Takes weights as they lie in training, `[coarseChannels, 4, 4, fineStride]`.
  @unsafe package func fill(packed weights: UnsafePointer<Float>, kernels: bg_kernels, workers: Workers) {
    let columns = Int(unsafe kernels.columns)
    workers.run(link.fineStride / Self.chunk) { task, _ in
      unsafe bg_pack_down(
        weights, task * Self.chunk, (task + 1) * Self.chunk, link.coarseChannels,
        UpConvolution.tapScale, link.fineStride, panels, columns, taps.base)
    }
  }

  private var tilesOfPicture: Int {
    let across = link.coarseSide / Int(BG_WIN_TILE)
    return across * across
  }

  /// Pictures that go through together: as many tiles as share one transform of the weights.
  package var sweep: Int { max(1, Int(BG_WIN_ROWS) / tilesOfPicture) }

  /// Floats of transformed maps of `images` pictures.
  package func planeFloats(images: Int, kernels: bg_kernels) -> Int {
    let rows = (images * tilesOfPicture).roundedUp(to: Int(unsafe kernels.rows))
    return Int(BG_WIN_PLANES) * (rows * 4 * link.fineStride + Int(BG_WIN_PAD))
  }

  /// From fine maps with margin 1 to coarse ones, on the caller's thread.
  ///
  /// - Parameters:
  ///   - fine: The first fine map.
  ///   - coarse: The first coarse map, with the given margin.
  ///   - planes: ``planeFloats(images:kernels:)`` floats.
  ///   - scratch: ``UpConvolution/scratchFloats(kernels:)`` floats.
  @unsafe package func run(
    from fine: UnsafePointer<Float>, to coarse: UnsafeMutablePointer<Float>, margin: Int,
    images: Int, planes: FloatBuffer, scratch: FloatBuffer, kernels: bg_kernels
  ) {
    let source = link.fineLayout(margin: 1)
    let target = link.coarseLayout(margin: margin)
    let tiles = images * tilesOfPicture
    let rows = Int(tiles <= Int(unsafe kernels.few) ? unsafe kernels.row_step : unsafe kernels.rows)
    var job = unsafe bg_down(
      images: images, side: link.coarseSide, depth: link.fineStride, columns: link.coarseStride,
      from: fine, from_image: source.imageStride, from_row: source.rowStride,
      to: coarse + target.origin, to_image: target.imageStride, to_row: target.rowStride,
      taps: taps.base,
      planes: planes.base, parts: 1)
    for task in 0..<4 * ((tiles + rows - 1) / rows) { unsafe kernels.down_input(&job, task) }
    for panel in 0..<panels { unsafe kernels.down_output(&job, panel, scratch.base) }
  }

  // MARK: Weight gradient

  /// Tiles whose products are summed before the sum joins the gradient.
  private static let slice = Int(BG_WIN_SUM)

  private func gradientPanels(_ kernels: bg_kernels) -> Int {
    4 * link.fineStride / Int(unsafe kernels.columns)
  }

  private var chunks: Int { link.coarseStride / Self.chunk }

  private func planes(_ columns: Int) -> Int {
    Int(BG_WIN_PLANES) * (Self.slice * columns + Int(BG_WIN_PAD))
  }

  /// Floats of a thread's room for ``gradient(_:coarse:coarseMargin:fine:images:into:accumulates:room:scratch:kernels:)``.
  package func gradientFloats(kernels: bg_kernels) -> Int {
    unsafe chunks * planes(Self.chunk) + planes(Int(kernels.columns))
  }

  /// Blocks of a gradient that threads compute each by itself, from maps that each transforms for
  /// itself. In how many ranges the rows and the columns are cut is what makes the least of these
  /// transforms.
  package func gradientBlocks(threads: Int, kernels: bg_kernels) -> [(
    chunks: Range<Int>, panels: Range<Int>
  )] {
    let panels = unsafe gradientPanels(kernels)
    let cuts = (1...min(threads, chunks)).map { rows in
      (rows: rows, columns: min(panels, (threads + rows - 1) / rows))
    }
    let best = cuts.min { a, b in
      func cost(_ cut: (rows: Int, columns: Int)) -> Int {
        // Blocks beyond the reach of both cuts are waited for.
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

  /// A block of `gradient[c, u, v, d] = Σ coarse[i, j, c] · fine[2i + u − 1, 2j + v − 1, d]`, over all
  /// pixels of all images, on the caller's thread.
  ///
  /// - Parameters:
  ///   - coarseMargin: of the coarse map; the fine one has margin 1.
  ///   - accumulates: adds to what stands in `gradient`.
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
    let tiles = images * tilesOfPicture
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
