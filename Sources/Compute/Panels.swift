package import BollyGANKernels

/// The right operand of a product, `[depth, columns]`, cut into panels as wide as a kernel's tile
/// and laid out in the order in which the kernel reads it.
package struct Panels: Sendable {
  package let depth: Int
  package let columns: Int
  /// Columns of a tile; the last panel is filled up with zeros.
  package let width: Int
  package let buffer: FloatBuffer

  package init(depth: Int, columns: Int, kernels: bg_kernels) {
    self.depth = depth
    self.columns = columns
    width = Int(unsafe kernels.columns)
    buffer = FloatBuffer(count: columns.roundedUp(to: width) * depth)
  }

  package var count: Int { (columns + width - 1) / width }

  /// Where panel `index` begins.
  @unsafe package func panel(_ index: Int) -> UnsafeMutablePointer<Float> {
    unsafe buffer.base + index * depth * width
  }

  /// Fills panel `index` from rows that lie at `offsets` of `matrix`: row k holds the columns of
  /// depth `first + k`.
  @unsafe package func copyRows(
    _ index: Int, from matrix: UnsafePointer<Float>, at offsets: UnsafeBufferPointer<Int>,
    first: Int = 0
  ) {
    unsafe bg_gather_panel(
      panel(index) + first * width, matrix, offsets.baseAddress, offsets.count, 1, columns, 0,
      index * width, width)
  }

  /// Fills panel `index` from a matrix that has `columns` rows, each of `depth` numbers, `stride`
  /// apart; rows from `rows` on count as zeros.
  @unsafe package func copyTransposed(
    _ index: Int, from matrix: UnsafePointer<Float>, stride: Int, rows: Int
  ) {
    let first = index * width
    unsafe bg_transpose_panel(
      panel(index), matrix + first * stride, stride, max(0, min(width, rows - first)), depth, width)
  }
}
