import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import Foundation
import Testing

@Suite("bollygan-infer generate", .timeLimit(.minutes(3)))
struct GenerateTests {
  @Test("without options, draws the 64 faces of seed 0 into faces.png")
  func defaults() async throws {
    let model = try SmallModel()
    let result = try await model.infer()
    #expect(result.status == 0)
    #expect(result.output.isEmpty && result.errors.isEmpty)
    #expect(try model.folder.names() == ["faces.png", "model.safetensors"])
    let faces = model.pictures(.torch(seed: 0, count: 64, size: 16))
    #expect(try model.picture("faces.png") == grid(faces, columns: 8))
    let id = try SafetensorsFile(bytes: model.folder.bytes("model.safetensors")).tensorHash
    #expect(
      try model.texts("faces.png") == [
        "model": id, "random": "torch", "seed": "0", "index": "0-63", "truncation": "1.0",
        "columns": "8", "rows": "8",
      ])
  }

  @Test("--out FOLDER/ writes each face to its own file, whose metadata identifies it")
  func folder() async throws {
    let model = try SmallModel()
    try await model.infer("--seed", "42", "--count", "3", "--out", "a/b/")
    #expect(
      try model.folder.names(in: "a/b").map { $0 } == [
        "seed42-0000.png", "seed42-0001.png", "seed42-0002.png",
      ])
    let faces = model.pictures(.torch(seed: 42, count: 3, size: 16))
    #expect(try model.picture("a/b/seed42-0002.png") == faces[2])
    let texts = try model.texts("a/b/seed42-0002.png")
    #expect(texts["seed"] == "42")
    #expect(texts["index"] == "2")
    #expect(texts["count"] == nil)  // latents of size 16 do not depend on it
  }

  @Test("--seeds draws NumPy's latents, names files as StyleGAN does, and draws each seed once")
  func seeds() async throws {
    let model = try SmallModel(latent: 7)
    try await model.infer("--seeds", "3,0,20000,3,1-2", "--out", "faces/")
    #expect(
      try model.folder.names(in: "faces") == [
        "seed0000.png", "seed0001.png", "seed0002.png", "seed0003.png", "seed20000.png",
      ])
    let faces = model.pictures(.numpy(seeds: [3, 20000], size: 7))
    #expect(try model.picture("faces/seed0003.png") == faces[0])
    #expect(try model.picture("faces/seed20000.png") == faces[1])
    #expect(try model.texts("faces/seed0003.png")["random"] == "numpy")
  }

  @Test("--out FILE.npy writes the network's output in NumPy's format")
  func array() async throws {
    let model = try SmallModel(side: 32, channels: 1)
    try await model.infer("--seed", "-7", "--count", "5", "--out", "faces.npy")
    let file = try NPYFile(bytes: model.folder.bytes("faces.npy"))
    #expect(file.shape == [5, 1, 32, 32])
    let latents = Latents.torch(seed: -7, count: 5, size: 16)
    let plain = PlainGenerator<Float>(model.weights).pictures(latents: latents.values)
    #expect(zip(file.floats, plain).allSatisfy { abs($0 - $1) <= 2e-5 })
  }

  @Test("seeds up to 2^64 - 1 mean what they mean in PyTorch")
  func wrappedSeed() async throws {
    let model = try SmallModel(side: 32)
    try await model.infer("--seed", "18446744073709551609", "--count", "2", "--out", "a.npy")
    try await model.infer("--seed", "-7", "--count", "2", "--out", "b.npy")
    #expect(try model.folder.bytes("a.npy") == model.folder.bytes("b.npy"))
  }

  /// Every kind of output.
  static let kinds = [
    ["--out", "x.png"], ["--out", "x.npy"], ["--out", "x.rgb"], ["--out", "x/"],
    ["--out", "x.png", "--pixel-rule", "minmax"], ["--out", "x.rgb", "--pixel-rule", "stylegan"],
  ]

  @Test("writes the same bytes for any number of threads and any batch", arguments: kinds)
  func sameBytes(kind: [String]) async throws {
    let model = try SmallModel(latent: 7, side: 32)
    func draw(_ flags: String...) async throws -> [String: [UInt8]] {
      let arguments = ["--seed", "9", "--count", "130", "--save-latents", "z.npy"] + kind + flags
      try #expect(await model.infer(arguments).status == 0)
      var files: [String: [UInt8]] = [:]
      for name in FileManager.default.enumerator(atPath: model.folder.path)! {
        let name = name as! String
        if name != "x" { files[name] = try model.folder.bytes(name) }
      }
      return files
    }
    let expected = try await draw()
    #expect(expected.count == (kind[1] == "x/" ? 132 : 3))
    for flags in [["--threads", "1"], ["--threads", "2"], ["--threads", "3"]] {
      for batch in ["1", "5", "64"] {
        try #expect(await draw(flags[0], flags[1], "--batch", batch) == expected)
      }
    }
  }

  @Test("a face does not depend on the number of faces if latents are whole blocks of 16")
  func prefix() async throws {
    let model = try SmallModel(side: 32)
    try await model.infer("--seed", "3", "--count", "65", "--out", "many.rgb")
    try await model.infer("--seed", "3", "--count", "1", "--out", "one.rgb")
    let size = 32 * 32 * 3
    #expect(try model.folder.bytes("many.rgb").prefix(size) == model.folder.bytes("one.rgb")[...])
  }

  @Test("with --seeds, a face never depends on the others, for any nz")
  func seedsPrefix() async throws {
    let model = try SmallModel(latent: 7, side: 32)
    try await model.infer("--seeds", "0-30", "--out", "many.rgb")
    try await model.infer("--seeds", "17", "--out", "one.rgb")
    let size = 32 * 32 * 3
    #expect(
      try model.folder.bytes("many.rgb")[17 * size..<18 * size]
        == model.folder.bytes("one.rgb")[...])
  }

  @Test(
    "latents drawn batch by batch equal PyTorch's, including the end that it draws twice",
    arguments: [(7, 1), (7, 2), (7, 3), (7, 64), (7, 1000), (16, 33), (1, 15), (1, 16), (1, 17)])
  func latentsInPieces(size: Int, count: Int) async throws {
    let model = try SmallModel(latent: size, side: 32)
    for batch in ["1", "3", "64"] {
      try await model.infer(
        "--seed", "77", "--count", "\(count)", "--out", "x.rgb", "--save-latents", "z.npy",
        "--batch", batch)
      let saved = try Latents(bytes: model.folder.bytes("z.npy"))
      #expect(saved == .torch(seed: 77, count: count, size: size))
    }
  }

  @Test("reads latents from .npy and .safetensors files and from standard input")
  func latentFiles() async throws {
    let model = try SmallModel(side: 32)
    let latents = Latents.numpy(seeds: [4, 5, 6], size: 16)
    try model.folder.write(latents.npy.encoded(), to: "z.npy")
    try model.folder.write(latents.safetensors.encoded(), to: "z.safetensors")
    try await model.infer("--seeds", "4-6", "--out", "expected.npy")
    for (name, input) in [
      ("z.npy", []), ("z.safetensors", []), ("-", latents.npy.encoded()),
      ("-", latents.safetensors.encoded()),
    ] {
      let result = try await model.infer(
        "--latents", name, "--out", "x.npy", input: input)
      #expect(result.status == 0)
      #expect(try model.folder.bytes("x.npy") == model.folder.bytes("expected.npy"))
    }
    try await model.infer("--latents", "z.npy", "--out", "x/")
    #expect(try model.folder.names(in: "x").first == "latent0000.png")
    #expect(
      try model.texts("x/latent0001.png")["latents"]
        == "sha256:" + SHA256.hex(of: latents.npy.encoded()))
  }

  @Test("--trunc scales the latents, and latents from --save-latents draw the same faces")
  func truncation() async throws {
    let model = try SmallModel(side: 32)
    try await model.infer(
      "--seeds", "4,5", "--trunc", "0.5", "--out", "half.npy", "--save-latents", "z.npy")
    let half = Latents.numpy(seeds: [4, 5], size: 16).scaled(by: 0.5)
    #expect(try Latents(bytes: model.folder.bytes("z.npy")) == half)
    try await model.infer("--latents", "z.npy", "--out", "again.npy")
    #expect(try model.folder.bytes("half.npy") == model.folder.bytes("again.npy"))
  }

  @Test("--format rgb writes three bytes a pixel, for gray models too")
  func frames() async throws {
    let model = try SmallModel(side: 32, channels: 1)
    let result = try await model.infer("--count", "3", "--out", "-", "--format", "rgb")
    let faces = model.pictures(.torch(seed: 0, count: 3, size: 16))
    #expect(result.output == faces.flatMap { face in face.pixels.flatMap { [$0, $0, $0] } })
  }

  @Test("--out - writes to standard output what a file would contain")
  func standardOutput() async throws {
    let model = try SmallModel(side: 32)
    for (format, name) in [("png", "x.png"), ("npy", "x.npy"), ("rgb", "x.rgb")] {
      try await model.infer("--count", "5", "--out", name)
      let result = try await model.infer("--count", "5", "--out", "-", "--format", format)
      #expect(try result.output == model.folder.bytes(name))
      #expect(result.errors.isEmpty)
    }
    let result = try await model.infer("--count", "5", "--out", "-")
    #expect(try result.output == model.folder.bytes("x.png"))
  }

  @Test(
    "a grid has the requested size, or is as square as possible",
    arguments: [
      (["--grid", "4x2"], 4, 2, 8), (["--grid", "3x2", "--count", "2"], 3, 2, 2),
      (["--count", "5"], 3, 2, 5), (["--seeds", "0-8"], 3, 3, 9), (["--count", "2"], 2, 1, 2),
    ])
  func gridSize(flags: [String], columns: Int, rows: Int, faces: Int) async throws {
    let model = try SmallModel(side: 32)
    try await model.infer(flags)
    let picture = try model.picture("faces.png")
    #expect(picture.width == columns * 34 + 2)
    #expect(picture.height == rows * 34 + 2)
    let texts = try model.texts("faces.png")
    #expect(texts["columns"] == "\(columns)")
    #expect(texts["rows"] == "\(rows)")
    #expect((texts["index"] ?? texts["seed"]) == (faces == 1 ? "0" : "0-\(faces - 1)"))
  }

  @Test("a single face has no border")
  func oneFace() async throws {
    let model = try SmallModel(side: 32)
    try await model.infer("--seeds", "8", "--out", "face.png")
    #expect(try model.picture("face.png").width == 32)
  }

  @Test(
    "--pixel-rule minmax stretches the range of a grid to 0...255, and stylegan rounds as StyleGAN")
  func pixelRules() async throws {
    let model = try SmallModel(side: 32)
    let planar = Generator(model.weights).pictures(
      latents: Latents.torch(seed: 0, count: 4, size: 16).values)
    for rule in [PixelRule.stylegan, .minmax] {
      try await model.infer("--count", "4", "--pixel-rule", rule.rawValue)
      let faces = Picture.pictures(
        planar: planar, channels: 3, width: 32, height: 32, rule: rule)
      #expect(try model.picture("faces.png") == grid(faces, columns: 2))
      #expect(try model.texts("faces.png")["pixel-rule"] == rule.rawValue)
    }
  }

  @Test("--json prints a report, and nothing else, on standard output")
  func json() async throws {
    let model = try SmallModel(side: 32)
    let result = try await model.infer("--seeds", "7,9", "--out", "faces", "--outdir", "x")
    #expect(result.status == 64)
    let good = try await model.infer(
      "--seeds", "7,9", "--outdir", "faces", "--json", "--threads", "1")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(good.output)) as? [String: Any])
    #expect(object["schema"] as? Int == 1)
    #expect(object["faces"] as? Int == 2)
    #expect(object["out"] as? String == "faces/")
    let files = try #require(object["files"] as? [[String: Any]])
    #expect(files.map { $0["file"] as? String } == ["faces/seed0007.png", "faces/seed0009.png"])
    #expect(files.map { $0["seed"] as? Int } == [7, 9])
    let described = try #require(object["model"] as? [String: Any])
    #expect(described["file"] as? String == "model.safetensors")
    #expect(object["threads"] as? Int == 1)
  }

  @Test("accepts the option names of StyleGAN and PyTorch")
  func aliases() async throws {
    let model = try SmallModel(side: 32)
    let other = ["--network=model.safetensors", "--netG=model.safetensors"]
    for flag in other {
      let result = try await BuiltCommand.infer.run(
        [flag, "--seeds=0,1", "--trunc=0.7", "--outdir=out"], in: model.folder)
      #expect(result.status == 0)
      #expect(try model.folder.names(in: "out") == ["seed0000.png", "seed0001.png"])
    }
    try await model.infer("--manualSeed", "3", "--count", "2", "--batchSize", "1", "--outf", "p")
    #expect(try model.folder.names(in: "p") == ["seed3-0000.png", "seed3-0001.png"])
  }

  @Test("an existing file is replaced, and an existing folder is added to")
  func replacing() async throws {
    let model = try SmallModel(side: 32)
    try model.folder.write([1, 2, 3], to: "faces.png")
    try await model.infer("--count", "4")
    #expect(try model.picture("faces.png").width == 70)
    try await model.infer("--seeds", "1", "--out", "faces/")
    try await model.infer("--seeds", "2", "--out", "faces")  // a folder by now
    #expect(try model.folder.names(in: "faces") == ["seed0001.png", "seed0002.png"])
  }

  @Test(
    "accepts any file name",
    arguments: [
      "with space.png", "with\nnewline.png", "-dash.png", "--out.png", "चेहरा.png", "'\"$(x)`.png",
      "%s%n.png", "UPPER.PNG", "e\u{301}.png",
    ])
  func names(name: String) async throws {
    let model = try SmallModel(side: 32)
    let moved = "m" + name
    try model.folder.write(model.folder.bytes("model.safetensors"), to: name + moved)
    // A name that looks like an option needs `=` before it, as in any command.
    let result = try await BuiltCommand.infer.run(
      ["--model=\(name)\(moved)", "--count", "2", "--out=\(name)"], in: model.folder)
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    #expect(try model.picture(name).width == 70)
  }

  #if !os(macOS)  // whose file system does not accept such names
    @Test("a file name that is not UTF-8 is kept byte for byte")
    func rawName() async throws {
      let model = try SmallModel(side: 32)
      let shell = BuiltCommand(path: "/bin/bash")
      try await shell.run(
        ["-c", "mv model.safetensors $'m\\xff\\xfe.safetensors'"], in: model.folder)
      let result = try await BuiltCommand.infer.run(
        ["--count", "2"],
        redirection:
          "--model $'m\\xff\\xfe.safetensors' --out $'f\\xe9/' && cp f*/seed0-0001.png x",
        in: model.folder)
      #expect(result.status == 0)
      #expect(result.errors.isEmpty)
      let faces = model.pictures(.torch(seed: 0, count: 2, size: 16))
      #expect(try model.picture("x") == faces[1])
      let listed = try await shell.run(
        ["-c", "LC_ALL=C; printf '%q ' *; rm -r f* m*"], in: model.folder)
      #expect(listed.text == "$'f\\351' $'m\\377\\376.safetensors' x ")

      let missing = try await BuiltCommand.infer.run(
        [], redirection: "--model $'n\\xff.npy'", in: model.folder)
      #expect(missing.status == 66)
      #expect(missing.errors == "bollygan: n\\xff.npy: no such file\n")
    }
  #endif
}
