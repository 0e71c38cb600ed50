/// Arranges images of equal size in a grid, row by row, like torchvision's `make_grid`.
///
/// A black border of `padding` pixels surrounds each image and is shared between neighbours: 64
/// images of 64x64 in 8 columns make 530x530. The last row may be short. A single image is returned
/// unchanged. If any image is RGB, gray ones become RGB.
///
/// - Parameters:
///   - pictures: The images in row-major order, all of equal size.
///   - columns: The number of images in a row, reduced if there are fewer images.
///   - padding: The width of the border in pixels.
/// - Precondition: There is at least one image, all sizes are equal, and `columns` is at least 1.
public func grid(_ pictures: [Picture], columns: Int = 8, padding: Int = 2) -> Picture {
  precondition(!pictures.isEmpty, "a grid needs at least one image")
  precondition(columns > 0, "a grid needs at least one column")
  precondition(padding >= 0, "the padding of a grid is \(padding)")
  if pictures.count == 1 { return pictures[0] }
  let (width, height) = (pictures[0].width, pictures[0].height)
  let sheet = GridSheet(
    count: pictures.count, columns: columns, width: width, height: height,
    channels: pictures.contains { $0.channels == 3 } ? 3 : 1, padding: padding)
  var pixels: [UInt8] = []
  pixels.reserveCapacity(sheet.width * sheet.height * sheet.channels)
  for row in 0..<sheet.layout.rows {
    let start = row * sheet.layout.columns
    pixels += sheet.strip(
      row, pictures[start..<min(start + sheet.layout.columns, pictures.count)])
  }
  return Picture(
    width: sheet.width, height: sheet.height, channels: sheet.channels, pixels: pixels)
}

/// A grid in the layout of ``grid(_:columns:padding:)`` that is made one row of images at a time.
public struct GridSheet: Sendable {
  /// The positions of the images.
  public let layout: GridLayout
  /// The number of samples per pixel, 1 or 3.
  public let channels: Int
  private let cell: (width: Int, height: Int)
  private let padding: Int

  /// The sheet for `count` images of equal size. A single image gets no border.
  public init(
    count: Int, columns: Int, width: Int, height: Int, channels: Int, padding: Int = 2
  ) {
    layout = GridLayout(count: count, columns: columns)
    cell = (width, height)
    self.channels = channels
    self.padding = count == 1 ? 0 : padding
  }

  /// The width of the sheet in pixels.
  public var width: Int { layout.columns * (cell.width + padding) + padding }
  /// The height of the sheet in pixels.
  public var height: Int { layout.rows * (cell.height + padding) + padding }

  /// The samples of one row of images and of the border above it; for the last row, also of the
  /// border below.
  ///
  /// - Precondition: The images have the cells' size and are no more than fit in a row.
  public func strip(_ row: Int, _ pictures: ArraySlice<Picture>) -> [UInt8] {
    precondition(pictures.count <= layout.columns)
    let below = row == layout.rows - 1 ? padding : 0
    let stride = width * channels
    var pixels = [UInt8](repeating: 0, count: (padding + cell.height + below) * stride)
    for (column, picture) in pictures.enumerated() {
      precondition(
        picture.width == cell.width && picture.height == cell.height,
        "image \(column) of row \(row) is \(picture.width) x \(picture.height), not "
          + "\(cell.width) x \(cell.height)")
      let samples = picture.converted(channels: channels).pixels
      let left = (padding + column * (cell.width + padding)) * channels
      let count = cell.width * channels
      for y in 0..<cell.height {
        let to = (padding + y) * stride + left
        pixels.replaceSubrange(to..<to + count, with: samples[y * count..<(y + 1) * count])
      }
    }
    return pixels
  }
}

/// The cells of a grid in row-major order.
public struct GridLayout: Equatable, Sendable {
  /// The number of cells in a row.
  public let columns: Int
  /// The number of rows. The last one may be short.
  public let rows: Int

  /// The layout of `count` images in rows of at most `columns`.
  public init(count: Int, columns: Int) {
    self.columns = min(columns, count)
    rows = (count + self.columns - 1) / self.columns
  }

  /// The cell of the image with the given index; everything counts from 0.
  public func cell(_ index: Int) -> (row: Int, column: Int) {
    (index / columns, index % columns)
  }
}
