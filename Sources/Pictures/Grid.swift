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
  let layout = GridLayout(count: pictures.count, columns: columns)
  let (width, height) = (pictures[0].width, pictures[0].height)
  let channels = pictures.contains { $0.channels == 3 } ? 3 : 1
  let gridWidth = layout.columns * (width + padding) + padding
  let gridHeight = layout.rows * (height + padding) + padding
  var pixels = [UInt8](repeating: 0, count: gridWidth * gridHeight * channels)
  for (i, picture) in pictures.enumerated() {
    precondition(
      picture.width == width && picture.height == height,
      "picture \(i) is \(picture.width) x \(picture.height), the first \(width) x \(height)")
    let samples = picture.converted(channels: channels).pixels
    let cell = layout.cell(i)
    let left = cell.column * (width + padding) + padding
    let top = cell.row * (height + padding) + padding
    let row = width * channels
    for y in 0..<height {
      let to = ((top + y) * gridWidth + left) * channels
      pixels.replaceSubrange(to..<(to + row), with: samples[(y * row)..<((y + 1) * row)])
    }
  }
  return Picture(width: gridWidth, height: gridHeight, channels: channels, pixels: pixels)
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
