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
    return try unsafe encoded(.png) { buffer, report in
      unsafe bg_png_encode(
        pixels, pixels.count, UInt32(width), UInt32(height), UInt32(channels), texts, texts.count,
        text.count, dials, &buffer, &report)
    }
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
