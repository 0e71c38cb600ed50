import BollyGANExport
import BollyGANModel
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A folder with a model whose first kernel is in another file.
final class ExternalModel {
  let folder: String
  private let model: ONNXModel

  init() throws {
    var template = Array("/tmp/bollygan-test.XXXXXX".utf8CString)
    folder = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
    let weights = GeneratorWeights.random(
      try DCGANShape(latent: 1, generatorWidth: 1, side: 32, channels: 1))
    model = try weights.onnxModel()
    guard case .raw(let bytes) = model.graph.initializers[0].contents else {
      throw ONNXError.graph(reason: "not raw")
    }
    try write([UInt8](repeating: 7, count: 64) + bytes, to: "weights.bin")
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  func write(_ bytes: [UInt8], to name: String) throws { try writeFile(bytes, to: path(name)) }

  /// Reads the model with these pairs as the location of its first kernel.
  @discardableResult
  func read(_ entries: [ONNXModel.Property]) throws -> GeneratorWeights {
    var changed = model
    changed.graph.initializers[0].contents = .external(entries)
    try write(changed.encoded(), to: "model.onnx")
    return try GeneratorFile(path: path("model.onnx")).weights
  }

  deinit {
    for name in [
      "weights.bin", "model.onnx", "link.bin", "other.bin", "pipe", "linked/x", "linked",
    ] {
      if unsafe unlink(path(name)) != 0 { _ = unsafe rmdir(path(name)) }
    }
    _ = unsafe rmdir(folder)
  }
}

@Suite("Tensors in other files")
struct ExternalDataTests {
  /// 1 · 4 · 16 floats after 64 other bytes.
  static let good: [ONNXModel.Property] = [
    .init("location", "weights.bin"), .init("offset", "64"), .init("length", "256"),
  ]

  @Test("numbers are read from the location in the model")
  func reads() throws {
    let model = try ExternalModel()
    let weights = GeneratorWeights.random(
      try DCGANShape(latent: 1, generatorWidth: 1, side: 32, channels: 1))
    #expect(try model.read(Self.good) == weights.stored(ONNXExportOptions()))
    // Without a length it is the rest of the file, and a checksum is ignored.
    let rest = [Self.good[0], Self.good[1], .init("checksum", "0123")]
    #expect(try model.read(rest) == weights.stored(ONNXExportOptions()))
  }

  @Test(
    "no path leads out of the model's folder",
    arguments: [
      "", "/etc/passwd", "../weights.bin", "a/../weights.bin", "./weights.bin", "a//weights.bin",
      "weights.bin/", "..", ".", "..\\weights.bin", "C:\\weights.bin",
    ])
  func outside(location: String) throws {
    let model = try ExternalModel()
    let error = #expect(throws: ONNXError.self) {
      try model.read([.init("location", location), Self.good[1], Self.good[2]])
    }
    #expect("\(error!)".contains("accepted: a path inside the model's folder"))
  }

  @Test("links, pipes, folders and files with two names are refused")
  func kinds() throws {
    let model = try ExternalModel()
    #expect(unsafe symlink("weights.bin", model.path("link.bin")) == 0)
    #expect(unsafe mkdir(model.path("linked"), 0o700) == 0)
    #expect(unsafe symlink("/etc", model.path("linked/x")) == 0)
    #expect(unsafe mkfifo(model.path("pipe"), 0o600) == 0)
    for (location, reason) in [
      ("link.bin", "a link"), ("linked/x/passwd", "a link"), ("weights.bin/x", "not a folder"),
      ("linked", "not a regular file"), ("pipe", "not a regular file"),
      ("none.bin", "No such file"),
    ] {
      let error = #expect(throws: ONNXError.self) {
        try model.read([.init("location", location), Self.good[1], Self.good[2]])
      }
      #expect("\(error!)".contains(reason), "\(location): \(error!)")
    }
    #expect(unsafe link(model.path("weights.bin"), model.path("other.bin")) == 0)
    let error = #expect(throws: ONNXError.self) { try model.read(Self.good) }
    #expect("\(error!)".contains("with one name"))
  }

  @Test(
    "ranges outside the file are refused",
    arguments: [
      ("65", "256", "which has 320"), ("64", "257", "which has 320"),
      ("18446744073709551615", "256", "which has 320"),
      ("64", "18446744073709551615", "which has 320"),
      ("-1", "256", "accepted: digits"), ("+64", "256", "accepted: digits"),
      ("", "256", "accepted: digits"), ("64", "1e2", "accepted: digits"),
      ("64", "252", "252 bytes, shape"), ("0", "320", "320 bytes, shape"),
    ])
  func places(offset: String, length: String, reason: String) throws {
    let model = try ExternalModel()
    let error = #expect(throws: ONNXError.self) {
      try model.read([Self.good[0], .init("offset", offset), .init("length", length)])
    }
    #expect("\(error!)".contains(reason), "\(error!)")
  }

  @Test("unknown and repeated keys are refused, and models without a folder")
  func descriptions() throws {
    let model = try ExternalModel()
    for entries in [Self.good + [Self.good[0]], Self.good + [.init("url", "x")], []] {
      #expect(throws: ONNXError.self) { try model.read(entries) }
    }
    try model.read(Self.good)
    let bytes = try readFile(model.path("model.onnx"), limit: 1 << 20)
    let error = #expect(throws: ONNXError.self) { try GeneratorFile(bytes) }
    #expect("\(error!)".contains("standard input has no folder"))
  }

  @Test("no byte is used twice, so a small model cannot name a large file many times")
  func twice() throws {
    let weights = GeneratorWeights.random(
      try DCGANShape(latent: 1, generatorWidth: 1, side: 32, channels: 1))
    let model = try ExternalModel()
    try model.read(Self.good)
    var twice = try weights.onnxModel()
    twice.graph.initializers[0].contents = .external(Self.good)
    var copy = twice.graph.initializers[0]
    copy.name = "copy"
    twice.graph.initializers.append(copy)
    try model.write(twice.encoded(), to: "model.onnx")
    let error = #expect(throws: ONNXError.self) {
      try GeneratorFile(path: model.path("model.onnx"))
    }
    #expect("\(error!)".contains("used more than once"))
  }
}
