/// Cyclic redundancy checks of 32 bits, computed with a table of all bytes.
package enum CRC32 {
  private static let table = table(reversedPolynomial: 0xedb8_8320)
  private static let castagnoliTable = table(reversedPolynomial: 0x82f6_3b78)

  private static func table(reversedPolynomial: UInt32) -> [UInt32] {
    (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { value, _ in
        value & 1 == 0 ? value >> 1 : reversedPolynomial ^ (value >> 1)
      }
    }
  }

  /// The CRC of PNG chunks (ISO 3309; PNG specification, annex D) over a range of bytes.
  package static func of(_ bytes: [UInt8], in range: Range<Int>) -> UInt32 {
    checksum(bytes, in: range, table: table)
  }

  /// The CRC-32C of TensorBoard records, with Castagnoli's polynomial (RFC 3720, appendix B.4).
  package static func castagnoli(_ bytes: [UInt8]) -> UInt32 {
    checksum(bytes, in: bytes.indices, table: castagnoliTable)
  }

  private static func checksum(_ bytes: [UInt8], in range: Range<Int>, table: [UInt32]) -> UInt32 {
    var value = UInt32.max
    for i in range {
      value = table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[i])] ^ (value >> 8)
    }
    return ~value
  }
}
