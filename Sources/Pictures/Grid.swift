/// Lays pictures of one size out row by row, as torchvision's `make_grid` does.
///
/// Each is framed by black of `padding` pixels, shared between neighbours: 64 pictures of 64x64 in
/// 8 columns make 530x530. The last row may be short. One picture alone is returned as it is.
/// Where any picture is RGB, gray ones become RGB.
///
/// - Parameters:
///   - pictures: row by row, all of one size.
///   - columns: pictures in a row; fewer where there are not so many pictures.
///   - padding: black pixels around each.
/// - Precondition: there is a picture, all have one size, and `columns` is at least 1.
public func grid(_ pictures: [Picture], columns: Int = 8, padding: Int = 2) -> Picture {
  precondition(!pictures.isEmpty, "a grid needs a picture")
  precondition(columns > 0 && padding >= 0, "\(columns) columns, \(padding) pixels between")
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

/// A grid as ``grid(_:columns:padding:)`` lays it out, made one row of pictures after another.
public struct GridSheet: Sendable {
  /// Where the pictures lie.
  public let layout: GridLayout
  /// Samples a pixel, 1 or 3.
  public let channels: Int
  private let cell: (width: Int, height: Int)
  private let padding: Int

  /// The sheet for `count` pictures of one size; one alone is not framed.
  public init(
    count: Int, columns: Int, width: Int, height: Int, channels: Int, padding: Int = 2
  ) {
    layout = GridLayout(count: count, columns: columns)
    cell = (width, height)
    self.channels = channels
    self.padding = count == 1 ? 0 : padding
  }

  /// Pixels in a row of the sheet.
  public var width: Int { layout.columns * (cell.width + padding) + padding }
  /// Rows of pixels of the sheet.
  public var height: Int { layout.rows * (cell.height + padding) + padding }

  /// The samples of one row of pictures with the black rows above it, and below it where it is the
  /// last.
  ///
  /// - Precondition: the pictures are of the sheet's size, and as many as a row holds at most.
  public func strip(_ row: Int, _ pictures: ArraySlice<Picture>) -> [UInt8] {
    precondition(pictures.count <= layout.columns)
    let below = row == layout.rows - 1 ? padding : 0
    let stride = width * channels
    var pixels = [UInt8](repeating: 0, count: (padding + cell.height + below) * stride)
    for (column, picture) in pictures.enumerated() {
      precondition(
        picture.width == cell.width && picture.height == cell.height,
        "picture \(column) of row \(row) is \(picture.width) x \(picture.height), not "
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

/// Which cell of a grid a picture lies in.
public struct GridLayout: Equatable, Sendable {
  /// Cells in a row.
  public let columns: Int
  /// Rows, the last one perhaps short.
  public let rows: Int

  /// The layout of `count` pictures in rows of up to `columns`.
  public init(count: Int, columns: Int) {
    self.columns = min(columns, count)
    rows = (count + self.columns - 1) / self.columns
  }

  /// Where the picture of the given index lies, counted from 0.
  public func cell(_ index: Int) -> (row: Int, column: Int) {
    (index / columns, index % columns)
  }
}
