import BollyGANPictures
import Testing

/// A line of `Fixtures/pictures.csv`.
struct Fixture: CustomTestStringConvertible {
  let file: String
  /// The width and height of the upright image.
  let size: [Int]
  /// The CRC-32 of the RGB samples under each rule; nil if Pillow refuses a file that we read.
  let sums: [PictureRules: UInt32]
  let isRefused: Bool
  /// A part of the expected warning or error.
  let words: String

  var testDescription: String { file }

  static let all: [Fixture] = (try? table(fixtures + "/pictures.csv"))!.map { line in
    var sums: [PictureRules: UInt32] = [:]
    sums[.asDisplayed] = UInt32(line[3], radix: 16)
    sums[.pillow] = UInt32(line[4], radix: 16)
    return Fixture(
      file: line[0], size: [Int(line[1])!, Int(line[2])!], sums: sums, isRefused: line[3] == "-",
      words: line[5])
  }

  var bytes: [UInt8] {
    get throws { try contents(fixtures + "/files/" + file) }
  }
}

/// The CRC-32 of an image in RGB, as in `make_pictures.py`.
func sum(_ picture: Picture) -> UInt32 {
  let rgb = picture.converted(channels: 3).pixels
  return CRC32.of(rgb, in: rgb.indices)
}

@Suite("Decoding")
struct DecodingTests {
  @Test(
    "each file decodes to the samples that its script drew",
    arguments: Fixture.all.filter { !$0.isRefused })
  func asDisplayed(_ fixture: Fixture) throws {
    let (picture, warnings) = try decodePicture(fixture.bytes, rules: .asDisplayed)
    #expect([picture.width, picture.height] == fixture.size)
    #expect(sum(picture) == fixture.sums[.asDisplayed])
    #expect(warnings.isEmpty == fixture.words.isEmpty)
    #expect(
      fixture.words.isEmpty || warnings.contains { $0.contains(fixture.words) }, "\(warnings)")
  }

  @Test(
    "under Pillow's rules, each file that Pillow reads decodes to Pillow's samples",
    arguments: Fixture.all.filter { $0.sums[.pillow] != nil })
  func pillow(_ fixture: Fixture) throws {
    #expect(sum(try decodePicture(fixture.bytes, rules: .pillow).picture) == fixture.sums[.pillow])
  }

  @Test(
    "each damaged or foreign file is refused with the right reason",
    arguments: Fixture.all.filter(\.isRefused), PictureRules.allCases)
  func refused(_ fixture: Fixture, rules: PictureRules) throws {
    let bytes = try fixture.bytes
    let error = #expect(throws: PictureError.self) { try decodePicture(bytes, rules: rules) }
    let reason = try #require(error).description
    #expect(reason.contains(fixture.words))
    #expect(reason.utf8.allSatisfy { (0x20..<0x7f).contains($0) } && reason.utf8.count < 300)
  }
}
