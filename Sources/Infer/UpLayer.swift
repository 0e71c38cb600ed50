internal import BollyGANKernels
import BollyGANModel

/// A hidden layer of a generator: a transposed convolution that doubles a map, with its
/// normalisation folded in, and the rectifier behind it.
///
/// Each of the four phases of the outputs is a convolution with 2x2 taps, computed in tiles of 4x4 by
/// F(4x4, 2x2): 25 products where the definition has 64 (Winograd 1980; Lavin and Gray 2015,
/// arXiv:1509.09308). The sequence of roundings that makes an output is that of its tile, whatever
/// the batch and the threads.
struct UpLayer: Sendable {
  let link: StridedLink
  private let taps: FloatBuffer
  private let bias: FloatBuffer
  private let slope: Float

  /// Products of a tile: 25 for each of four phases.
  static let planes = 4 * Int(BG_WIN_PLANES)

  init(
    link: StridedLink, weights: LayerWeights, slope: Float, kernels: bg_kernels, workers: Workers
  ) {
    precondition(!link.isWhole && !link.isNarrow && link.coarseSide % Int(BG_WIN_TILE) == 0)
    self.link = link
    self.slope = slope
    let columns = Int(unsafe kernels.columns)
    let panels = (link.fineStride + columns - 1) / columns
    taps = FloatBuffer(count: 16 * panels * link.coarseStride * columns)
    bias = FloatBuffer(count: panels * columns)
    let fold = Fold(weights, outputs: link.fineChannels)
    for d in 0..<link.fineChannels { unsafe bias.base[d] = fold.shift[d] }
    // The kernels want taps divided by 9 for each dimension.
    let scale = fold.scale.map { $0 / 81 }
    let chunk = Int(BG_CHANNEL_UNIT)
    let values = weights.kernel.values
    workers.run((link.coarseChannels + chunk - 1) / chunk) { task, _ in
      unsafe bg_pack_up(
        values, task * chunk, min((task + 1) * chunk, link.coarseChannels), link.fineChannels,
        scale, link.coarseStride, panels, columns, taps.base)
    }
  }

  /// Tiles of one picture.
  var tiles: Int {
    let across = link.coarseSide / Int(BG_WIN_TILE)
    return across * across
  }

  /// Multiply-adds of the products for one picture.
  var multiplyAdds: Int { Self.planes * tiles * link.coarseChannels * link.fineChannels }

  /// Floats of transformed inputs of `images` pictures.
  func planeFloats(images: Int, kernels: bg_kernels) -> Int {
    let rows = (images * tiles).roundedUp(to: Int(unsafe kernels.rows))
    return Self.planes * (rows * link.coarseStride + Int(BG_WIN_PAD))
  }

  /// The most pictures that go through a layer together.
  static let largestSweep = 32

  /// Pictures that go through this layer together: so many that reading its weights does not matter
  /// beside their transformed inputs, but no more, since these should stay in a cache.
  func sweep(kernels: bg_kernels) -> Int {
    let budget = max(3 << 20, link.weightCount * MemoryLayout<Float>.stride * 4 / 5)
    let each = unsafe planeFloats(images: 16, kernels: kernels) * MemoryLayout<Float>.stride / 16
    return max(1, min(Self.largestSweep, budget / each))
  }

  /// Floats of a thread's own memory.
  static func scratchFloats(kernels: bg_kernels) -> Int {
    let columns = Int(unsafe kernels.columns)
    let rows = Int(BG_WIN_SUM) + Int(BG_WIN_ROWS)
    return Int(BG_WIN_PLANES) * (rows * columns + 2 * Int(BG_WIN_PAD))
  }

  /// From some of the coarse maps to the first of the fine ones, both with margin 1.
  @unsafe func run(
    from coarse: FloatBuffer, images: Range<Int>, to fine: FloatBuffer, planes: FloatBuffer,
    scratch: [FloatBuffer], kernels: bg_kernels, workers: Workers
  ) {
    let source = link.coarseLayout(margin: 1)
    let target = link.fineLayout(margin: 1)
    let columns = Int(unsafe kernels.columns)
    let panels = (link.fineStride + columns - 1) / columns
    let count = images.count * tiles
    let rows = Int(count <= Int(unsafe kernels.few) ? unsafe kernels.row_step : unsafe kernels.rows)
    let groups = (count + rows - 1) / rows
    let parts = max(1, min(groups, workers.count / panels))
    var job = unsafe bg_up(
      images: images.count, side: link.coarseSide, depth: link.coarseStride,
      columns: link.fineStride, from: coarse.base + images.lowerBound * source.imageStride,
      from_image: source.imageStride, from_row: source.rowStride, to: fine.base + target.origin,
      to_image: target.imageStride, to_row: target.rowStride, taps: taps.base, bias: bias.base,
      slope: slope, planes: planes.base, parts: parts)
    unsafe withUnsafePointer(to: &job) { job in
      workers.run(4 * groups) { task, _ in unsafe kernels.up_input(job, task) }
      workers.run(4 * panels * parts) { task, thread in
        unsafe kernels.up_output(job, task, scratch[thread].base)
      }
    }
  }
}

/// Batch normalisation in evaluation mode as a factor and an addend for each channel:
/// `(x − mean) / √(variance + 1e-5) · scale + shift` is `x · factor + addend`.
struct Fold {
  var scale: [Double]
  var shift: [Float]

  init(_ weights: LayerWeights, outputs: Int) {
    guard let norm = weights.norm else {
      scale = Array(repeating: 1, count: outputs)
      shift = weights.bias ?? Array(repeating: 0, count: outputs)
      return
    }
    // In float64 and rounded once, so that folding costs half an ulp a weight.
    scale = (0..<outputs).map {
      Double(norm.scale[$0])
        / (Double(norm.runningVariance[$0]) + Double(NormWeights.epsilon)).squareRoot()
    }
    shift = zip(scale, 0..<outputs).map { scale, d in
      Float(Double(norm.shift[d]) - Double(norm.runningMean[d]) * scale)
    }
  }
}
