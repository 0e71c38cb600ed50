/// The offsets of the pixels of a regular grid, through a batch of maps: what a ``MatrixProduct``
/// takes as its rows.
package struct PixelWalk: Sendable {
  /// Rows of the grid in each map.
  let rows: Int
  /// Columns of the grid in each map.
  let columns: Int
  /// Floats from one image to the next.
  let imageStride: Int
  /// Floats from one row of the grid to the next.
  let rowStride: Int
  /// Floats from one column of the grid to the next.
  let columnStride: Int
  /// The offset of the first pixel.
  let origin: Int

  /// Pixels of the grid in each map.
  package var pixelsPerImage: Int { rows * columns }

  /// One point for each image, from which the whole map is read as a single row.
  package static func images(of layout: MapLayout) -> PixelWalk {
    PixelWalk(
      rows: 1, columns: 1, imageStride: layout.imageStride, rowStride: 0, columnStride: 0,
      origin: layout.origin)
  }

  /// Writes the offsets of pixels `first..<first + offsets.count`, counted through all images.
  @unsafe package func fill(_ offsets: UnsafeMutableBufferPointer<Int>, from first: Int) {
    let pixel: Int
    var image: Int
    (image, pixel) = first.quotientAndRemainder(dividingBy: pixelsPerImage)
    var (row, column) = pixel.quotientAndRemainder(dividingBy: columns)
    for index in offsets.indices {
      unsafe offsets[index] =
        origin + image * imageStride + row * rowStride + column * columnStride
      column += 1
      if column == columns {
        column = 0
        row += 1
        if row == rows {
          row = 0
          image += 1
        }
      }
    }
  }
}
