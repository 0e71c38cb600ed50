internal import BollyGANKernels

/// How a batch of feature maps lies in memory: channels last, images one behind the other, each
/// within a margin of zeros where a kernel reads over the edge. Or in chunks of channels, whose pixels
/// lie side by side: what a kernel makes of a tile, a chunk at a time, is then near to what it makes next.
package struct MapLayout: Equatable, Sendable {
  package let rows: Int
  package let columns: Int
  /// Channels that mean something.
  package let channels: Int
  /// Floats from one pixel to the next.
  package let pixelStride: Int
  /// Pixels of zeros on each side.
  package let margin: Int
  /// Chunks that lie one behind the other.
  private let chunks: Int

  /// - Parameters:
  ///   - packed: pixels lie without gaps (pictures, whose 3 channels are read as runs of whole rows);
  ///     otherwise channels are rounded up to what the kernels walk by.
  ///   - inChunks: of as many channels as the kernels walk by.
  package init(
    rows: Int, columns: Int, channels: Int, margin: Int, packed: Bool = false,
    inChunks: Bool = false
  ) {
    let padded = packed ? channels : channels.roundedUp(to: Int(BG_CHANNEL_UNIT))
    self.rows = rows
    self.columns = columns
    self.channels = channels
    self.margin = margin
    pixelStride = inChunks ? Int(BG_CHANNEL_UNIT) : padded
    chunks = padded / pixelStride
  }

  package var rowStride: Int { (columns + 2 * margin) * pixelStride }
  /// Floats from a chunk of channels to the next.
  package var chunkStride: Int {
    chunks == 1 ? Int(BG_CHANNEL_UNIT) : (rows + 2 * margin) * rowStride
  }
  package var imageStride: Int { (rows + 2 * margin) * rowStride * chunks }
  /// Where an image's first pixel lies.
  package var origin: Int { margin * (rowStride + pixelStride) }
  package var pixels: Int { rows * columns }

  /// Its pixels in order, every `step`-th of each direction, `(row, column)` being the first.
  package func walk(step: Int = 1, row: Int = 0, column: Int = 0) -> PixelWalk {
    PixelWalk(
      rows: rows / step, columns: columns / step, imageStride: imageStride,
      rowStride: step * rowStride, columnStride: step * pixelStride,
      origin: origin + row * rowStride + column * pixelStride)
  }
}

/// Where the pixels of a regular grid over a batch of maps lie.
package struct PixelWalk: Sendable {
  let rows: Int
  let columns: Int
  let imageStride: Int
  let rowStride: Int
  let columnStride: Int
  let origin: Int

  package var pixelsPerImage: Int { rows * columns }

  /// The walk over single points, one an image: all of `layout` is one row to be read from there.
  package static func images(of layout: MapLayout) -> PixelWalk {
    PixelWalk(
      rows: 1, columns: 1, imageStride: layout.imageStride, rowStride: 0, columnStride: 0,
      origin: layout.origin)
  }

  /// Offsets of pixels `first..<first + offsets.count`.
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

extension Int {
  package func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
