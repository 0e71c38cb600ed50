package import BollyGANKernels

/// The right operand of a matrix product, `[depth, columns]`, packed for the kernels.
///
/// It is cut into panels as wide as a register tile, each `[depth, width]`, in the order in which a
/// kernel reads it. Columns beyond the last one are zeros.
package struct Panels: Sendable {
  /// Rows of the operand.
  package let depth: Int
  /// Columns of the operand, without padding.
  package let columns: Int
  /// Columns of a panel.
  package let width: Int
  /// `[count, depth, width]`.
  package let buffer: FloatBuffer

  /// An operand of zeros.
  package init(depth: Int, columns: Int, kernels: bg_kernels) {
    self.depth = depth
    self.columns = columns
    width = Int(kernels.columns)
    buffer = FloatBuffer(count: columns.roundedUp(to: width) * depth)
  }

  /// Number of panels.
  package var count: Int { (columns + width - 1) / width }

  /// The number at row `k` and column `n` of the operand. Not for hot loops.
  package subscript(k: Int, n: Int) -> Float {
    get { buffer[offset(k, n)] }
    nonmutating set { buffer[offset(k, n)] = newValue }
  }

  private func offset(_ k: Int, _ n: Int) -> Int {
    let (panel, column) = n.quotientAndRemainder(dividingBy: width)
    return (panel * depth + k) * width + column
  }

  /// Where panel `index` begins.
  @unsafe package func panel(_ index: Int) -> UnsafeMutablePointer<Float> {
    unsafe buffer.base + index * depth * width
  }

  /// Fills panel `index`, from depth `first` on, with rows of `matrix` that begin at `offsets`.
  @unsafe package func copyRows(
    _ index: Int, from matrix: UnsafePointer<Float>, at offsets: UnsafeBufferPointer<Int>,
    first: Int = 0
  ) {
    unsafe bg_gather_panel(
      panel(index) + first * width, matrix, offsets.baseAddress, offsets.count, 1, columns, 0,
      index * width, width)
  }

  /// Fills panel `index` with the transpose of a matrix `[columns, depth]`, rows `stride` floats
  /// apart. Rows from `rows` on count as zeros.
  @unsafe package func copyTransposed(
    _ index: Int, from matrix: UnsafePointer<Float>, stride: Int, rows: Int
  ) {
    let first = index * width
    unsafe bg_transpose_panel(
      panel(index), matrix + first * stride, stride, max(0, min(width, rows - first)), depth, width)
  }
}
