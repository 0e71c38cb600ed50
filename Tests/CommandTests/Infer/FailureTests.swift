import BollyGANModel
import BollyGANTerminal
import Foundation
import Testing

@Suite("bollygan-infer reports failures", .timeLimit(.minutes(3)))
struct InferFailureTests {
  /// Checks a failure's exit status and message, and what all failures have in common.
  private func expect(
    _ result: BuiltCommand.Result, _ status: Int32, says words: String...,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(result.status == status, sourceLocation: location)
    #expect(result.output.isEmpty, sourceLocation: location)
    for word in words { #expect(result.errors.contains(word), sourceLocation: location) }
    guard status != 64 else { return }
    #expect(result.errors.hasPrefix("bollygan: "), sourceLocation: location)
    #expect(result.errors.filter { $0 == "\n" }.count == 1, sourceLocation: location)
  }

  @Test("exits with 66 if the model or the latents are missing")
  func missing() async throws {
    let model = try SmallModel(side: 32)
    expect(
      try await BuiltCommand.infer.run(["--model", "none.safetensors"], in: model.folder), 66,
      says: "none.safetensors: no such file")
    expect(
      try await model.infer("--latents", "none.npy"), 66, says: "none.npy: no such file")
    #expect(try model.folder.names() == ["model.safetensors"])
  }

  @Test("exits with 65 if a file is not a generator, and says why")
  func badModel() async throws {
    let model = try SmallModel(side: 32)
    let good = try model.folder.bytes("model.safetensors")
    var nan = model.weights
    nan.layers[0].kernel.values[3] = .nan
    let files: [(String, [UInt8], String)] = [
      ("empty", [], "PyTorch file"),
      ("text", Array("hello, I am not a model".utf8), "PyTorch file"),
      ("cut", Array(good.dropLast(7)), "are outside the file"), ("long", good + [0], "follow"),
      ("nan", nan.file().encoded(), "not a number"),
    ]
    for (name, bytes, words) in files {
      try model.folder.write(bytes, to: name)
      expect(
        try await BuiltCommand.infer.run(["--model", name], in: model.folder), 65,
        says: "bollygan: \(name): ", words)
    }
    expect(
      try await BuiltCommand.infer.run(["--model", "."], in: model.folder), 65,
      says: "not a regular file")
    #expect(!FileManager.default.fileExists(atPath: model.folder / "faces.png"))
  }

  @Test("exits with 65 if latents do not fit the model or are not numbers")
  func badLatents() async throws {
    let model = try SmallModel(side: 32)
    let files: [(Latents, String)] = [
      (Latents(count: 2, size: 15, values: [Float](repeating: 0, count: 30)), "takes 16"),
      (Latents(count: 1, size: 16, values: [Float](repeating: .nan, count: 16)), "not a number"),
    ]
    for (latents, words) in files {
      let bytes = latents.npy.encoded()
      try model.folder.write(bytes, to: "z.npy")
      expect(try await model.infer("--latents", "z.npy"), 65, says: "z.npy: ", words)
      expect(
        try await model.infer("--latents", "-", input: bytes), 65, says: "standard input: ", words)
    }
  }

  @Test(
    "exits with 64 for contradictory or impossible options, before any work",
    arguments: [
      ["--count", "0"], ["--count", "-1"], ["--count", "100001"], ["--count", "x"],
      ["--seed", "1.5"], ["--seed", "18446744073709551616"], ["--seed", ""],
      ["--seeds", ""], ["--seeds", "3-1"], ["--seeds", "0-4294967295"], ["--seeds", "-1"],
      ["--seed", "1", "--seeds", "2"], ["--seeds", "2", "--count", "1"],
      ["--seed", "1", "--latents", "z.npy"],
      ["--trunc", "nan"], ["--trunc", "inf"], ["--trunc", "1e9"], ["--trunc", ""],
      ["--threads", "0"], ["--threads", "1025"], ["--batch", "0"], ["--batch", "5000"],
      ["--kernels", "mmx"], ["--grid", "0x4"], ["--grid", "4"], ["--grid", "4x4x4"],
      ["--grid", "2x2", "--count", "5"], ["--grid", "2x2", "--out", "x.npy"],
      ["--grid", "99999999999999999999x1"], ["--count", "4", "--out", "faces.gif"],
      ["--out", ""], ["--out", "x/", "--format", "npy"], ["--out", "x.webp"],
      ["--out", "-", "--json"], ["--save-latents", "z.png"], ["--pixel-rule", "none"],
      ["--count", "100000", "--grid", "1x10000"],
      ["interpolate", "--count", "1"], ["interpolate", "--steps", "0"],
      ["interpolate", "--fps", "0"], ["interpolate", "--seeds", "4"],
      ["interpolate", "--steps", "10000", "--count", "100"],
      ["interpolate", "--steps", "1000", "--out", "strip.png"],
    ])
  func usage(arguments: [String]) async throws {
    let model = try SmallModel(side: 32)
    let result = try await model.infer(arguments)
    expect(result, 64)
    #expect(!result.errors.isEmpty)
    #expect(try model.folder.names() == ["model.safetensors"])
  }

  @Test("exits with 64 if this processor lacks the instruction set")
  func kernels() async throws {
    #if arch(x86_64)
      let foreign = "neon"
    #else
      let foreign = "avx2"
    #endif
    let model = try SmallModel(side: 32)
    expect(
      try await model.infer("--kernels", foreign), 64, says: "cannot run --kernels \(foreign)")
  }

  @Test(
    "exits with 73 if the output cannot be created",
    arguments: ["none/x.png", "model.safetensors/x.png"])
  func cannotCreate(out: String) async throws {
    let model = try SmallModel(side: 32)
    expect(try await model.infer("--count", "1", "--out", out), 73, says: "bollygan: \(out): ")
    expect(
      try await model.infer("--count", "1", "--out", "model.safetensors/faces/"), 73,
      says: "model.safetensors")
    expect(
      try await model.infer("--count", "1", "--save-latents", "none/z.npy"), 73, says: "none/z.npy")
    #expect(try model.folder.names() == ["model.safetensors"])
  }

  #if os(Linux)
    @Test(
      "exits with 74 if the disk is full, for standard output and for a file",
      arguments: ["png", "npy", "rgb"])
    func diskFull(format: String) async throws {
      let model = try SmallModel(side: 32)
      expect(
        try await model.infer("--out", "-", "--format", format, redirection: "> /dev/full"), 74,
        says: "standard output: ")
      expect(
        try await model.infer("--out", "/dev/full", "--format", format), 74, says: "/dev/full: ")
    }

    @Test("exits with 74 if help or a report cannot be printed")
    func reportLost() async throws {
      let model = try SmallModel(side: 32)
      expect(
        try await model.infer("--json", redirection: "> /dev/full"), 74, says: "standard output: ")
      expect(try await model.infer("--help", redirection: "> /dev/full"), 74)
    }
  #endif

  @Test("exits with 74 if standard output is closed, and no file takes its descriptor")
  func closed() async throws {
    let model = try SmallModel(side: 32)
    expect(
      try await model.infer("--out", "-", redirection: ">&-"), 74, says: "standard output: ")
    let result = try await model.infer("--count", "1", redirection: "<&- >&- 2>&-")
    #expect(result.status == 0)
    #expect(try model.picture("faces.png").width == 32)
  }

  @Test(
    "exits silently with 141 if the reader of a pipe has closed it",
    arguments: ["png", "npy", "rgb"])
  func brokenPipe(format: String) async throws {
    let model = try SmallModel(side: 32)
    let result = try await model.infer(
      "--count", "5000", "--out", "-", "--format", format, redirection: "| head -c 10 > /dev/null")
    #expect(result.status == 141)
    #expect(result.errors.isEmpty)
  }

  @Test("exits with 130 on Ctrl-C and leaves no partial file")
  func interrupted() async throws {
    let model = try SmallModel(side: 32)
    // `timeout` sends SIGINT after half a second; the work would take minutes.
    let result = try await BuiltCommand(path: "/usr/bin/env").run(
      [
        "timeout", "--preserve-status", "-s", "INT", "0.5", BuiltCommand.infer.path,
        "--model", "model.safetensors", "--count", "50000000", "--format", "rgb",
        "--out", "/dev/null", "--save-latents", "z.npy",
      ], in: model.folder)
    #expect(result.status == 130)
    #expect(try model.folder.names() == ["model.safetensors"])
  }

  @Test("messages escape control characters in file names")
  func escaping() async throws {
    let model = try SmallModel(side: 32)
    let result = try await BuiltCommand.infer.run(
      ["--model", "\u{1B}[31mred\n.safetensors"], in: model.folder)
    expect(result, 66, says: "\\u{1b}[31mred\\n.safetensors: no such file")
    #expect(!result.errors.contains("\u{1B}"))
  }

  @Test("exits with 66 if no model is found, and says where it looked; BOLLYGAN_MODEL names one")
  func shippedModel() async throws {
    let model = try SmallModel(side: 32)
    let installed = try Installation()
    let missing = try await installed.command.run([], in: model.folder)
    expect(missing, 66, says: "\(installed.prefix)/share/bollygan/\(ShippedModel.fileName)")
    let named = try await installed.command.run(
      ["--count", "1"], environment: ["BOLLYGAN_MODEL": model.folder / "model.safetensors"],
      in: model.folder)
    #expect(named.status == 0)
    let wrong = try await installed.command.run(
      ["--count", "1"], environment: ["BOLLYGAN_MODEL": "none"], in: model.folder)
    expect(wrong, 66, says: "none: no such file")
  }

  @Test("an installed command finds its model from any folder and through links")
  func installation() async throws {
    let model = try SmallModel(side: 32)
    let installed = try Installation()
    let share = installed.prefix + "/share/bollygan"
    try FileManager.default.createDirectory(atPath: share, withIntermediateDirectories: true)
    try Data(model.folder.bytes("model.safetensors")).write(
      to: URL(filePath: "\(share)/\(ShippedModel.fileName)"))
    let elsewhere = try TemporaryFolder()
    #expect(try await installed.command.run(["--count", "1"], in: elsewhere).status == 0)
    try FileManager.default.createSymbolicLink(
      atPath: elsewhere / "link", withDestinationPath: installed.command.path)
    let linked = BuiltCommand(path: elsewhere / "link")
    #expect(try await linked.run(["--seeds", "4", "--out", "b.png"], in: elsewhere).status == 0)
    #expect(try elsewhere.names() == ["b.png", "faces.png", "link"])
  }
}

/// A copy of the command in the layout of `make install`, outside of the checkout and without its
/// model.
private struct Installation {
  private let folder: TemporaryFolder
  let command: BuiltCommand

  var prefix: String { folder.path }

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder / "bin", withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: BuiltCommand.infer.path, toPath: folder / "bin/bollygan-infer")
    command = BuiltCommand(path: folder / "bin/bollygan-infer")
  }
}
