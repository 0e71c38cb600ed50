import BollyGANExport
import BollyGANInfer
import BollyGANModel
import Testing

/// Writes a zip archive of uncompressed files, valid or not.
struct StoredZip {
  var files: [(name: String, bytes: [UInt8])] = []
  /// Changes an entry of the list of files at the end.
  var spoil: (inout [UInt8], Int) -> Void = { _, _ in }

  static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  var bytes: [UInt8] {
    var result: [UInt8] = []
    var list: [UInt8] = []
    for (index, file) in files.enumerated() {
      let name = Array(file.name.utf8)
      let sizes =
        Self.little(0, 4) + Self.little(file.bytes.count, 4) + Self.little(file.bytes.count, 4)
        + Self.little(name.count, 2) + Self.little(0, 2)
      var entry =
        Self.little(0x0201_4B50, 4) + Self.little(0, 12) + sizes + Self.little(0, 10)
        + Self.little(result.count, 4) + name
      spoil(&entry, index)
      list += entry
      result += Self.little(0x0403_4B50, 4) + Self.little(0, 10) + sizes + name + file.bytes
    }
    let start = result.count
    return result + list + Self.little(0x0605_4B50, 4) + Self.little(0, 4)
      + Self.little(files.count, 2) + Self.little(files.count, 2) + Self.little(list.count, 4)
      + Self.little(start, 4) + Self.little(0, 2)
  }
}

/// Builds a pickle instruction by instruction.
enum Pickle {
  static func text(_ text: String) -> [UInt8] {
    [0x58] + StoredZip.little(text.utf8.count, 4) + Array(text.utf8)
  }
  static func int(_ value: Int) -> [UInt8] { [0x8A, 8] + StoredZip.little(value, 8) }
  static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x63] + Array("\(module)\n\(name)\n".utf8)
  }
  static func tuple(_ elements: [UInt8]...) -> [UInt8] { [0x28] + elements.flatMap { $0 } + [0x74] }

  /// A tensor of the storage `data/0`.
  static func tensor(
    type: String = "FloatStorage", count: Int = 4, offset: Int = 0, shape: [Int] = [4],
    strides: [Int] = [1]
  ) -> [UInt8] {
    let id = tuple(
      text("storage"), global("torch", type), text("0"), text("cpu"), int(count))
    return global("torch._utils", "_rebuild_tensor_v2")
      + tuple(
        id + [0x51], int(offset), tuple(shape.flatMap(int)), tuple(strides.flatMap(int)), [0x89],
        global("collections", "OrderedDict") + [0x29, 0x52])
      + [0x52]
  }

  /// A file whose outermost value is a dict with one entry.
  static func file(_ value: [UInt8], storage: [UInt8] = [UInt8](repeating: 0, count: 16)) -> [UInt8]
  {
    let pickle = [0x80, 2, 0x7D] + text("x") + value + [0x73, 0x2E]
    return StoredZip(files: [("a/data.pkl", pickle), ("a/data/0", storage)]).bytes
  }
}

@Suite("Files of torch.save")
struct TorchFileTests {
  static let plain = try! GeneratorFile(path: Fixtures.path("state-dict.pth")).weights

  @Test("numbers match those that PyTorch saved")
  func numbers() throws {
    #expect(
      Self.plain.shape == (try DCGANShape(latent: 5, generatorWidth: 2, side: 32, channels: 1)))
    #expect(Self.plain.layers[0].norm?.batchesTracked == 3)
    // After three steps no running variance is still 1, and no mean is still 0.
    let norm = try #require(Self.plain.layers[2].norm)
    #expect(!norm.runningMean.contains(0) && !norm.runningVariance.contains(1))
    // The storage itself, straight from the archive.
    let file = try TorchFile(Fixtures.bytes("state-dict.pth"))
    #expect(file.groups.count == 1 && file.groups[0].path.isEmpty)
    #expect(file.groups[0].tensors.count == 4 + 3 * 5)
    #expect(
      try file.groups[0].tensors["main.0.weight"]?.floats() == Self.plain.layers[0].kernel.values)
  }

  @Test(
    "other ways of saving give the same network",
    arguments: [
      "protocol-4", "sequential", "data-parallel", "parameters", "channels-last", "views",
      "checkpoint",
    ])
  func variants(name: String) throws {
    #expect(try GeneratorFile(path: Fixtures.path("\(name).pth")).weights == Self.plain)
  }

  static let reference = try! SafetensorsFile(bytes: Fixtures.bytes("torch-faces.safetensors"))
    .tensors

  @Test(
    "with biases, without normalisation, or with odd widths, images match PyTorch's",
    arguments: ["biases", "no-norm", "widths", "leaky-16"])
  func others(name: String) throws {
    var weights = try GeneratorFile(path: Fixtures.path("\(name).pth")).weights
    // A state_dict does not record the slope.
    if name == "leaky-16" { weights.slope = 0.2 }
    let latents = try Self.reference["\(name).latents"]!.floats()
    let expected = Self.reference["\(name).faces"]!
    #expect([2, weights.shape.channels, weights.shape.side, weights.shape.side] == expected.shape)
    // A safetensors file keeps the slope in its metadata, so it gives the same generator.
    let again = try GeneratorFile(weights.file().encoded()).weights
    #expect(again == weights)
    let found = PlainGenerator<Double>(again).pictures(latents: latents.map { Double($0) })
    let gap = try zip(found, expected.floats()).map { abs($0 - Double($1)) }.max()!
    // Subtracting a bias from the running mean rounds once more.
    #expect(gap < 2e-6, "\(gap)")
  }

  @Test("a note says which dict of a checkpoint was used")
  func checkpoint() throws {
    let file = try GeneratorFile(path: Fixtures.path("checkpoint.pth"))
    #expect(file.notes.contains("the generator is the dict \"netG\""))
  }

  @Test(
    "half precision is read as the values that it represents",
    arguments: [("half", 0x1p-11), ("bfloat16", 0x1p-8)])
  func halves(name: String, step: Float) throws {
    let weights = try GeneratorFile(path: Fixtures.path("\(name).pth")).weights
    for (rounded, exact) in zip(weights.layers, Self.plain.layers) {
      for (a, b) in zip(rounded.kernel.values, exact.kernel.values) {
        #expect(abs(a - b) <= step * abs(b) + 0x1p-25)
      }
    }
    #expect(weights != Self.plain)
  }

  @Test(
    "anything but a dict of tensors is refused with advice",
    arguments: [
      ("refused-two", "several generators among its dicts: \"netG\", \"G_ema\""),
      ("refused-double", "F64"),
      ("refused-legacy", "torch.save(torch.load(file, weights_only=True), file)"),
      ("refused-module", "__main__.Generator"),
      ("refused-tensor", "outermost value is not a dict"),
      ("refused-script", "TorchScript"),
      ("refused-evil", "system\", which could run code"),
      ("refused-deflated", "compressed"),
    ])
  func refused(name: String, reason: String) throws {
    do {
      _ = try GeneratorFile(path: Fixtures.path("\(name).pth"))
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains(reason), "\(error)")
    }
  }

  @Test("a truncated file is refused, wherever it ends")
  func truncated() throws {
    let bytes = try Fixtures.bytes("state-dict.pth")
    for count in stride(from: 0, to: bytes.count, by: 7) {
      #expect(throws: (any Error).self) { try GeneratorFile(Array(bytes[..<count])) }
    }
  }

  @Test("changed bytes change numbers or get the file refused, and nothing worse")
  func flipped() throws {
    var numbers = TestNumbers(seed: 5)
    for name in ["state-dict", "checkpoint", "protocol-4"] {
      let original = try Fixtures.bytes("\(name).pth")
      for _ in 0..<HostileONNXTests.mutations {
        var bytes = original
        for _ in 0..<(numbers.uniform() < 0.5 ? 1 : 4) {
          bytes[Int(numbers.uniform() * Float(bytes.count))] = UInt8(numbers.uniform() * 256)
        }
        _ = try? GeneratorFile(bytes)
      }
    }
  }

  @Test(
    "tensors that do not fit their storage are refused",
    arguments: [
      (Pickle.tensor(count: 5), "16 bytes, not the 5 numbers"),
      (Pickle.tensor(type: "DoubleStorage"), "16 bytes, not the 4 numbers of F64"),
      (Pickle.tensor(count: -4), "numbers of F32"),
      (Pickle.tensor(count: 1 << 62), "numbers of F32"),
      (Pickle.tensor(offset: 1), "reaches number 4"),
      (Pickle.tensor(offset: -1), "reaches number 2"),
      (Pickle.tensor(offset: .max), "exceed any memory"),
      (Pickle.tensor(shape: [5]), "reaches number 4"),
      (Pickle.tensor(shape: [-4]), "a negative size"),
      (Pickle.tensor(strides: [-1]), "a negative size"),
      (Pickle.tensor(shape: [2, 2], strides: [2]), "2 sizes and 1 strides"),
      (Pickle.tensor(shape: [4, 4], strides: [0, 1]), "more numbers than the file"),
      (Pickle.tensor(shape: [1 << 62, 1 << 62], strides: [0, 0]), "exceed any memory"),
      (Pickle.tensor(shape: [1 << 62, 0], strides: [0, 0]), "exceed any memory"),
      (Pickle.tensor(shape: [2], strides: [1 << 62]), "reaches number 4611686018427387904"),
    ])
  func storage(tensor: [UInt8], reason: String) throws {
    // With default arguments the tensor fits.
    #expect(throws: Never.self) { try TorchFile(Pickle.file(Pickle.tensor())) }
    let error = #expect(throws: TorchFileError.self) { try TorchFile(Pickle.file(tensor)) }
    #expect("\(error!)".contains(reason), "\(error!)")
  }

  @Test("empty tensors and views in any order are read correctly")
  func views() throws {
    let numbers: [Float] = [1, 2, 3, 4]
    let storage = Array(StoredTensor(Tensor(shape: [4], values: numbers)).bytes)
    func read(_ shape: [Int], _ strides: [Int], offset: Int = 0) throws -> [Float] {
      let file = Pickle.file(
        Pickle.tensor(offset: offset, shape: shape, strides: strides), storage: storage)
      return try TorchFile(file).groups[0].tensors["x"]!.floats()
    }
    #expect(try read([2, 2], [1, 2]) == [1, 3, 2, 4])
    #expect(try read([2], [2], offset: 1) == [2, 4])
    #expect(try read([], [], offset: 3) == [4])
    #expect(try read([3], [0], offset: 2) == [3, 3, 3])
    #expect(try read([0, 5], [5, 1]) == [])
    #expect(try read([1, 4], [99, 1]) == numbers)
  }

  @Test(
    "instructions that tensors do not need are refused",
    arguments: [
      (Pickle.global("os", "system"), "os.system"),
      (Pickle.global("builtins", "eval"), "builtins.eval"),
      (Pickle.global("torch.serialization", "load"), "torch.serialization.load"),
      (Pickle.text("os") + Pickle.text("system") + [0x93], "os.system"),
      ([0x69] + Array("os\nsystem\n".utf8), "instruction 0x69"),  // INST
      ([0x6F], "instruction 0x6f"),  // OBJ
      ([0x81], "instruction 0x81"),  // NEWOBJ
      ([0x82, 1], "instruction 0x82"),  // EXT1
      ([0x50] + Array("x\n".utf8), "instruction 0x50"),  // PERSID
      ([0x97], "instruction 0x97"),  // NEXT_BUFFER
      ([0x28, 0x52], "takes a value that does not exist"),
      ([0x74], "looks for a mark that does not exist"),
      ([0x87], "takes values that do not exist"),
      ([0x68, 9], "recalls a value that does not exist"),
      ([0x4B, 1, 0x29, 0x52], "calls something other than a function"),
      ([0x4B, 1, 0x51], "something other than a storage"),
      ([0x4B, 1, 0x7D, 0x62], "sets attributes of something other than a dict"),
      (Pickle.global("torch", "FloatStorage") + [0x29, 0x52], "calls"),
      ([0x58, 0xFF, 0xFF, 0xFF, 0xFF], "ends inside a value"),
      ([0x58, 1, 0, 0, 0, 0xFF], "not UTF-8"),
      ([0x8A, 9] + [UInt8](repeating: 1, count: 9), "an integer of 9 bytes"),
      ([0x63] + [UInt8](repeating: 0x61, count: 1_000), "more than 256 bytes"),
    ] as [([UInt8], String)])
  func instructions(value: [UInt8], reason: String) {
    let error = #expect(throws: TorchFileError.self) { try TorchFile(Pickle.file(value)) }
    #expect("\(error!)".contains(reason), "\(error!)")
  }

  @Test("deep nesting and values that contain themselves do no harm")
  func nesting() throws {
    let deep = [UInt8](repeating: 0x29, count: 1) + [UInt8](repeating: 0x85, count: 190_000)
    #expect(throws: Never.self) { try TorchFile(Pickle.file(deep)) }
    let long = [UInt8](repeating: 0x4E, count: 200_001)
    let error = #expect(throws: TorchFileError.self) { try TorchFile(Pickle.file(long)) }
    #expect("\(error!)".contains("instructions"))
    // A dict that contains itself, and dicts nested in dicts.
    let own = [0x7D, 0x71, 0] + Pickle.text("y") + [0x68, 0, 0x73]
    #expect(throws: Never.self) { try TorchFile(Pickle.file(own)) }
    let nested =
      (0..<10_000).flatMap { _ in [0x7D] + Pickle.text("y") }
      + Pickle.tensor() + [UInt8](repeating: 0x73, count: 10_000)
    #expect(try TorchFile(Pickle.file(nested)).groups.isEmpty)
  }

  @Test("inconsistent archives are refused")
  func archives() throws {
    func refusal(_ zip: StoredZip) -> String {
      do {
        _ = try TorchFile(zip.bytes)
        return "accepted"
      } catch {
        return "\(error)"
      }
    }
    let pickle: [UInt8] = [0x80, 2, 0x7D, 0x2E]
    #expect(refusal(StoredZip(files: [("a/data.pkl", pickle)])) == "accepted")
    #expect(
      refusal(StoredZip()).contains("ends before") || refusal(StoredZip()).contains("0 files"))
    #expect(
      refusal(StoredZip(files: [("a/data.pkl", pickle), ("a/data.pkl", pickle)]))
        .contains("occurs twice"))
    #expect(
      refusal(StoredZip(files: [("a/data.pkl", pickle), ("b/data.pkl", pickle)]))
        .contains("2 files data.pkl"))
    #expect(
      refusal(StoredZip(files: [("a/data.pkl", pickle), ("a/byteorder", Array("big".utf8))]))
        .contains("little-endian"))
    for (place, value, reason) in [
      (10, 8, "compressed"),  // method: deflate
      (8, 1, "encrypted"),  // flags
      (20, 3, "compressed"),  // packed size
      (42, 5, "does not begin where the list of files says"),
      (28, 200, "list of files is broken"),
      (46, 0x62, "another name"),
      (0, 0, "list of files is broken"),
    ] {
      var zip = StoredZip(files: [("a/data.pkl", pickle)])
      zip.spoil = { entry, _ in entry[place] = UInt8(value) }
      #expect(refusal(zip).contains(reason), "\(refusal(zip))")
    }
    var shared = StoredZip(files: [("a/data.pkl", pickle), ("a/data.pkl", pickle)])
    shared.spoil = { entry, index in
      if index == 1 { entry.replaceSubrange(42..<46, with: StoredZip.little(0, 4)) }
    }
    #expect(refusal(shared).contains("twice") || refusal(shared).contains("share bytes"))
  }
}
