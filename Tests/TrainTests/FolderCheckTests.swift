import BollyGANPictures
import BollyGANDemo
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Folder check")
struct FolderCheckTests {
  private static let faces = CartoonFaces(seed: 7)

  private func check(_ scratch: Scratch, side: Int = 64, channels: Int = 3) async throws
    -> FolderCheck
  {
    try await FolderCheck.examine(
      folder: scratch / "data", format: .init(side: side, channels: channels, rules: .asDisplayed),
      threads: 3)
  }

  /// The names found, by kind.
  private func names(_ check: FolderCheck) -> [FolderCheck.Kind: [String]] {
    Dictionary(grouping: check.findings, by: \.kind).mapValues { $0.map { "\($0.name)" } }
  }

  private func put(_ picture: Picture, _ name: String, in scratch: Scratch) throws {
    try scratch.write(picture.encodePNG(), to: "data/\(name)")
  }

  private func changed(_ picture: Picture, _ body: (_ x: Int, _ y: Int, _ c: Int, UInt8) -> UInt8)
    -> Picture
  {
    let (width, channels) = (picture.width, picture.channels)
    return Picture(
      width: width, height: picture.height, channels: channels,
      pixels: picture.pixels.enumerated().map { place, value in
        body(place / channels % width, place / channels / width, place % channels, value)
      })
  }

  @Test("400 different cartoon faces give no findings")
  func clean() async throws {
    let scratch = try Scratch()
    for index in 0..<400 {
      try put(Self.faces.picture(index: index, side: 64), "\(index).png", in: scratch)
    }
    let found = try await check(scratch)
    #expect(found.pictures == 400)
    #expect(found.findings.isEmpty, "\(found.findings.prefix(5))")
  }

  @Test("edited copies are found, and the largest image counts as the original")
  func copies() async throws {
    let scratch = try Scratch()
    let face = Self.faces.picture(index: 3, side: 128)
    for index in 10..<60 {
      try put(Self.faces.picture(index: index, side: 64), "other-\(index).png", in: scratch)
    }
    try put(face, "c-0-original.png", in: scratch)
    try put(face.resized(shortSide: 64), "a-smaller.png", in: scratch)
    try put(face.resized(shortSide: 32).resized(shortSide: 96), "b-enlarged.png", in: scratch)
    try put(
      changed(face) { _, _, _, v in UInt8(Double(v) * 0.7 + 50) }, "c-lighter.png", in: scratch)
    try put(
      changed(face) { x, y, c, _ in face.pixels[(y * 128 + 127 - x) * 3 + c] }, "d-mirrored.png",
      in: scratch)
    try put(
      changed(face) { x, y, c, v in UInt8(clamping: Int(v) + (x * 31 + y * 17 + c * 7) % 13 - 6) },
      "e-noisy.png", in: scratch)
    try put(face.converted(channels: 1), "f-gray.png", in: scratch)
    let found = try await check(scratch)
    #expect(
      names(found)[.copy] == [
        "a-smaller.png", "b-enlarged.png", "c-lighter.png", "d-mirrored.png", "e-noisy.png",
        "f-gray.png",
      ])
    for finding in found.findings where finding.kind == .copy {
      #expect(
        finding.detail.contains("c-0-original.png (correlation 0.9")
          || finding.detail.contains("(correlation 1"))
      #expect(finding.detail.hasPrefix("mirrored") == (finding.name == BytePath("d-mirrored.png")))
    }
  }

  @Test("problems of single images are found")
  func singly() async throws {
    let scratch = try Scratch()
    func face(_ index: Int, _ side: Int = 64) -> Picture {
      Self.faces.picture(index: index, side: side)
    }
    try put(face(0), "good.png", in: scratch)
    try scratch.write(Array("no picture".utf8), to: "data/text.jpg")
    try put(changed(face(1)) { _, _, _, _ in 200 }, "blank.png", in: scratch)
    try put(face(2, 128).resized(shortSide: 12).resized(shortSide: 64), "blurred.png", in: scratch)
    try put(face(3).converted(channels: 1).converted(channels: 3), "gray.png", in: scratch)
    try put(face(4, 48), "small.png", in: scratch)
    try put(
      changed(face(5)) { _, y, _, v in y < 5 || y > 60 ? 0 : v }, "bordered.png", in: scratch)
    try put(changed(face(6)) { x, _, _, v in x < 5 ? 0 : v }, "half-bordered.png", in: scratch)
    let wide = (0..<64).flatMap { y in
      (0..<3).flatMap { face(7 + $0).pixels[y * 192..<(y + 1) * 192] }
    }
    try put(Picture(width: 192, height: 64, channels: 3, pixels: wide), "long.png", in: scratch)
    let found = names(try await check(scratch))
    #expect(
      found == [
        .unreadable: ["text.jpg"], .blank: ["blank.png"], .blurred: ["blurred.png"],
        .gray: ["gray.png"], .bordered: ["bordered.png"], .small: ["small.png"],
        .long: ["long.png"],
      ])
    // Gray images are no problem for training in grayscale.
    #expect(names(try await check(scratch, channels: 1))[.gray] == nil)
    #expect(names(try await check(scratch, side: 32))[.small] == nil)
  }

  @Test("an exclusion list survives a round trip with any names, and excludes only those")
  func list() async throws {
    let odd = [
      BytePath("a.png"), BytePath("# not a comment.png"), BytePath("sub/b\\c.png"),
      BytePath("line\nbreak\r.png"), BytePath(bytes: [0xFF, 0x2E, 0x70, 0x6E, 0x67]),
      BytePath("é #1.png"),
    ]
    let list = ExclusionList(names: odd)
    #expect(list.lines.last == "é #1.png" && list.lines[1] == "\\x23 not a comment.png")
    let text = "# comment\n\n" + list.lines.joined(separator: "\r\n") + "\n"
    #expect(try ExclusionList(bytes: Array(text.utf8)) == list)
    #expect(try ExclusionList(lines: list.lines) == list)
    #expect(throws: ExclusionListError.self) {
      try ExclusionList(bytes: Array("a\nb\\n".utf8))
    }

    let scratch = try Scratch()
    for index in 0..<6 {
      try put(Self.faces.picture(index: index / 2, side: 64), "\(index).png", in: scratch)
    }
    try scratch.write([1], to: "data/bad.png")
    let found = try await check(scratch)
    let written = try ExclusionList(bytes: found.list(kinds: [.copy, .unreadable]))
    #expect(written.names == Set(["bad.png", "1.png", "3.png", "5.png"].map { BytePath($0) }))
    let set = try await PictureSet.load(
      folder: scratch / "data", format: .init(side: 64, channels: 3, rules: .asDisplayed),
      excluding: written.names, threads: 2)
    #expect(set.names.map(\.description) == ["0.png", "2.png", "4.png"])
    #expect(set.excluded == 4 && set.skipped.isEmpty)
    #expect(found.list(kinds: [.blank]).split(separator: UInt8(ascii: "\n")).count == 1)
  }

  /// The most similar pair of different photographs correlates by less than 0.97.
  @Test(
    "thousands of photographs give few findings, all of them correct",
    .enabled(if: ProcessInfo.processInfo.environment["BOLLYGAN_SHARED"] != nil))
  func photographs() async throws {
    let shared = try #require(ProcessInfo.processInfo.environment["BOLLYGAN_SHARED"])
    let found = try await FolderCheck.examine(
      folder: shared + "/data/bollywood-faces",
      format: .init(side: 64, channels: 3, rules: .asDisplayed), threads: 2)
    #expect(found.pictures == 7114)
    // The authors of the data set removed copies, but not mirrored ones.
    #expect(found.count(.copy) == 9)
    for finding in found.findings where finding.kind == .copy {
      #expect(finding.detail.hasPrefix("mirrored "))
    }
    #expect(found.count(.unreadable) == 0 && found.count(.small) == 0)
    #expect(found.count(.blurred) <= 20 && found.count(.blank) == 0)
    #expect((40...60).contains(found.count(.gray)))
  }
}
