/// One chunk of a PNG file.
struct PNGChunk {
  /// The four letters that name its type.
  let type: String
  /// The offset of its length field, its first byte.
  let start: Int
  /// The offsets of its content.
  let content: Range<Int>
  /// The offset after its checksum.
  var end: Int { content.upperBound + 4 }
  /// Whether a decoder that does not know it must stop. The first letter is then a capital.
  var isCritical: Bool { type.utf8.first! & 0x20 == 0 }
}

/// Reads the chunks of a PNG file one after another, with bounds checks.
struct PNGChunkReader {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  let bytes: [UInt8]
  private(set) var position: Int

  /// A reader at the first chunk.
  ///
  /// - Throws: ``PictureError`` if the signature is missing.
  init(_ bytes: [UInt8]) throws(PictureError) {
    guard bytes.starts(with: Self.signature) else {
      throw .damaged(.png, "it does not begin with the signature")
    }
    self.bytes = bytes
    position = Self.signature.count
  }

  /// The next chunk. Its checksum is not verified.
  mutating func next() throws(PictureError) -> PNGChunk {
    let rest = bytes.count - position
    guard rest >= 12 else { throw .truncated(.png, "it ends before its end chunk") }
    let length = Int(bytes.bigEndian32(at: position))
    let name = bytes[(position + 4)..<(position + 8)]
    guard name.allSatisfy({ (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) }) else {
      throw .damaged(.png, "no chunk begins at byte \(position)")
    }
    let type = String(decoding: name, as: UTF8.self)
    guard length <= rest - 12 else {
      throw .truncated(.png, "chunk \(type) needs \(length) bytes, only \(rest - 12) are left")
    }
    let chunk = PNGChunk(
      type: type, start: position, content: (position + 8)..<(position + 8 + length))
    position = chunk.end
    return chunk
  }

  /// Whether the checksum of a chunk is correct.
  func isIntact(_ chunk: PNGChunk) -> Bool {
    CRC32.of(bytes, in: (chunk.start + 4)..<chunk.content.upperBound)
      == bytes.bigEndian32(at: chunk.content.upperBound)
  }
}

extension [UInt8] {
  /// The big-endian number in the four bytes from `index` on.
  ///
  /// - Precondition: The array has these bytes.
  func bigEndian32(at index: Int) -> UInt32 {
    self[index..<(index + 4)].reduce(0) { $0 << 8 | UInt32($1) }
  }
}
