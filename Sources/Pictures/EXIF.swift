/// The orientation in an EXIF block, 1…8, or nil if there is none.
///
/// Only the first directory of the TIFF structure is read, within its bounds. Anything malformed
/// counts as no orientation.
func exifOrientation(_ bytes: [UInt8], in block: Range<Int>) -> Int? {
  var start = block.lowerBound
  if bytes[block].starts(with: Array("Exif\0\0".utf8)) { start += 6 }
  let length = block.upperBound - start
  guard length >= 8 else { return nil }
  let isLittle = bytes[start] == 0x49
  func number(at offset: Int, size: Int) -> Int? {
    guard offset >= 0, offset <= length - size else { return nil }
    let digits = bytes[(start + offset)..<(start + offset + size)]
    return (isLittle ? digits.reversed() : Array(digits)).reduce(0) { $0 << 8 | Int($1) }
  }
  guard bytes[start] == bytes[start + 1], isLittle || bytes[start] == 0x4d,
    number(at: 2, size: 2) == 42, let directory = number(at: 4, size: 4),
    let entries = number(at: directory, size: 2)
  else { return nil }
  for entry in 0..<entries {
    let offset = directory + 2 + 12 * entry
    guard let tag = number(at: offset, size: 2), let type = number(at: offset + 2, size: 2),
      let count = number(at: offset + 4, size: 4), let value = number(at: offset + 8, size: 2)
    else { return nil }
    if tag == 0x0112 {
      return type == 3 && count == 1 && (1...8).contains(value) ? value : nil
    }
  }
  return nil
}

extension Picture {
  /// The image turned upright according to its EXIF orientation.
  ///
  /// - Parameter orientation: 1…8, the value of TIFF tag 274. The values nil and 1 change nothing.
  func turned(byOrientation orientation: Int?) -> Picture {
    guard let orientation, (2...8).contains(orientation) else { return self }
    // Where row 0 and column 0 of the stored image belong: TIFF 6.0, page 36.
    let swapsAxes = orientation >= 5
    let mirrorsX = [2, 3, 7, 8].contains(orientation)
    let mirrorsY = [3, 4, 6, 7].contains(orientation)
    let newWidth = swapsAxes ? height : width
    let newHeight = swapsAxes ? width : height
    var turned = [UInt8](repeating: 0, count: pixels.count)
    var to = 0
    for y in 0..<newHeight {
      for x in 0..<newWidth {
        var (column, row) = swapsAxes ? (y, x) : (x, y)
        if mirrorsX { column = width - 1 - column }
        if mirrorsY { row = height - 1 - row }
        let from = (row * width + column) * channels
        for c in 0..<channels { turned[to + c] = pixels[from + c] }
        to += channels
      }
    }
    return Picture(width: newWidth, height: newHeight, channels: channels, pixels: turned)
  }
}
