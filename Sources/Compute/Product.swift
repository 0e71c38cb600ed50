package import BollyGANKernels

/// A matrix product whose left rows are gathered from a batch of maps and whose result rows go to
/// pixels of another.
///
/// Row m of the left operand is `segments` runs of `length` floats, `segmentStride` apart, the first
/// at pixel m of `leftWalk`. Row m of the result goes to pixel m of `outWalk`: column n at
/// `(n / outRun) · outRunStride + n % outRun`.
///
/// The sum of an output starts from the bias and takes the products in order of depth, whatever the
/// batch, the threads and the cut into blocks.
@unsafe package struct Product {
  package var left: UnsafePointer<Float>
  package var leftWalk: PixelWalk
  package var segments: Int
  package var length: Int
  package var segmentStride: Int
  package var panels: Panels
  package var bias: UnsafePointer<Float>?
  package var out: UnsafeMutablePointer<Float>
  package var outWalk: PixelWalk
  package var outRun: Int
  package var outRunStride: Int
  package var rectify: Rectifier?

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

/// An activation that leaves positive numbers alone: max(z, 0) + slope · min(z, 0).
package struct Rectifier: Equatable, Sendable {
  /// 0 is ReLU.
  package let slope: Float

  package init(slope: Float = 0) { self.slope = slope }
}

/// Runs products on all threads; holds each thread's block of gathered rows.
@safe package final class Multiplier: @unchecked Sendable {
  // Sendable: scratch memory is one block a thread, and Workers runs one call at a time.
  package let kernels: bg_kernels
  package let workers: Workers
  private let scratch: [FloatBuffer]

  /// Rows that are gathered at a time: 96 rows of 1,024 floats stay in a 1 MiB cache beside a panel,
  /// and 96 is a multiple of every level's tile.
  static let blockRows = 96

  package init(instructionSet: InstructionSet, workers: Workers) {
    unsafe kernels = instructionSet.kernels
    self.workers = workers
    scratch = (0..<workers.count).map { _ in
      // Tiles read whole, so a block is followed by the rows of one tile.
      FloatBuffer(count: (Self.blockRows + Int(BG_MAX_ROWS)) * Int(BG_ROW_STRIDE))
    }
  }

  /// Computes `pixels` rows of each product.
  ///
  /// - Parameter inFloat64: Sums of `BG_SHORT_SUM` products join one in float64, which is rounded
  ///   every `BG_DEPTH_BLOCK` products: nearer to the exact sum. Goes with no rectifier.
  @unsafe package func run(_ products: [Product], pixels: Int, inFloat64: Bool = false) {
    precondition(unsafe !inFloat64 || products.allSatisfy { unsafe $0.rectify == nil })
    let blocks = (pixels + Self.blockRows - 1) / Self.blockRows
    // Few rows (a batch of one) leave threads idle, so the panels are shared out as well.
    let panelCount = unsafe products.map { unsafe $0.panels.count }.max() ?? 0
    let kinds = unsafe products.count
    let wanted = 4 * workers.count
    let groups = max(1, min(panelCount, wanted / max(1, kinds * blocks)))
    workers.run(kinds * blocks * groups) { task, thread in
      let (block, rest) = task.quotientAndRemainder(dividingBy: kinds * groups)
      let (group, product) = rest.quotientAndRemainder(dividingBy: kinds)
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

  @unsafe private func run(
    _ product: Product, rows: Range<Int>, panels: Range<Int>, inFloat64: Bool,
    scratch: FloatBuffer
  ) {
    let multiply = unsafe inFloat64 ? kernels.multiply_rows_float64! : kernels.multiply_rows!
    let count = rows.count
    let tileRows = Int(unsafe kernels.rows)
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
