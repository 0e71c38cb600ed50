import BollyGANPictures
import Testing

@Suite("Encoding")
struct EncodingTests {
  static let pictures: [Picture] = [1, 3].flatMap { channels in
    [(1, 1), (1, 7), (530, 3), (64, 64), (33, 47)].map {
      formulaPicture($0.0, $0.1, channels: channels)
    }
  }

  @Test("a PNG file preserves every sample", arguments: pictures, PNGEffort.allCases)
  func roundTrip(picture: Picture, effort: PNGEffort) throws {
    let file = try picture.encodePNG(effort: effort)
    for rules in PictureRules.allCases {
      let (decoded, warnings) = try decodePicture(file, rules: rules)
      #expect(decoded == picture)
      #expect(warnings.isEmpty)
    }
    #expect(try picture.encodePNG(effort: effort) == file)
  }

  @Test("the bytes of a PNG file do not depend on how its rows are divided", arguments: pictures)
  func rows(picture: Picture) throws {
    let text = [PNGText(keyword: "seed", text: "42")]
    let row = picture.width * picture.channels
    for step in [1, 5] {
      let writer = try PNGWriter(
        width: picture.width, height: picture.height, channels: picture.channels, text: text)
      for start in stride(from: 0, to: picture.height, by: step) {
        #expect(throws: PictureError.self) { try writer.finish() }
        let end = min(start + step, picture.height)
        try writer.add(rows: Array(picture.pixels[start * row..<end * row]))
      }
      #expect(throws: PictureError.self) {
        try writer.add(rows: [UInt8](repeating: 0, count: row))
      }
      let file = try writer.finish()
      #expect(try picture.encodePNG(text: text) == file)
    }
  }

  @Test("incomplete rows, invalid sizes and invalid channels are refused")
  func badRows() throws {
    let writer = try PNGWriter(width: 3, height: 2, channels: 3)
    #expect(throws: PictureError.self) { try writer.add(rows: [1, 2, 3]) }
    let sizes = [(0, 1, 1), (1, 0, 1), (1, 1, 2), (-1, 1, 1), (1 << 31, 1, 1)]
    for (width, height, channels) in sizes {
      #expect(throws: PictureError.self) {
        try PNGWriter(width: width, height: height, channels: channels)
      }
    }
  }

  @Test("texts are preserved and do not change the image")
  func text() throws {
    let picture = formulaPicture(20, 10, channels: 3)
    let texts = [
      PNGText(keyword: "bollygan.seed", text: "42"),
      PNGText(keyword: "Title", text: "Gesichter: ä, नाम, 🙂\nzweite Zeile"),
      PNGText(keyword: String(repeating: "k", count: 79), text: ""),
      PNGText(keyword: "Title", text: String(repeating: "long ", count: 40_000)),
    ]
    let file = try picture.encodePNG(text: texts)
    #expect(try pngTexts(file) == texts)
    #expect(try decodePicture(file).picture == picture)
    #expect(try pngTexts(try picture.encodePNG()).isEmpty)
  }

  @Test(
    "texts that are not allowed in a PNG file are refused",
    arguments: [
      ("", "x"), (" a", "x"), ("a ", "x"), ("ä", "x"), ("a\u{0}", "x"), ("a\n", "x"),
      (String(repeating: "k", count: 80), "x"), ("a", "x\u{0}y"),
    ])
  func badText(keyword: String, text: String) {
    let picture = formulaPicture(2, 2, channels: 1)
    #expect(throws: PictureError.self) {
      try picture.encodePNG(text: [PNGText(keyword: keyword, text: text)])
    }
  }

  /// A PNG file with an additional chunk after its header.
  private func file(_ type: String, _ content: [UInt8], damaged: Bool = false) throws -> [UInt8] {
    let picture = try formulaPicture(1, 1, channels: 1).encodePNG()
    let body = Array(type.utf8) + content
    let bytes = { (number: UInt32) in (0..<4).map { UInt8(number >> (24 - 8 * $0) & 255) } }
    let sum = CRC32.of(body, in: body.indices) ^ (damaged ? 1 : 0)
    let chunk = bytes(UInt32(content.count)) + body + bytes(sum)
    return Array(picture[..<33]) + chunk + Array(picture[33...])
  }

  @Test("texts written by other programs are read within bounds or refused")
  func foreignTexts() throws {
    #expect(
      try pngTexts(file("tEXt", [0x61, 0, 0xe4, 0x62]))
        == [PNGText(keyword: "a", text: "äb")])
    let whole: [UInt8] = [0x61, 0, 0, 0, 0x64, 0x65, 0, 0x78, 0, 0xc3, 0xa4]
    #expect(try pngTexts(file("iTXt", whole)) == [PNGText(keyword: "a", text: "ä")])
    let bad: [[UInt8]] = [
      [], [0], [0x61], [0x61, 0], [0x61, 0, 0, 0], [0x61, 0, 0, 0, 0x64, 0], [0x61, 0, 1, 0, 0, 0],
      [0x61, 0, 0, 0, 0, 0, 0xff], Array(repeating: 0x61, count: 90) + [0, 0, 0, 0, 0],
    ]
    for content in bad {
      #expect(throws: PictureError.self, "\(content)") { try pngTexts(file("iTXt", content)) }
    }
    #expect(throws: PictureError.self) { try pngTexts(file("iTXt", whole, damaged: true)) }
    #expect(throws: PictureError.self) { try pngTexts(Array(file("iTXt", whole).prefix(50))) }
    #expect(throws: PictureError.self) { try pngTexts([]) }
    let large = [0x61, 0, 0, 0, 0, 0] + [UInt8](repeating: 0x62, count: 16 << 20)
    #expect(throws: PictureError.self) { try pngTexts(file("iTXt", large)) }
  }

  @Test("a lossless animation preserves its frames, durations and loops")
  func animation() throws {
    let frames = (0..<5).map { formulaPicture(31, 18, channels: 3, plus: 40 * $0) }
    let animation = try WebPAnimation(width: 31, height: 18, millisecondsPerFrame: 40, loops: 3)
    for frame in frames { try animation.add(frame) }
    let file = try animation.finish()
    let decoded = try decodeWebPFrames(file)
    #expect(decoded.map(\.picture) == frames)
    #expect(decoded.map(\.milliseconds) == [40, 40, 40, 40, 40])
    let still = try decodePicture(file)
    #expect(still.picture == frames[0])
    #expect(still.warnings == ["has 5 frames; the first is read"])
    // The ANIM chunk ends with the number of loops, little-endian.
    let header = try #require(
      file.indices.first { file[$0...].starts(with: Array("ANIM".utf8)) })
    #expect(file[(header + 12)..<(header + 14)] == [3, 0])
  }

  @Test("a lossy animation is reproducible and close to the original")
  func lossyAnimation() throws {
    let frames = (0..<4).map { n in
      let pixels = (0..<2304).map { i in UInt8(i % 48 + i / 48 * 3 + 5 * n) }
      return Picture(width: 48, height: 48, channels: 1, pixels: pixels)
    }
    func file(_ quality: WebPAnimation.Quality) throws -> [UInt8] {
      let animation = try WebPAnimation(
        width: 48, height: 48, millisecondsPerFrame: 20, quality: quality)
      for frame in frames { try animation.add(frame) }
      return try animation.finish()
    }
    let lossy = try file(.high)
    #expect(try file(.high) == lossy)
    for (frame, decoded) in zip(frames, try decodeWebPFrames(lossy)) {
      let wanted = frame.converted(channels: 3).pixels
      let error = zip(wanted, decoded.picture.pixels).map { abs(Int($0) - Int($1)) }
      // Quality 92 keeps smooth ramps within a few of 255 levels.
      #expect(error.reduce(0, +) < 3 * error.count)
    }
  }

  @Test("an animation without frames or with a number out of range is refused")
  func badAnimation() throws {
    let empty = try WebPAnimation(width: 4, height: 4, millisecondsPerFrame: 1)
    #expect(throws: PictureError.self) { try empty.finish() }
    for (width, height, time) in [(0, 4, 1), (4, 16_384, 1), (4, 4, 0), (4, 4, 1 << 24)] {
      #expect(throws: PictureError.self) {
        try WebPAnimation(width: width, height: height, millisecondsPerFrame: time)
      }
    }
  }
}
