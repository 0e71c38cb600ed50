import BollyGANModel
import BollyGANPictures
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Data folder")
struct RunDataTests {
  private func touch(_ names: [String], in scratch: Scratch) throws {
    for name in names { try scratch.write([1], to: name) }
  }

  @Test("files are listed in the order of torchvision's ImageFolder")
  func order() throws {
    let scratch = try Scratch()
    try touch(
      [
        "b/2.png", "b/10.png", "a/x/1.jpg", "a/z.JPG", "a/x-y/1.webp", "a-b/1.jpeg", "A/ü.png",
        "A/z.PNG", "a/x.d/y/1.tif", "a/x/Z.ppm",
      ], in: scratch)
    // From torchvision 0.29.2: [os.path.relpath(p, root) for p, _ in ImageFolder(root).samples].
    #expect(
      try FolderListing(folder: scratch.path).pictures.map(\.description) == [
        "A/z.PNG", "A/ü.png", "a/z.JPG", "a/x/1.jpg", "a/x/Z.ppm", "a/x-y/1.webp",
        "a/x.d/y/1.tif", "a-b/1.jpeg", "b/10.png", "b/2.png",
      ])
  }

  @Test("files directly in the folder come first, hidden ones are ignored")
  func flat() throws {
    let scratch = try Scratch()
    try touch(
      ["z.png", "a/1.png", "._z.png", ".hidden/1.png", "notes.txt", "Thumbs.db", "png"],
      in: scratch)
    let listing = try FolderListing(folder: scratch.path)
    #expect(listing.pictures.map(\.description) == ["z.png", "a/1.png"])
    #expect(listing.others.map(\.description) == ["Thumbs.db", "notes.txt", "png"])
  }

  @Test("links are followed, and circular ones are reported")
  func links() throws {
    let scratch = try Scratch()
    try touch(["data/a/1.png", "elsewhere/2.png"], in: scratch)
    let files = FileManager.default
    try files.createSymbolicLink(
      atPath: scratch / "data/b", withDestinationPath: scratch / "elsewhere")
    try files.createSymbolicLink(
      atPath: scratch / "data/a/loop", withDestinationPath: scratch / "data")
    try files.createSymbolicLink(
      atPath: scratch / "data/b/gone.png", withDestinationPath: "nothing")
    let listing = try FolderListing(folder: scratch / "data")
    #expect(listing.pictures.map(\.description) == ["a/1.png", "b/2.png", "b/gone.png"])
    #expect(listing.unreadable.map(\.name.description) == ["a/loop"])
  }

  @Test("a missing folder is an error, not an empty folder")
  func missing() {
    #expect(throws: FileError.missing(path: "/no/such/folder")) {
      try FolderListing(folder: "/no/such/folder")
    }
  }

  #if os(Linux)
    @Test("files with names that are not UTF-8 are read")
    func bytes() async throws {
      let scratch = try Scratch()
      let png = try stripes(1).encodePNG()
      let name: [UInt8] = Array("\(scratch.path)/".utf8) + [0xFF, 0xFE] + Array(" -x\n.png".utf8)
      let file = unsafe (name.map(CChar.init(bitPattern:)) + [0]).withUnsafeBufferPointer {
        unsafe fopen($0.baseAddress!, "w")
      }
      _ = unsafe fwrite(png, 1, png.count, file)
      unsafe fclose(file!)
      let set = try await PictureSet.load(folder: scratch.path, format: format, threads: 1)
      #expect(set.count == 1 && set.skipped.isEmpty)
    }
  #endif

  private let format = PictureSet.Format(side: 32, channels: 3, rules: .asDisplayed)

  @Test("bad files are reported with reasons; the others keep their order and fingerprint")
  func bad() async throws {
    let scratch = try Scratch()
    try drawStripes(70, in: scratch)
    let clean = try await PictureSet.load(folder: scratch / "data", format: format, threads: 3)
    #expect(clean.count == 70 && clean.pixels.count == 70 * 32 * 32 * 3)
    try scratch.write(Array("<html>".utf8), to: "data/0/page.png")
    try scratch.write([], to: "data/1/empty.jpg")
    try FileManager.default.createDirectory(
      atPath: scratch / "data/2/folder.png", withIntermediateDirectories: true)
    #expect(unsafe mkfifo(scratch / "data/2/pipe.png", 0o600) == 0)
    let mixed = try await PictureSet.load(folder: scratch / "data", format: format, threads: 2)
    #expect(mixed.names == clean.names)
    #expect(mixed.pixels == clean.pixels)
    #expect(mixed.fingerprint == clean.fingerprint)
    let reasons = Dictionary(
      uniqueKeysWithValues: mixed.skipped.map { ($0.name.description, $0.reason) })
    #expect(reasons.keys.sorted() == ["0/page.png", "1/empty.jpg", "2/pipe.png"])
    #expect(reasons["1/empty.jpg"] == "is empty")
    #expect(reasons["2/pipe.png"] == "not a regular file")
    await #expect(throws: DataFolderError.self) {
      try await PictureSet.load(
        folder: scratch / "data", format: format, isStrict: true, threads: 2)
    }
  }

  @Test("the fingerprint depends on pixels, names and size")
  func fingerprint() async throws {
    let scratch = try Scratch()
    try drawStripes(4, in: scratch)
    func fingerprint(_ format: PictureSet.Format) async throws -> String {
      try await PictureSet.load(folder: scratch / "data", format: format, threads: 1).fingerprint
    }
    var seen = [try await fingerprint(format)]
    seen.append(try await fingerprint(.init(side: 64, channels: 3, rules: .asDisplayed)))
    seen.append(try await fingerprint(.init(side: 32, channels: 1, rules: .asDisplayed)))
    try FileManager.default.moveItem(
      atPath: scratch / "data/0/picture-3.png", toPath: scratch / "data/0/picture-4.png")
    seen.append(try await fingerprint(format))
    var pixels = stripes(3).pixels
    pixels[77] ^= 1
    let changed = Picture(width: 32, height: 32, channels: 3, pixels: pixels)
    try scratch.write(try changed.encodePNG(), to: "data/0/picture-4.png")
    seen.append(try await fingerprint(format))
    #expect(Set(seen).count == 5)
  }

  @Test("images are resized and cropped as by torchvision's transforms")
  func transforms() async throws {
    let scratch = try Scratch()
    let wide = stripes(9, width: 90, height: 50)
    try scratch.write(try wide.encodePNG(), to: "wide.png")
    for channels in [1, 3] {
      let set = try await PictureSet.load(
        folder: scratch.path, format: .init(side: 32, channels: channels, rules: .asDisplayed),
        threads: 1)
      let expected = wide.converted(channels: channels).resized(width: 57, height: 32)
      for (x, y) in [(0, 0), (31, 0), (5, 31), (17, 16)] {
        for channel in 0..<channels {
          // round((57 - 32) / 2) is 12, because halves round to even.
          #expect(
            set.pixels[(y * 32 + x) * channels + channel]
              == expected.pixels[(y * 57 + x + 12) * channels + channel])
        }
      }
    }
  }

  @Test("a batch holds the requested images, mirrored if requested")
  func batch() async throws {
    let scratch = try Scratch()
    for number in 0..<3 { try scratch.write(try stripes(number).encodePNG(), to: "\(number).png") }
    let set = try await PictureSet.load(folder: scratch.path, format: format, threads: 1)
    let order = [9, 2, 0, 1]
    let plain = set.batch(order[1...2], mirrored: [false, false])
    #expect(plain == stripes(2).pixels + stripes(0).pixels)
    let mirrored = set.batch(order[1...2], mirrored: [true, false])
    #expect(mirrored[(32 * 32 * 3)...] == plain[(32 * 32 * 3)...])
    for (x, y) in [(0, 0), (31, 7), (12, 30)] {
      for c in 0..<3 {
        #expect(mirrored[(y * 32 + x) * 3 + c] == stripes(2).pixels[(y * 32 + 31 - x) * 3 + c])
      }
    }
  }

  @Test("unusual image files load or fail as their list says")
  func unusualFiles() async throws {
    guard let shared = ProcessInfo.processInfo.environment["BOLLYGAN_SHARED"] else {
      print("BOLLYGAN_SHARED is not set: unusual image files were not checked")
      return
    }
    let folder = shared + "/data/odd-images"
    let table = try String(contentsOfFile: folder + "/expected.csv", encoding: .utf8)
    let expected = table.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[0...1] }
    let set = try await PictureSet.load(folder: folder, format: format, threads: 2)
    let loaded = Set(set.names.map(\.description))
    for row in expected {
      switch row[1] {
      case "load": #expect(loaded.contains(String(row[0])), "\(row[0])")
      case "skip": #expect(!loaded.contains(String(row[0])), "\(row[0])")
      default: break
      }
    }
    #expect(set.skipped.allSatisfy { !$0.reason.isEmpty })
    let hidden = expected.count { $0[0].hasPrefix("._") }
    // README.md and the list itself are not in the list.
    #expect(set.count + set.skipped.count + set.others.count + hidden == expected.count + 2)
    print("BOLLYGAN_SHARED is set: \(expected.count) unusual image files were checked")
  }
}
