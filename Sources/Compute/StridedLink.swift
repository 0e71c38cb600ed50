package import BollyGANKernels
package import BollyGANModel

/// The linear operator between a coarse map and one of twice its side (kernel 4, stride 2, padding
/// 1), or between single points and a 4x4 map (kernel 4, stride 1, padding 0), with its adjoint.
///
/// With weights `w[c, u, v, d]`, c a channel of the coarse side and d one of the fine side:
///
///     up:    fine[p, q, d] = Σ coarse[i, j, c] · w[c, u, v, d]  where p = 2i + u − 1, q = 2j + v − 1
///     down:  coarse[i, j, c] = Σ fine[2i + u − 1, 2j + v − 1, d] · w[c, u, v, d]
///
/// A generator goes up through its links, a discriminator down, and gradients go the other way.
/// `up` falls apart into four phases: outputs of parity (r, s) see 2x2 of the taps.
package struct StridedLink: Equatable, Sendable {
  /// Side of the coarse map; 1 for the link between points and 4x4.
  package let coarseSide: Int
  package let coarseChannels: Int
  package let fineChannels: Int
  /// The fine side is a picture: its few channels lie packed.
  package let isNarrow: Bool

  package init(coarseSide: Int, coarseChannels: Int, fineChannels: Int, isNarrow: Bool = false) {
    precondition(!isNarrow || coarseSide > 1, "a picture has more than 4x4 pixels")
    self.coarseSide = coarseSide
    self.coarseChannels = coarseChannels
    self.fineChannels = fineChannels
    self.isNarrow = isNarrow
  }

  package var isWhole: Bool { coarseSide == 1 }
  package var fineSide: Int { isWhole ? 4 : 2 * coarseSide }

  package func coarseLayout(margin: Int) -> MapLayout {
    MapLayout(
      rows: coarseSide, columns: coarseSide, channels: coarseChannels, margin: isWhole ? 0 : margin)
  }

  package func fineLayout(margin: Int) -> MapLayout {
    MapLayout(
      rows: fineSide, columns: fineSide, channels: fineChannels, margin: margin, packed: isNarrow)
  }

  /// As the engine keeps them: without a margin, in chunks of channels.
  package var coarseChunks: MapLayout {
    MapLayout(
      rows: coarseSide, columns: coarseSide, channels: coarseChannels, margin: 0, inChunks: true)
  }

  package var fineChunks: MapLayout {
    MapLayout(
      rows: fineSide, columns: fineSide, channels: fineChannels, margin: 0, inChunks: true)
  }

  /// Floats from one fine pixel to the next, as weights hold them too.
  package var fineStride: Int { fineLayout(margin: 0).pixelStride }
  package var coarseStride: Int { coarseLayout(margin: 0).pixelStride }

  /// Weights lie as `[coarseChannels, 4, 4, fineStride]`.
  package var weightStride: Int { 16 * fineStride }
  package var weightCount: Int { coarseChannels * weightStride }

  // MARK: Weights in the order of the products

  package func upPanels(kernels: bg_kernels) -> [Panels] {
    if isWhole {
      return [unsafe Panels(depth: coarseStride, columns: weightStride, kernels: kernels)]
    }
    return (0..<4).map { _ in
      unsafe Panels(depth: 4 * coarseStride, columns: fineStride, kernels: kernels)
    }
  }

  package func downPanels(kernels: bg_kernels) -> Panels {
    unsafe Panels(depth: weightStride, columns: coarseStride, kernels: kernels)
  }

  /// The tap of phase `parity` that reads coarse row (or column) `position + parity - 1 + step`.
  static func tap(parity: Int, step: Int) -> Int { 3 - parity - 2 * step }

  @unsafe package func fillUp(
    _ panels: [Panels], from weights: UnsafePointer<Float>, workers: Workers
  ) {
    let count = panels[0].count
    workers.run(panels.count * count) { task, _ in
      let (phase, panel) = task.quotientAndRemainder(dividingBy: count)
      unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: coarseChannels) { offsets in
        for tap in 0..<(isWhole ? 1 : 4) {
          let u = Self.tap(parity: phase / 2, step: tap / 2)
          let v = Self.tap(parity: phase % 2, step: tap % 2)
          let within = isWhole ? 0 : (4 * u + v) * fineStride
          for c in 0..<coarseChannels { unsafe offsets[c] = c * weightStride + within }
          unsafe panels[phase].copyRows(
            panel, from: weights, at: UnsafeBufferPointer(offsets), first: tap * coarseStride)
        }
      }
    }
  }

  @unsafe package func fillDown(
    _ panels: Panels, from weights: UnsafePointer<Float>, workers: Workers
  ) {
    workers.run(panels.count) { panel, _ in
      unsafe panels.copyTransposed(
        panel, from: weights, stride: weightStride, rows: coarseChannels)
    }
  }

  // MARK: Products

  /// `up`: from a coarse map (margin 1 unless whole) to a fine one. To pictures ``PictureConvolution`` or ``DirectPicture`` goes.
  @unsafe package func up(
    _ panels: [Panels], from coarse: UnsafePointer<Float>, to fine: UnsafeMutablePointer<Float>,
    margin: Int, bias: UnsafePointer<Float>? = nil, rectify: Rectifier? = nil
  ) -> [Product] {
    let layout = coarseLayout(margin: 1)
    let out = fineLayout(margin: margin)
    if isWhole {
      return unsafe [
        Product(
          left: coarse, leftWalk: .images(of: layout), segments: 1, length: coarseStride,
          segmentStride: 0, panels: panels[0], bias: bias, out: fine,
          outWalk: .images(of: out), outRun: 4 * fineStride, outRunStride: out.rowStride,
          rectify: rectify)
      ]
    }
    return unsafe (0..<4).map { phase in
      let (r, s) = phase.quotientAndRemainder(dividingBy: 2)
      return unsafe Product(
        left: coarse, leftWalk: layout.walk(row: r - 1, column: s - 1), segments: 2,
        length: 2 * coarseStride, segmentStride: layout.rowStride, panels: panels[phase],
        bias: bias, out: fine, outWalk: out.walk(step: 2, row: r, column: s), rectify: rectify)
    }
  }

  /// `down`: from a fine map (margin 1) to a coarse one.
  @unsafe package func down(
    _ panels: Panels, from fine: UnsafePointer<Float>, to coarse: UnsafeMutablePointer<Float>,
    margin: Int
  ) -> Product {
    let layout = fineLayout(margin: 1)
    return unsafe Product(
      left: fine, leftWalk: fineWalk(layout), segments: 4, length: 4 * fineStride,
      segmentStride: layout.rowStride, panels: panels, out: coarse,
      outWalk: coarseLayout(margin: margin).walk())
  }

  /// Where the 4x4 windows of the fine map begin.
  package func fineWalk(_ layout: MapLayout) -> PixelWalk {
    isWhole ? .images(of: layout) : layout.walk(step: 2, row: -1, column: -1)
  }
}

extension StridedLink {
  /// The links of a generator from the latent on.
  package static func generator(_ shape: DCGANShape) -> [StridedLink] {
    let channels = shape.generatorChannels
    return (0...shape.doublings).map {
      StridedLink(
        coarseSide: $0 == 0 ? 1 : 2 << $0, coarseChannels: channels[$0],
        fineChannels: channels[$0 + 1], isNarrow: $0 == shape.doublings)
    }
  }

  /// The links of a discriminator from the picture on.
  package static func discriminator(_ shape: DCGANShape) -> [StridedLink] {
    let channels = shape.discriminatorChannels
    return (0...shape.doublings).map {
      StridedLink(
        coarseSide: $0 == shape.doublings ? 1 : shape.side >> ($0 + 1),
        coarseChannels: channels[$0 + 1], fineChannels: channels[$0], isNarrow: $0 == 0)
    }
  }

  /// A kernel `[C, D, 4, 4]` in the order in which weights lie here, `[C, 4, 4, fineStride]`.
  package func packed(_ kernel: [Float], into buffer: FloatBuffer) {
    precondition(kernel.count == coarseChannels * fineChannels * 16)
    precondition(buffer.count == weightCount)
    for c in 0..<coarseChannels {
      for d in 0..<fineChannels {
        for tap in 0..<16 {
          unsafe buffer.base[c * weightStride + tap * fineStride + d] =
            kernel[(c * fineChannels + d) * 16 + tap]
        }
      }
    }
  }

  /// The kernel `[C, D, 4, 4]` of weights that lie as `[C, 4, 4, fineStride]`.
  package func unpacked(_ buffer: FloatBuffer) -> [Float] {
    precondition(buffer.count == weightCount)
    var kernel = [Float](repeating: 0, count: coarseChannels * fineChannels * 16)
    for c in 0..<coarseChannels {
      for d in 0..<fineChannels {
        for tap in 0..<16 {
          kernel[(c * fineChannels + d) * 16 + tap] =
            unsafe buffer.base[c * weightStride + tap * fineStride + d]
        }
      }
    }
    return kernel
  }
}
