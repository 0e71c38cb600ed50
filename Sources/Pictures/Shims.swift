internal import BollyGANPictureShims

// The memory and errors of calls into C. Every decoder and encoder in C runs through this file.

/// Runs a C decoder and returns the `count` bytes that it writes.
///
/// The memory is not touched before the decoder writes to it, so a file that fails after a few rows
/// costs only those rows.
///
/// - Throws: ``PictureError`` if the decoder fails.
func decoded(
  _ format: PictureFormat, count: Int,
  by decoder: (UnsafeMutablePointer<UInt8>, inout bg_report) -> bg_status
) throws(PictureError) -> (bytes: [UInt8], report: bg_report) {
  var report = bg_report()
  var status = bg_ok
  let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    guard let start = buffer.baseAddress else { return }
    status = unsafe decoder(start, &report)
    filled = status == bg_ok ? count : 0
  }
  try check(status, report, format)
  return (bytes, report)
}

/// Runs a C encoder and returns the file that it makes.
///
/// - Throws: ``PictureError`` if the encoder fails.
func encoded(
  _ format: PictureFormat, by encoder: (inout bg_buffer, inout bg_report) -> bg_status
) throws(PictureError) -> [UInt8] {
  var report = bg_report()
  var buffer = unsafe bg_buffer()
  let status = unsafe encoder(&buffer, &report)
  defer { unsafe bg_buffer_free(&buffer) }
  try check(status, report, format)
  return unsafe [UInt8](UnsafeBufferPointer(start: buffer.bytes, count: buffer.count))
}

/// Throws the error that a failed call reported.
func check(
  _ status: bg_status, _ report: bg_report, _ format: PictureFormat
) throws(PictureError) {
  if status == bg_ok { return }
  let reason = sentence(report.reason)
  switch status {
  case bg_truncated: throw .truncated(format, reason)
  case bg_unsupported: throw .unsupported(format, reason)
  case bg_too_large: throw .tooLarge(format, reason)
  case bg_failed: throw .failed(format, reason)
  default: throw .damaged(format, reason)
  }
}

extension bg_report {
  /// Warnings for people about faults that did not affect the image.
  var remarks: [String] {
    var remarks: [String] = []
    if no_end != 0 { remarks.append("has no end marker") }
    if complaints == 1 { remarks.append(sentence(complaint)) }
    if complaints > 1 {
      remarks.append("\(sentence(complaint)) (and \(complaints - 1) more complaints)")
    }
    return remarks
  }
}

/// The text in a C array of characters, limited to printable ASCII.
func sentence<Characters>(_ characters: Characters) -> String {
  let bytes = unsafe withUnsafeBytes(of: characters) { unsafe Array($0.prefix { $0 != 0 }) }
  return String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : 0x3f }, as: UTF8.self)
}
