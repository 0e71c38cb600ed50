import BollyGANModel
import BollyGANPictures
import Testing

@Suite("bollygan-infer interpolate", .timeLimit(.minutes(3)))
struct InterpolateTests {
  static let ends = Latents.numpy(seeds: [3, 14, 15], size: 16)

  /// The latents of a walk, by definition.
  static func walk(steps: Int, isLinear: Bool, isLoop: Bool) -> Latents {
    let legs = isLoop ? [(0, 1), (1, 2), (2, 0)] : [(0, 1), (1, 2)]
    var values = legs.flatMap { from, to in
      (0..<steps).flatMap { step in
        let t = Double(step) / Double(steps)
        return isLinear
          ? Latents.lerp(ends[from], ends[to], t) : Latents.slerp(ends[from], ends[to], t)
      }
    }
    if !isLoop { values += ends[2] }
    return Latents(count: values.count / 16, size: 16, values: values)
  }

  @Test(
    "goes from each latent to the next in equal steps",
    arguments: [[], ["--linear"], ["--loop"], ["--linear", "--loop"]])
  func latents(flags: [String]) async throws {
    let model = try SmallModel(side: 32)
    try await model.infer(
      ["interpolate", "--seeds", "3,14,15", "--steps", "5", "--out", "x.rgb"] + flags
        + ["--save-latents", "z.npy", "--batch", "4"])
    let expected = Self.walk(
      steps: 5, isLinear: flags.contains("--linear"), isLoop: flags.contains("--loop"))
    #expect(expected.count == (flags.contains("--loop") ? 15 : 11))
    // The weights of the two ends are rounded once more here than in the command.
    let saved = try Latents(bytes: model.folder.bytes("z.npy"))
    #expect(saved.count == expected.count)
    #expect(zip(saved.values, expected.values).allSatisfy { abs($0 - $1) <= 1e-6 })
    #expect(saved[5] == Self.ends[1])
    #expect(
      try model.folder.bytes("x.rgb") == model.pictures(saved).flatMap(\.pixels))
  }

  @Test("--out FILE.png is a strip whose metadata describes the walk")
  func strip() async throws {
    let model = try SmallModel(side: 32)
    try await model.infer("interpolate", "--seeds", "3,14,15", "--steps", "4", "--out", "x.png")
    let faces = model.pictures(Self.walk(steps: 4, isLinear: false, isLoop: false))
    #expect(try model.picture("x.png") == grid(faces, columns: 9))
    let texts = try model.texts("x.png")
    #expect(texts["seed"] == "3,14-15")
    #expect(texts["path"] == "slerp")
    #expect(texts["steps"] == "4")
    #expect(texts["frame"] == "0-8")
  }

  @Test("--out FOLDER/ writes a file for each frame")
  func frames() async throws {
    let model = try SmallModel(side: 32)
    try await model.infer(
      "interpolate", "--seed", "5", "--count", "2", "--steps", "3", "--out", "walk/")
    #expect(try model.folder.names(in: "walk") == (0...3).map { "frame000\($0).png" })
    let ends = model.pictures(.torch(seed: 5, count: 2, size: 16))
    #expect(try model.picture("walk/frame0000.png") == ends[0])
    #expect(try model.picture("walk/frame0003.png") == ends[1])
    #expect(try model.texts("walk/frame0002.png")["frame"] == "2")
  }

  @Test("writes an animation by default, with a frame for each step at the requested rate")
  func animation() async throws {
    let model = try SmallModel(side: 32)
    let result = try await model.infer(
      "interpolate", "--seeds", "3,14,15", "--loop", "--steps", "6", "--fps", "25")
    #expect(result.status == 0)
    let file = try model.folder.bytes("walk.webp")
    let frames = try RIFF(file).chunks("ANMF")
    #expect(frames.count == 18)
    for frame in frames {
      // The duration in milliseconds: 24 bits, after four fields of 24 bits (WebP container
      // specification, ANMF).
      #expect(Array(frame[12..<15]) == [40, 0, 0])
    }
    let streamed = try await model.infer(
      "interpolate", "--seeds", "3,14,15", "--loop", "--steps", "6", "--fps", "25", "--out", "-")
    #expect(streamed.output == file)
  }

  @Test(
    "reads latents from a file, and exits with 65 if there are fewer than two", arguments: [1, 2])
  func file(count: Int) async throws {
    let model = try SmallModel(side: 32)
    let ends = Latents(count: count, size: 16, values: Array(Self.ends.values.prefix(16 * count)))
    try model.folder.write(ends.npy.encoded(), to: "z.npy")
    let result = try await model.infer(
      "interpolate", "--latents", "z.npy", "--steps", "2", "--out", "x/")
    #expect(result.status == (count == 2 ? 0 : 65))
    #expect(result.errors.contains("2 to ") == (count == 1))
  }

  @Test("accepts StyleGAN's option names")
  func aliases() async throws {
    let model = try SmallModel(side: 32)
    let result = try await model.infer(
      "interpolate", "--seeds", "1,2", "--w-frames", "2", "--output", "x.rgb")
    #expect(result.status == 0)
    #expect(try model.folder.bytes("x.rgb").count == 3 * 32 * 32 * 3)
  }
}

/// A RIFF file, the container of WebP.
private struct RIFF {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) throws {
    try #require(bytes.starts(with: Array("RIFF".utf8)))
    self.bytes = bytes
  }

  /// The contents of all chunks of one kind.
  func chunks(_ kind: String) -> [ArraySlice<UInt8>] {
    var found: [ArraySlice<UInt8>] = []
    var position = 12
    while position + 8 <= bytes.count {
      let size = (0..<4).reduce(0) { $0 | Int(bytes[position + 4 + $1]) << (8 * $1) }
      let content = position + 8..<min(bytes.count, position + 8 + size)
      if bytes[position..<position + 4] == Array(kind.utf8)[...] {
        found.append(ArraySlice(Array(bytes[content])))
      }
      position += 8 + size + size % 2
    }
    return found
  }
}
