internal import BollyGANPictureShims

/// A piece of text in a PNG file: an iTXt chunk.
public struct PNGText: Hashable, Sendable {
  /// What it says: 1 to 79 characters of printable ASCII, no space at either end.
  public let keyword: String
  /// The text, without NUL.
  public let text: String

  /// A keyword and its text; ``Picture/encodePNG(text:effort:)`` checks them.
  public init(keyword: String, text: String) {
    self.keyword = keyword
    self.text = text
  }
}

/// How hard the PNG encoder tries.
public enum PNGEffort: String, CaseIterable, Sendable {
  /// A grid takes less time to write than to make; for measurements see
  /// `Documentation/Pictures.md`.
  case fast
  /// The smallest file that zlib makes.
  case small

  var dials: bg_png_effort {
    switch self {
    case .fast: bg_png_effort(level: 1, strategy: 3, filters: 4)
    case .small: bg_png_effort(level: 9, strategy: 1, filters: 31)
    }
  }
}

extension Picture {
  /// The picture as a PNG file: 8-bit gray or RGB, not interlaced.
  ///
  /// The same picture, text and effort give the same bytes with the same libpng and zlib.
  ///
  /// - Parameters:
  ///   - text: iTXt chunks, in this order, before the picture's data.
  ///   - effort: how much time may go into a smaller file.
  /// - Throws: ``PictureError/failed(_:_:)`` where a keyword or text is not allowed in a PNG, or
  ///   memory gives out.
  public func encodePNG(
    text: [PNGText] = [], effort: PNGEffort = .fast
  ) throws(PictureError) -> [UInt8] {
    try encodePNG(text: text, dials: effort.dials)
  }

  func encodePNG(text: [PNGText], dials: bg_png_effort) throws(PictureError) -> [UInt8] {
    let writer = try PNGWriter(
      width: width, height: height, channels: channels, text: text, dials: dials)
    try writer.add(rows: pixels)
    return try writer.finish()
  }
}

/// A PNG file in the making, for pictures that come row by row: 8-bit gray or RGB, not interlaced.
///
/// The bytes are those of ``Picture/encodePNG(text:effort:)``, however the rows are handed over.
@safe public final class PNGWriter {
  private let writer: OpaquePointer
  private var isFinished = false

  /// A file without rows.
  ///
  /// - Parameters:
  ///   - width: pixels in a row.
  ///   - height: rows.
  ///   - channels: samples a pixel: 1 (gray) or 3 (red, green, blue).
  ///   - text: iTXt chunks, in this order, before the picture's data.
  ///   - effort: how much time may go into a smaller file.
  /// - Throws: ``PictureError/failed(_:_:)`` where a keyword, text or size is not allowed in a PNG, or
  ///   memory gives out.
  public convenience init(
    width: Int, height: Int, channels: Int, text: [PNGText] = [], effort: PNGEffort = .fast
  ) throws(PictureError) {
    try self.init(
      width: width, height: height, channels: channels, text: text, dials: effort.dials)
  }

  init(
    width: Int, height: Int, channels: Int, text: [PNGText], dials: bg_png_effort
  ) throws(PictureError) {
    var texts: [CChar] = []
    for entry in text {
      let keyword = Array(entry.keyword.utf8)
      guard (1...79).contains(keyword.count), keyword.allSatisfy({ (0x20..<0x7f).contains($0) }),
        keyword.first != 0x20, keyword.last != 0x20
      else { throw .failed(.png, "a keyword of text must be 1 to 79 printable characters") }
      guard !entry.text.utf8.contains(0), entry.text.utf8.count < 1 << 30 else {
        throw .failed(.png, "the text of \(entry.keyword) holds a NUL or is too long")
      }
      texts += keyword.map { CChar(bitPattern: $0) } + [0]
      texts += entry.text.utf8.map { CChar(bitPattern: $0) } + [0]
    }
    var report = bg_report()
    guard
      let writer = unsafe bg_png_begin(
        UInt32(clamping: width), UInt32(clamping: height), UInt32(clamping: channels), texts,
        texts.count, text.count, dials, &report)
    else { throw .failed(.png, sentence(report.reason)) }
    unsafe self.writer = writer
  }

  deinit { unsafe bg_png_free(writer) }

  /// Appends rows.
  ///
  /// - Parameter rows: samples of whole rows, as ``Picture/pixels`` holds them.
  /// - Precondition: ``finish()`` has not given the file.
  /// - Throws: ``PictureError/failed(_:_:)`` where they are more than the file has, or memory gives
  ///   out.
  public func add(rows: [UInt8]) throws(PictureError) {
    precondition(!isFinished, "the file is finished")
    var report = bg_report()
    let status = unsafe bg_png_add(writer, rows, rows.count, &report)
    try check(status, report, .png)
  }

  /// The file, which can be had once.
  ///
  /// - Throws: ``PictureError/failed(_:_:)`` where rows are missing or memory gives out.
  public func finish() throws(PictureError) -> [UInt8] {
    precondition(!isFinished, "the file is finished")
    let file = try unsafe encoded(.png) { buffer, report in
      unsafe bg_png_finish(writer, &buffer, &report)
    }
    isFinished = true
    return file
  }
}

/// The iTXt and tEXt chunks of a PNG file, in the file's order.
///
/// - Throws: ``PictureError`` where a chunk is cut off or its checksum is wrong, where text is
///   compressed, is no UTF-8 or is more than 16 MiB in all.
public func pngTexts(_ bytes: [UInt8]) throws(PictureError) -> [PNGText] {
  var reader = try PNGChunkReader(bytes)
  var texts: [PNGText] = []
  var budget = 16 << 20
  while true {
    let chunk = try reader.next()
    if chunk.type == "IEND" { return texts }
    guard chunk.type == "iTXt" || chunk.type == "tEXt" else { continue }
    budget -= chunk.content.count
    guard budget >= 0 else { throw .tooLarge(.png, "it holds more than 16 MiB of text") }
    guard reader.isIntact(chunk) else {
      throw .damaged(.png, "the checksum of chunk \(chunk.type) at byte \(chunk.start) is wrong")
    }
    texts.append(try pngText(bytes[chunk.content], isInternational: chunk.type == "iTXt"))
  }
}

private func pngText(
  _ content: ArraySlice<UInt8>, isInternational: Bool
) throws(PictureError) -> PNGText {
  guard let end = content.firstIndex(of: 0), (1...79).contains(end - content.startIndex) else {
    throw .damaged(.png, "a text has no keyword")
  }
  let keyword = latin1(content[..<end])
  var rest = content[(end + 1)...]
  guard isInternational else { return PNGText(keyword: keyword, text: latin1(rest)) }
  // Compression flag and method, then language and translated keyword, each ended by NUL.
  guard rest.count >= 4 else { throw .damaged(.png, "the text of a keyword is cut off") }
  if rest.first != 0 { throw .unsupported(.png, "it holds compressed text") }
  rest = rest.dropFirst(2)
  for _ in 0..<2 {
    guard let end = rest.firstIndex(of: 0) else {
      throw .damaged(.png, "the text of a keyword is cut off")
    }
    rest = rest[(end + 1)...]
  }
  guard let text = String(validating: rest, as: UTF8.self) else {
    throw .damaged(.png, "the text of a keyword is no UTF-8")
  }
  return PNGText(keyword: keyword, text: text)
}

/// Each byte of Latin-1 is the Unicode scalar of that number.
private func latin1(_ bytes: ArraySlice<UInt8>) -> String {
  var text = String.UnicodeScalarView()
  text.append(contentsOf: bytes.lazy.map { Unicode.Scalar($0) })
  return String(text)
}
