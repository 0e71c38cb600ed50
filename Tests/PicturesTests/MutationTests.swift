import BollyGANPictures
import TestSupport
import Testing

/// Decodes damaged files. A crash would end the test run, and a hang would show in its time.
@Suite("Damaged files")
struct MutationTests {
  static let seeds = [
    "rgb-8bit.png", "palette-4bit-key-interlaced.png", "gray-alpha-16bit.png", "many-idat.png",
    "exif-6.png", "interlaced-3x3.png", "plain.jpg", "progressive.jpg", "arithmetic.jpg",
    "cmyk.jpg", "restart.jpg", "exif-5.jpg", "three-scans.jpg", "lossy.webp",
    "lossless-alpha.webp", "lossy-alpha.webp", "exif-7.webp", "animated.webp",
  ]

  /// The number of mutants of each file. A release is tested with more.
  static let rounds = Damage.isThorough ? 50_000 : 400

  @Test("damaged files do not crash the decoders", arguments: seeds)
  func mutants(name: String) throws {
    let original = try contents(fixtures + "/files/" + name)
    var damage = Damage(seed: 1)
    var outcomes = (read: 0, refused: 0)
    for round in 0..<Self.rounds {
      var bytes = original
      for _ in 0...(round % 4) { damage.spoil(&bytes, head: 120) }
      if round % 2 == 0, name.hasSuffix(".png") { mendSums(&bytes) }
      for rules in PictureRules.allCases {
        do throws(PictureError) {
          let picture = try decodePicture(bytes, rules: rules).picture
          #expect(picture.pixels.count == picture.width * picture.height * picture.channels)
          outcomes.read += 1
        } catch {
          #expect(!error.description.isEmpty)
          outcomes.refused += 1
        }
      }
      _ = try? pngTexts(bytes)
    }
    // With fewer, the damage would be too small to test anything.
    #expect(outcomes.refused > 50)
  }

  @Test("a truncated file is refused or decodes to the complete image", arguments: seeds)
  func beginnings(name: String) throws {
    let original = try contents(fixtures + "/files/" + name)
    let picture = try decodePicture(original).picture
    for count in 0..<original.count {
      do throws(PictureError) {
        let found = try decodePicture(Array(original.prefix(count))).picture
        #expect(found == picture, "\(count) of \(original.count) bytes")
      } catch {}
    }
  }

  /// Corrects the checksums, so that the damage gets past them.
  private func mendSums(_ bytes: inout [UInt8]) {
    var position = 8
    while position + 12 <= bytes.count {
      let length = bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - position - 12 else { return }
      let end = position + 8 + length
      let sum = CRC32.of(bytes, in: (position + 4)..<end)
      for i in 0..<4 { bytes[end + i] = UInt8(sum >> (24 - 8 * i) & 255) }
      position = end + 4
    }
  }
}
