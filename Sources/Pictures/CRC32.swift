/// The checksum of PNG's chunks (ISO 3309; PNG specification, annex D).
package enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 0 ? value >> 1 : 0xedb8_8320 ^ (value >> 1)
    }
  }

  /// Checksum of the bytes in `range`.
  package static func of(_ bytes: [UInt8], in range: Range<Int>) -> UInt32 {
    let table = table
    var value = UInt32.max
    for i in range {
      value = table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[i])] ^ (value >> 8)
    }
    return ~value
  }
}
