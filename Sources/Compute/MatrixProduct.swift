package import BollyGANKernels

/// A matrix product whose left rows are gathered from a batch of maps and whose result rows are
/// written to pixels of another batch.
///
/// Row m of the left operand consists of `segments` runs of `length` floats, `segmentStride` apart;
/// the first begins at pixel m of `leftWalk`. Row m of the result goes to pixel m of `outWalk`,
/// with column n at `(n / outRun) · outRunStride + n % outRun`.
///
/// Each output's sum starts from its bias and adds the products in order of depth, independent of
/// the batch, the threads and the division into blocks.
@unsafe package struct MatrixProduct {
  /// The maps that left rows are gathered from.
  package var left: UnsafePointer<Float>
  /// Where left rows begin, counted from `left`.
  package var leftWalk: PixelWalk
  /// Runs of a left row.
  package var segments: Int
  /// Floats of a run.
  package var length: Int
  /// Floats from one run to the next.
  package var segmentStride: Int
  /// The right operand.
  package var panels: Panels
  /// The initial value of each column's sums, padded to whole panels; nil for zeros.
  package var bias: UnsafePointer<Float>?
  /// The maps that result rows are written to.
  package var out: UnsafeMutablePointer<Float>
  /// Where result rows go, counted from `out`.
  package var outWalk: PixelWalk
  /// Columns of a result row that are written side by side.
  package var outRun: Int
  /// Floats from one such run of columns to the next.
  package var outRunStride: Int
  /// The activation of the finished sums; nil for none.
  package var rectify: Rectifier?

  /// A product; without `outRun`, result rows are written without gaps.
  ///
  /// - Precondition: `segments · length` is the depth of `panels`.
  package init(
    left: UnsafePointer<Float>, leftWalk: PixelWalk, segments: Int, length: Int,
    segmentStride: Int, panels: Panels, bias: UnsafePointer<Float>? = nil,
    out: UnsafeMutablePointer<Float>, outWalk: PixelWalk, outRun: Int? = nil,
    outRunStride: Int = 0, rectify: Rectifier? = nil
  ) {
    precondition(segments * length == panels.depth, "rows and panels differ in depth")
    unsafe self.left = left
    unsafe self.leftWalk = leftWalk
    unsafe self.segments = segments
    unsafe self.length = length
    unsafe self.segmentStride = segmentStride
    unsafe self.panels = panels
    unsafe self.bias = bias
    unsafe self.out = out
    unsafe self.outWalk = outWalk
    unsafe self.outRun = outRun ?? panels.columns
    unsafe self.outRunStride = outRunStride
    unsafe self.rectify = rectify
  }
}

/// An activation that keeps positive numbers: max(z, 0) + slope · min(z, 0).
package struct Rectifier: Equatable, Sendable {
  /// The factor of negative numbers; 0 is ReLU.
  package let slope: Float

  /// A rectifier, ReLU by default.
  package init(slope: Float = 0) { self.slope = slope }
}

/// Computes matrix products on all threads.
@safe package final class Multiplier: @unchecked Sendable {
  // Sendable: each thread has its own scratch memory, and Workers runs one call at a time.

  /// The functions that compute the products.
  package let kernels: bg_kernels
  /// The threads that share the work.
  package let workers: Workers
  /// Each thread's block of gathered rows.
  private let scratch: [FloatBuffer]

  /// Rows gathered at a time. 96 rows of 1,024 floats stay in a cache of 1 MiB beside a panel, and
  /// 96 is a multiple of every level's tile.
  static let blockRows = 96

  /// A multiplier for an instruction set of this processor.
  package init(instructionSet: InstructionSet, workers: Workers) {
    kernels = instructionSet.kernels
    self.workers = workers
    scratch = (0..<workers.count).map { _ in
      // Kernels read whole tiles, so a block has room for one more.
      FloatBuffer(count: (Self.blockRows + Int(BG_MAX_ROWS)) * Int(BG_ROW_STRIDE))
    }
  }

  /// Computes `pixels` rows of each product.
  ///
  /// - Parameter inFloat64: Adds up sums of `BG_SHORT_SUM` products in float64 and rounds the total
  ///   to float32 every `BG_DEPTH_BLOCK` products. This is closer to the exact sum, but slower.
  /// - Precondition: A product in float64 has no rectifier.
  @unsafe package func run(_ products: [MatrixProduct], pixels: Int, inFloat64: Bool = false) {
    precondition(unsafe !inFloat64 || products.allSatisfy { unsafe $0.rectify == nil })
    let blocks = (pixels + Self.blockRows - 1) / Self.blockRows
    // A batch of one has too few rows to occupy all threads, so the panels are shared out as well.
    let panelCount = unsafe products.map { unsafe $0.panels.count }.max() ?? 0
    let productCount = unsafe products.count
    let wanted = 4 * workers.count
    let groups = max(1, min(panelCount, wanted / max(1, productCount * blocks)))
    workers.run(productCount * blocks * groups) { task, thread in
      let (block, rest) = task.quotientAndRemainder(dividingBy: productCount * groups)
      let (group, product) = rest.quotientAndRemainder(dividingBy: productCount)
      let count = unsafe products[product].panels.count
      let panels = (count * group / groups)..<(count * (group + 1) / groups)
      let first = block * Self.blockRows
      if !panels.isEmpty {
        unsafe run(
          products[product], rows: first..<min(first + Self.blockRows, pixels), panels: panels,
          inFloat64: inFloat64, scratch: scratch[thread])
      }
    }
  }

  /// Computes some rows and panels of a product: for each block of the depth, gathers the rows once
  /// and multiplies them by every panel, tile by tile.
  @unsafe private func run(
    _ product: MatrixProduct, rows: Range<Int>, panels: Range<Int>, inFloat64: Bool,
    scratch: FloatBuffer
  ) {
    let multiply = unsafe inFloat64 ? kernels.multiply_rows_float64! : kernels.multiply_rows!
    let count = rows.count
    let tileRows = Int(kernels.rows)
    let width = unsafe product.panels.width
    let depth = unsafe product.panels.depth
    unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * count) { offsets in
      let left = unsafe UnsafeMutableBufferPointer(rebasing: offsets[..<count])
      let out = unsafe UnsafeMutableBufferPointer(rebasing: offsets[count...])
      unsafe product.leftWalk.fill(left, from: rows.lowerBound)
      unsafe product.outWalk.fill(out, from: rows.lowerBound)
      unsafe withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>?.self, capacity: count) {
        targets in
        var first = 0
        while first < depth {
          let slice = min(Int(BG_DEPTH_BLOCK), depth - first)
          unsafe bg_gather_rows(
            scratch.base, product.left, left.baseAddress, count, product.length,
            product.segmentStride, first, slice)
          for panel in panels {
            let column = panel * width
            let (run, within) = unsafe column.quotientAndRemainder(dividingBy: product.outRun)
            let columnOffset = unsafe run * product.outRunStride + within
            for row in 0..<count {
              unsafe targets[row] = product.out + (out[row] + columnOffset)
            }
            let start = unsafe product.panels.panel(panel) + first * width
            // The first block of the depth starts from the bias, the last one applies the
            // rectifier.
            var tile = unsafe bg_tile(
              rows: targets.baseAddress, count: 0,
              columns: min(width, product.panels.columns - column),
              bias: product.bias.map { unsafe $0 + column }, accumulate: first > 0 ? 1 : 0,
              rectify: product.rectify != nil && first + slice == depth ? 1 : 0,
              slope: product.rectify?.slope ?? 0)
            var row = 0
            while row < count {
              unsafe tile.rows = UnsafePointer(targets.baseAddress! + row)
              unsafe tile.count = min(tileRows, count - row)
              unsafe multiply(slice, scratch.base + row * Int(BG_ROW_STRIDE), start, &tile)
              row += tileRows
            }
          }
          first += slice
        }
      }
    }
  }
}
