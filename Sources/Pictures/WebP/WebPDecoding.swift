internal import BollyGANPictureShims

/// Decodes a WebP file, or the first frame of an animated one.
///
/// - Throws: ``PictureError`` if it is damaged, incomplete, too large or of an unsupported kind.
func decodeWebP(
  _ bytes: [UInt8], rules: PictureRules
) throws(PictureError) -> (picture: Picture, warnings: [String]) {
  var header = try webPHeader(bytes)
  var samples: [UInt8]
  var remarks: [String] = []
  var channels = header.has_alpha != 0 ? 4 : 3
  let area = Int(header.width) * Int(header.height)
  if header.is_animated != 0 {
    channels = 4
    let count = 4 * area
    var frames = 0
    var end: Int32 = 0
    samples = try unsafe decoded(.webp, count: count) { pixels, report in
      unsafe bg_webp_decode_frames(
        bytes, bytes.count, &header, 1, pixels, count, &end, &frames, &report)
    }.bytes
    if frames > 1 { remarks.append("has \(frames) frames; the first is read") }
  } else {
    let count = channels * area
    samples = try unsafe decoded(.webp, count: count) { pixels, report in
      unsafe bg_webp_decode(bytes, bytes.count, &header, pixels, count, &report)
    }.bytes
  }
  if channels == 4 {
    samples = withoutAlpha(samples, channels: 4, overWhite: rules == .asDisplayed)
  }
  var picture = Picture(
    width: Int(header.width), height: Int(header.height), channels: 3, pixels: samples)
  if rules == .asDisplayed { picture = picture.turned(byOrientation: webPOrientation(bytes)) }
  return (picture, remarks)
}

/// Decodes all frames of an animated WebP file, composited over white, with their durations.
///
/// - Parameters:
///   - bytes: The whole file.
///   - frameLimit: The largest accepted number of frames.
/// - Throws: ``PictureError`` if the file is damaged or has too many frames.
package func decodeWebPFrames(
  _ bytes: [UInt8], frameLimit: Int = 1000
) throws(PictureError) -> [(picture: Picture, milliseconds: Int)] {
  var header = try webPHeader(bytes)
  let frameBytes = 4 * Int(header.width) * Int(header.height)
  // Decode twice: first to count the frames, then to keep all of them.
  var frames = 0
  var end: Int32 = 0
  _ = try unsafe decoded(.webp, count: frameBytes) { pixels, report in
    unsafe bg_webp_decode_frames(
      bytes, bytes.count, &header, 1, pixels, frameBytes, &end, &frames, &report)
  }
  let (count, area) = (frames, frameBytes.multipliedReportingOverflow(by: frames))
  guard count <= frameLimit, !area.overflow, area.partialValue <= 1 << 30 else {
    throw .tooLarge(.webp, "it has \(count) frames")
  }
  var ends = [Int32](repeating: 0, count: count)
  let samples = try unsafe decoded(.webp, count: area.partialValue) { pixels, report in
    unsafe bg_webp_decode_frames(
      bytes, bytes.count, &header, count, pixels, area.partialValue, &ends, &frames, &report)
  }.bytes
  return (0..<count).map { i in
    let frame = Array(samples[(i * frameBytes)..<((i + 1) * frameBytes)])
    let picture = Picture(
      width: Int(header.width), height: Int(header.height), channels: 3,
      pixels: withoutAlpha(frame, channels: 4, overWhite: true))
    return (picture, Int(ends[i]) - (i == 0 ? 0 : Int(ends[i - 1])))
  }
}

private func webPHeader(_ bytes: [UInt8]) throws(PictureError) -> bg_webp_header {
  var header = bg_webp_header()
  var report = bg_report()
  let status = unsafe bg_webp_read_header(bytes, bytes.count, &header, &report)
  try check(status, report, .webp)
  return header
}

/// The EXIF orientation of a WebP file, read from its RIFF chunks.
func webPOrientation(_ bytes: [UInt8]) -> Int? {
  var position = 12
  while position + 8 <= bytes.count {
    let length = bytes[(position + 4)..<(position + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - position - 8 else { return nil }
    if bytes[position..<(position + 4)].elementsEqual("EXIF".utf8) {
      return exifOrientation(bytes, in: (position + 8)..<(position + 8 + length))
    }
    position += 8 + length + length % 2
  }
  return nil
}
