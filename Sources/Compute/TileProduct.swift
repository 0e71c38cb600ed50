package import BollyGANKernels

/// The product of a single register tile, on operands that stay in the cache: for measuring how
/// close the kernels get to the processor's peak.
package struct TileProduct: Sendable {
  private let kernels: bg_kernels
  private let rows: Int
  private let columns: Int
  private let depth = Int(BG_DEPTH_BLOCK)
  private let left: FloatBuffer
  private let right: FloatBuffer
  private let out: FloatBuffer

  /// A product of zeros, which takes as long as one of any other numbers.
  package init(kernels: bg_kernels) {
    self.kernels = kernels
    (rows, columns) = (Int(kernels.rows), Int(kernels.columns))
    left = FloatBuffer(count: rows * Int(BG_ROW_STRIDE))
    right = FloatBuffer(count: depth * columns)
    out = FloatBuffer(count: rows * columns)
  }

  /// Multiply-adds of one product.
  package var multiplyAdds: Int { rows * columns * depth }

  /// Computes the product several times on the caller's thread.
  ///
  /// - Parameter inPanels: Both operands are packed as panels; otherwise the left one is gathered
  ///   rows.
  package func run(inPanels: Bool, times: Int) {
    let multiply = unsafe inPanels ? kernels.multiply_panels! : kernels.multiply_rows!
    let targets: [UnsafeMutablePointer<Float>?] = unsafe (0..<rows).map {
      unsafe out.base + $0 * columns
    }
    unsafe targets.withUnsafeBufferPointer { targets in
      var tile = unsafe bg_tile(
        rows: targets.baseAddress!, count: rows, columns: columns, bias: nil, accumulate: 0,
        rectify: 0, slope: 0)
      for _ in 0..<times { unsafe multiply(depth, left.base, right.base, &tile) }
    }
  }
}
