/// Writes files into a zip archive, uncompressed and in order.
///
/// Each file begins at a multiple of 64 bytes, so that a reader can map its numbers. There are no
/// times and no owners: the same files give the same bytes.
///
/// - SeeAlso: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16; the padding is PyTorch's
///   (`caffe2/serialize/inline_container.cc`).
struct ZipWriter {
  private static let alignment = 64

  private var bytes: [UInt8] = []
  private var list: [UInt8] = []
  private var count = 0

  /// Adds a file.
  ///
  /// - Precondition: the archive stays below 4 GiB and 65,535 files.
  mutating func add(_ name: String, _ content: some Collection<UInt8>) {
    let start = bytes.count
    // The fields that both headers share, from the required version to the length of the name.
    var facts = [UInt8](repeating: 0, count: 10)
    facts += Self.little(CRC32.of(content))
    facts += Self.little(UInt32(content.count)) + Self.little(UInt32(content.count))
    facts += Self.little(UInt16(name.utf8.count))
    let header = 30 + name.utf8.count
    // The padding is an extra field named "FB": a header of four bytes, then zeros.
    let padding = (Self.alignment - (start + header + 4) % Self.alignment) % Self.alignment
    bytes += Self.little(UInt32(0x0403_4B50)) + facts + Self.little(UInt16(4 + padding))
    bytes += Array(name.utf8) + Array("FB".utf8) + Self.little(UInt16(padding))
    bytes += [UInt8](repeating: 0, count: padding) + content
    list += Self.little(UInt32(0x0201_4B50)) + Self.little(UInt16(0)) + facts
    list += [UInt8](repeating: 0, count: 12) + Self.little(UInt32(start)) + Array(name.utf8)
    count += 1
  }

  /// The archive.
  func finished() -> [UInt8] {
    var end = Self.little(UInt32(0x0605_4B50)) + Self.little(UInt32(0))
    end += Self.little(UInt16(count)) + Self.little(UInt16(count))
    end += Self.little(UInt32(list.count)) + Self.little(UInt32(bytes.count))
    return bytes + list + end + Self.little(UInt16(0))
  }

  private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}

/// The checksum of a zip archive's files (APPNOTE.TXT, section 4.4.7).
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ (value >> 1)
    }
  }

  static func of(_ bytes: some Collection<UInt8>) -> UInt32 {
    let table = table
    return ~bytes.reduce(UInt32.max) { value, byte in
      table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ (value >> 8)
    }
  }
}
