import BollyGANModel
import Testing

@Suite("Paths as text")
struct PathTextTests {
  @Test(
    "valid UTF-8 is unchanged in both directions",
    arguments: ["", "faces.png", "चेहरा/é.png", "e\u{301}", "\u{FFFD}", "\u{10FFFF}", "😀", "a\nb"])
  func plain(text: String) {
    #expect(Array(String(pathBytes: text.utf8).unicodeScalars) == Array(text.unicodeScalars))
    #expect(text.pathBytes == Array(text.utf8))
  }

  @Test(
    "any bytes survive the conversion to text and back",
    arguments: [
      [0xFF], [0x61, 0xE9, 0x62], [0xC3], [0xC3, 0x28], [0xE2, 0x82], [0xF0, 0x9F, 0x98],
      [0xED, 0xA0, 0x80],  // a surrogate
      [0xF4, 0x90, 0x80, 0x80],  // beyond Unicode
      [0xC0, 0x80],  // NUL in an overlong form
      [0xEE, 0xBE, 0x80],  // U+EF80, which represents 0x80
      [0xEE, 0xBF, 0xBF, 0x80, 0xEE, 0xBE, 0x80],
    ] as [[UInt8]])
  func bytes(_ bytes: [UInt8]) {
    #expect(String(pathBytes: bytes).pathBytes == bytes)
  }

  @Test("a million random bytes survive, so no two paths become the same text")
  func random() {
    var random = TorchRandom(seed: 1)
    for _ in 0..<50_000 {
      let bytes = (0..<20).map { _ in
        // Mostly lead and continuation bytes.
        let word = random.next32()
        return UInt8(truncatingIfNeeded: word >> 8) | (word & 3 == 0 ? 0 : 0x80)
      }
      #expect(String(pathBytes: bytes).pathBytes == bytes)
    }
  }

  @Test("a byte that is not UTF-8 becomes a private-use scalar")
  func shown() {
    #expect(String(pathBytes: [0x61, 0xFF, 0x62]) == "a\u{EFFF}b")
  }
}
