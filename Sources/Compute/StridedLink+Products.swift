package import BollyGANKernels

/// A link as matrix products, for the links that are not fast convolutions: rows are the windows of
/// a map, gathered for the kernels.
extension StridedLink {
  // MARK: Weights

  /// Room for the weights of ``up(_:from:to:margin:bias:rectify:)``: one operand for each of the
  /// four phases, or a single one for a link between points and 4x4 maps.
  package func upPanels(kernels: bg_kernels) -> [Panels] {
    if isPoint {
      return [Panels(depth: coarseStride, columns: weightStride, kernels: kernels)]
    }
    return (0..<4).map { _ in
      Panels(depth: 4 * coarseStride, columns: fineStride, kernels: kernels)
    }
  }

  /// Room for the weights of ``down(_:from:to:margin:)``.
  package func downPanels(kernels: bg_kernels) -> Panels {
    Panels(depth: weightStride, columns: coarseStride, kernels: kernels)
  }

  /// The tap row (or column) through which fine pixels of a parity read coarse row (or column)
  /// `position + parity - 1 + step`, where `step` is 0 or 1.
  static func tap(parity: Int, step: Int) -> Int { 3 - parity - 2 * step }

  /// Packs weights in the layout of training, `[coarseChannels, 4, 4, fineStride]`, for `up`.
  @unsafe package func fillUp(
    _ panels: [Panels], from weights: UnsafePointer<Float>, workers: Workers
  ) {
    let count = panels[0].count
    workers.run(panels.count * count) { task, _ in
      let (phase, panel) = task.quotientAndRemainder(dividingBy: count)
      unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: coarseChannels) { offsets in
        // The taps of a phase follow one another in depth; a point sees all taps as columns.
        for tap in 0..<(isPoint ? 1 : 4) {
          let u = Self.tap(parity: phase / 2, step: tap / 2)
          let v = Self.tap(parity: phase % 2, step: tap % 2)
          let within = isPoint ? 0 : (4 * u + v) * fineStride
          for c in 0..<coarseChannels { unsafe offsets[c] = c * weightStride + within }
          unsafe panels[phase].copyRows(
            panel, from: weights, at: UnsafeBufferPointer(offsets), first: tap * coarseStride)
        }
      }
    }
  }

  /// Packs weights in the layout of training, `[coarseChannels, 4, 4, fineStride]`, for `down`.
  @unsafe package func fillDown(
    _ panels: Panels, from weights: UnsafePointer<Float>, workers: Workers
  ) {
    workers.run(panels.count) { panel, _ in
      unsafe panels.copyTransposed(
        panel, from: weights, stride: weightStride, rows: coarseChannels)
    }
  }

  // MARK: Products

  /// `up`, from coarse maps to fine ones that are not images.
  ///
  /// - Parameters:
  ///   - panels: From ``fillUp(_:from:workers:)``.
  ///   - coarse: The first coarse map. Maps have margin 1, points none.
  ///   - margin: The margin of fine maps.
  ///   - bias: A float for each column of `panels`, padded to whole panels.
  /// - Returns: One product for each of the panels.
  @unsafe package func up(
    _ panels: [Panels], from coarse: UnsafePointer<Float>, to fine: UnsafeMutablePointer<Float>,
    margin: Int, bias: UnsafePointer<Float>? = nil, rectify: Rectifier? = nil
  ) -> [MatrixProduct] {
    let layout = coarseLayout(margin: 1)
    let out = fineLayout(margin: margin)
    if isPoint {
      return unsafe [
        MatrixProduct(
          left: coarse, leftWalk: .images(of: layout), segments: 1, length: coarseStride,
          segmentStride: 0, panels: panels[0], bias: bias, out: fine,
          outWalk: .images(of: out), outRun: 4 * fineStride, outRunStride: out.rowStride,
          rectify: rectify)
      ]
    }
    return unsafe (0..<4).map { phase in
      let (r, s) = phase.quotientAndRemainder(dividingBy: 2)
      return unsafe MatrixProduct(
        left: coarse, leftWalk: layout.walk(row: r - 1, column: s - 1), segments: 2,
        length: 2 * coarseStride, segmentStride: layout.rowStride, panels: panels[phase],
        bias: bias, out: fine, outWalk: out.walk(step: 2, row: r, column: s), rectify: rectify)
    }
  }

  /// `down`, from fine maps to coarse ones.
  ///
  /// - Parameters:
  ///   - panels: From ``fillDown(_:from:workers:)``.
  ///   - fine: The first fine map. Maps have margin 1.
  ///   - margin: The margin of coarse maps.
  @unsafe package func down(
    _ panels: Panels, from fine: UnsafePointer<Float>, to coarse: UnsafeMutablePointer<Float>,
    margin: Int
  ) -> MatrixProduct {
    let layout = fineLayout(margin: 1)
    return unsafe MatrixProduct(
      left: fine, leftWalk: fineWalk(layout), segments: 4, length: 4 * fineStride,
      segmentStride: layout.rowStride, panels: panels, out: coarse,
      outWalk: coarseLayout(margin: margin).walk())
  }

  /// Where the 4x4 windows of fine maps begin, one for each coarse pixel.
  package func fineWalk(_ layout: MapLayout) -> PixelWalk {
    isPoint ? .images(of: layout) : layout.walk(step: 2, row: -1, column: -1)
  }
}
