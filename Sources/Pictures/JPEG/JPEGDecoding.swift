internal import BollyGANPictureShims

/// Decodes a JPEG file.
///
/// - Throws: ``PictureError`` if it is damaged, incomplete, too large or of an unsupported kind.
func decodeJPEG(
  _ bytes: [UInt8], rules: PictureRules
) throws(PictureError) -> (picture: Picture, warnings: [String]) {
  var header = bg_jpeg_header()
  var report = bg_report()
  let status = unsafe bg_jpeg_read_header(bytes, bytes.count, &header, &report)
  try check(status, report, .jpeg)

  let channels = header.components == 1 ? 1 : 3
  let count = Int(header.width) * Int(header.height) * channels
  let inverted = rules == .pillow || header.adobe != 0
  let result = try unsafe decoded(.jpeg, count: count) { pixels, report in
    unsafe bg_jpeg_decode(bytes, bytes.count, inverted ? 1 : 0, pixels, count, &report)
  }
  var picture = Picture(
    width: Int(header.width), height: Int(header.height), channels: channels, pixels: result.bytes)
  if rules == .asDisplayed { picture = picture.turned(byOrientation: jpegOrientation(bytes)) }
  return (picture, result.report.remarks)
}

/// The EXIF orientation of a JPEG file, read from the segments before the first scan.
func jpegOrientation(_ bytes: [UInt8]) -> Int? {
  var position = 2
  while position + 4 <= bytes.count {
    guard bytes[position] == 0xff else { return nil }
    let marker = bytes[position + 1]
    if marker == 0xff {  // padding
      position += 1
      continue
    }
    let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
    // The header ends at the start of a scan or the end of the image.
    guard length >= 2, marker != 0xda, marker != 0xd9, position + 2 + length <= bytes.count
    else { return nil }
    let content = (position + 4)..<(position + 2 + length)
    if marker == 0xe1, bytes[content].starts(with: Array("Exif\0\0".utf8)) {
      return exifOrientation(bytes, in: content)
    }
    position += 2 + length
  }
  return nil
}
