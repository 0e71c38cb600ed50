import BollyGANPictures
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Damages files and decodes what is left. A crash ends the whole run; a hang shows as its time.
@Suite("Damaged files")
struct MutationTests {
  static let seeds = [
    "rgb-8bit.png", "palette-4bit-key-interlaced.png", "gray-alpha-16bit.png", "many-idat.png",
    "exif-6.png", "interlaced-3x3.png", "plain.jpg", "progressive.jpg", "arithmetic.jpg",
    "cmyk.jpg", "restart.jpg", "exif-5.jpg", "three-scans.jpg", "lossy.webp",
    "lossless-alpha.webp", "lossy-alpha.webp", "exif-7.webp", "animated.webp",
  ]

  /// Mutants of each file; the long run is for a release.
  static let rounds = ProcessInfo.processInfo.environment["BOLLYGAN_GATE"] == nil ? 400 : 50_000

  @Test("never crash the decoders", arguments: seeds)
  func mutants(name: String) throws {
    let original = try contents(fixtures + "/files/" + name)
    var random = SplitMix64(state: 1)
    var outcomes = (read: 0, refused: 0)
    for round in 0..<Self.rounds {
      var bytes = original
      for _ in 0...(round % 4) { damage(&bytes, &random) }
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
    // Otherwise the damage is too small or too great to test anything.
    #expect(outcomes.refused > 50)
  }

  @Test("every beginning of a file is refused or whole", arguments: seeds)
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

  private func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard !bytes.isEmpty else { return }
    // Headers are at the front; damage there reaches more code.
    let reach = random.next() % 2 == 0 ? bytes.count : min(bytes.count, 120)
    let place = Int(random.next() % UInt64(reach))
    switch random.next() % 8 {
    case 0: bytes[place] ^= 1 << UInt8(random.next() % 8)
    case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 2: bytes[place] = [0, 0xff, 0x7f, 0x80].randomElement(using: &random)!
    case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + Int(random.next() % 9)))
    case 4: bytes.removeSubrange(place...)
    case 5:
      let junk = (0...(random.next() % 9)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      bytes.insert(contentsOf: junk, at: place)
    case 6:
      let end = min(bytes.count, place + Int(random.next() % 60))
      bytes.insert(contentsOf: bytes[place..<end], at: place)
    default:
      let end = min(bytes.count, place + Int(random.next() % 20))
      for i in place..<end { bytes[i] = UInt8(truncatingIfNeeded: random.next()) }
    }
  }

  /// Makes the checksums right again, so that the damage gets past them.
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

/// Steele, Lea and Flood's generator (OOPSLA 2014): the same damage every time.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
