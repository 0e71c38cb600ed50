internal import BollyGANPictureShims

/// A keyword and a text in a PNG file: an iTXt chunk.
public struct PNGText: Hashable, Sendable {
  /// The keyword: 1 to 79 printable ASCII characters without a space at either end.
  public let keyword: String
  /// The text, without NUL.
  public let text: String

  /// A keyword and its text, which are validated by ``Picture/encodePNG(text:effort:)``.
  public init(keyword: String, text: String) {
    self.keyword = keyword
    self.text = text
  }
}

/// How much time the PNG encoder spends on a smaller file.
public enum PNGEffort: String, CaseIterable, Sendable {
  /// Fast enough that writing a grid takes less time than generating it.
  /// `Documentation/Pictures.md` has measurements.
  case fast
  /// The smallest file that zlib can make.
  case small

  var dials: bg_png_effort {
    switch self {
    case .fast: bg_png_effort(level: 1, strategy: 3, filters: 4)
    case .small: bg_png_effort(level: 9, strategy: 1, filters: 31)
    }
  }
}

extension Picture {
  /// Encodes the image as a PNG file: 8-bit gray or RGB, not interlaced.
  ///
  /// The same image, text and effort give the same bytes with the same libpng and zlib.
  ///
  /// - Parameters:
  ///   - text: Texts to write before the image data, in this order.
  ///   - effort: How much time to spend on a smaller file.
  /// - Throws: ``PictureError/failed(_:_:)`` if a keyword or text is invalid, or memory runs out.
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

/// A PNG encoder for images that arrive row by row: 8-bit gray or RGB, not interlaced.
///
/// The bytes equal those of ``Picture/encodePNG(text:effort:)``, however the rows are divided.
@safe public final class PNGWriter {
  private let writer: OpaquePointer
  private var isFinished = false

  /// Starts a file without rows.
  ///
  /// - Parameters:
  ///   - width: The width in pixels.
  ///   - height: The height in pixels.
  ///   - channels: The samples per pixel: 1 (gray) or 3 (red, green, blue).
  ///   - text: Texts to write before the image data, in this order.
  ///   - effort: How much time to spend on a smaller file.
  /// - Throws: ``PictureError/failed(_:_:)`` if a keyword, text or size is invalid, or memory runs
  ///   out.
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
      else { throw .failed(.png, "a keyword must have 1 to 79 printable characters") }
      guard !entry.text.utf8.contains(0), entry.text.utf8.count < 1 << 30 else {
        throw .failed(.png, "the text of \(entry.keyword) contains a NUL or is too long")
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
  /// - Parameter rows: The samples of whole rows, in the layout of ``Picture/pixels``.
  /// - Precondition: ``finish()`` has not been called.
  /// - Throws: ``PictureError/failed(_:_:)`` if there are more rows than the image has, or memory
  ///   runs out.
  public func add(rows: [UInt8]) throws(PictureError) {
    precondition(!isFinished, "the file is finished")
    var report = bg_report()
    let status = unsafe bg_png_add(writer, rows, rows.count, &report)
    try check(status, report, .png)
  }

  /// Completes the file and returns it. Call this once.
  ///
  /// - Throws: ``PictureError/failed(_:_:)`` if rows are missing or memory runs out.
  public func finish() throws(PictureError) -> [UInt8] {
    precondition(!isFinished, "the file is finished")
    let file = try unsafe encoded(.png) { buffer, report in
      unsafe bg_png_finish(writer, &buffer, &report)
    }
    isFinished = true
    return file
  }
}

/// The texts of a PNG file, from its iTXt and tEXt chunks, in order.
///
/// - Throws: ``PictureError`` if a chunk is truncated or damaged, or if the text is compressed, not
///   UTF-8, or more than 16 MiB in total.
public func pngTexts(_ bytes: [UInt8]) throws(PictureError) -> [PNGText] {
  var reader = try PNGChunkReader(bytes)
  var texts: [PNGText] = []
  var budget = 16 << 20
  while true {
    let chunk = try reader.next()
    if chunk.type == "IEND" { return texts }
    guard chunk.type == "iTXt" || chunk.type == "tEXt" else { continue }
    budget -= chunk.content.count
    guard budget >= 0 else { throw .tooLarge(.png, "it has more than 16 MiB of text") }
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
  // The compression flag and method, then the language and the translated keyword, each with a NUL.
  guard rest.count >= 4 else { throw .damaged(.png, "the text of a keyword is truncated") }
  if rest.first != 0 { throw .unsupported(.png, "it has compressed text") }
  rest = rest.dropFirst(2)
  for _ in 0..<2 {
    guard let end = rest.firstIndex(of: 0) else {
      throw .damaged(.png, "the text of a keyword is truncated")
    }
    rest = rest[(end + 1)...]
  }
  guard let text = String(validating: rest, as: UTF8.self) else {
    throw .damaged(.png, "the text of a keyword is not UTF-8")
  }
  return PNGText(keyword: keyword, text: text)
}

/// Text in Latin-1, whose bytes are the first 256 Unicode scalars.
private func latin1(_ bytes: ArraySlice<UInt8>) -> String {
  var text = String.UnicodeScalarView()
  text.append(contentsOf: bytes.lazy.map { Unicode.Scalar($0) })
  return String(text)
}
