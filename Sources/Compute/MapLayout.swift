internal import BollyGANKernels

/// How a batch of feature maps is stored.
///
/// Images follow one another. Maps are channels last, `[rows, columns, channels]`, with an optional
/// margin of zeros on all sides for kernels that read beyond the edge. Alternatively, chunks of
/// channels follow one another, `[chunks, rows, columns, chunk]`: kernels transform a tile chunk by
/// chunk, and this keeps consecutive writes close together.
package struct MapLayout: Equatable, Sendable {
  /// Rows of a map, without the margin.
  package let rows: Int
  /// Columns of a map, without the margin.
  package let columns: Int
  /// Channels of a map, without padding.
  package let channels: Int
  /// Floats from one pixel to the next.
  package let pixelStride: Int
  /// Pixels of zeros on each side.
  package let margin: Int
  /// Chunks of channels that follow one another; 1 if all channels of a pixel are together.
  private let chunks: Int

  /// A layout.
  ///
  /// - Parameters:
  ///   - packed: Pixels have no padding. For images, whose few channels are read as runs of whole
  ///     rows. Otherwise channels are padded to a multiple of `BG_CHANNEL_UNIT`.
  ///   - inChunks: Channels are stored in chunks of `BG_CHANNEL_UNIT`.
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

  /// Floats from one row to the next.
  package var rowStride: Int { (columns + 2 * margin) * pixelStride }
  /// Floats from one chunk of channels to the next.
  package var chunkStride: Int {
    chunks == 1 ? Int(BG_CHANNEL_UNIT) : (rows + 2 * margin) * rowStride
  }
  /// Floats from one image to the next.
  package var imageStride: Int { (rows + 2 * margin) * rowStride * chunks }
  /// The offset of an image's pixel (0, 0), inside the margin.
  package var origin: Int { margin * (rowStride + pixelStride) }
  /// Pixels of a map, without the margin.
  package var pixels: Int { rows * columns }

  /// The pixels of the batch in order: every `step`-th in each direction, starting at (`row`,
  /// `column`).
  package func walk(step: Int = 1, row: Int = 0, column: Int = 0) -> PixelWalk {
    PixelWalk(
      rows: rows / step, columns: columns / step, imageStride: imageStride,
      rowStride: step * rowStride, columnStride: step * pixelStride,
      origin: origin + row * rowStride + column * pixelStride)
  }
}

extension Int {
  /// The smallest multiple of `unit` that is at least this number.
  package func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
