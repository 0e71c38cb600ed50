import BollyGANExport
import BollyGANModel
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite("Hostile ONNX files")
struct HostileONNXTests {
  /// The smallest possible generator, so that every byte of its file can be tried.
  static let weights = GeneratorWeights.random(
    try! DCGANShape(latent: 1, generatorWidth: 1, side: 32, channels: 1))

  /// Number of changed files to try of each kind: seconds' worth, or minutes' in `make gate`.
  static let mutations = ProcessInfo.processInfo.environment["BOLLYGAN_GATE"] == nil ? 500 : 50_000

  /// Reads a file as a generator.
  @discardableResult
  static func read(_ bytes: [UInt8]) throws(ONNXError) -> LoadedNetwork<GeneratorWeights> {
    try ONNXModel(bytes: bytes).network(GeneratorWeights.self)
  }

  /// The message with which bytes are refused.
  static func refusal(
    _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
  ) -> String {
    do {
      try read(bytes)
      Issue.record("accepted", sourceLocation: sourceLocation)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test("a truncated file is refused, wherever it ends")
  func truncated() throws {
    var model = try Self.weights.onnxModel()
    // Without metadata, which comes last and may have any number of entries.
    model.metadata = []
    let bytes = try model.encoded()
    for count in bytes.indices {
      #expect(throws: ONNXError.self) { try Self.read(Array(bytes[..<count])) }
    }
  }

  @Test("changed bytes change the result or get the file refused, and nothing worse")
  func flipped() throws {
    for options in ONNXExportTests.options.prefix(6) {
      let original = try Self.weights.onnxModel(options).encoded()
      var numbers = TestNumbers(seed: 11)
      for _ in 0..<Self.mutations {
        var bytes = original
        for _ in 0..<(numbers.uniform() < 0.5 ? 1 : 4) {
          let place = Int(numbers.uniform() * Float(bytes.count))
          bytes[place] = UInt8(numbers.uniform() * 256)
        }
        _ = try? Self.read(bytes)
      }
    }
  }

  @Test("messages nested to any depth are refused", arguments: [1, 10, 1_000, 100_000])
  func nested(depth: Int) {
    // node → attribute → graph → node ... would overflow the stack of a recursive reader. The
    // message is written from the inside out, each level as a prefix of known length.
    var prefixes: [[UInt8]] = []
    var length = 0
    for _ in 0..<depth {
      for field in [6, 5, 1] {
        let prefix = WireMessage.varint(UInt64(field << 3 | 2)) + WireMessage.varint(UInt64(length))
        length += prefix.count
        prefixes.append(prefix)
      }
    }
    let model = WireMessage { model in
      model.number(1, 8)
      model.block(7, prefixes.reversed().flatMap { $0 })
    }
    #expect(Self.refusal(model.bytes).contains("subgraph"))
  }

  @Test(
    "malformed wire format is refused with its offset",
    arguments: [
      ([], "empty"),
      ([0x08], "ends inside a number"),
      ([0x08] + [UInt8](repeating: 0xFF, count: 10), "more than 64 bits"),
      ([0x08] + [UInt8](repeating: 0x80, count: 9) + [0x02], "more than 64 bits"),
      ([0x00, 0x01], "field number 0"),
      ([0x0B], "wire type 3"),
      ([0x7B], "wire type 3"),
      ([0x7E], "wire type 6"),
      ([0x0D, 0, 0, 0, 0], "ir_version"),
      ([0x3A, 0x05, 0x00], "needs 5 bytes, only 1 are left"),
      ([0x3A] + WireMessage.varint(.max), "needs 18446744073709551615 bytes"),
      ([0x12, 0x02, 0xC3, 0x28], "not UTF-8"),
      ([0x12, 0x03, 0x61, 0x00, 0x62], "NUL"),
      ([0x08, 0x08, 0x08, 0x08], "a second value"),
      ([0x08, 0x08], "no graph"),
      ([0xF1, 0x01, 1, 2, 3], "needs 8 bytes"),
      ([0xA2, 0x01, 0x00], "training_info"),
      ([0xCA, 0x01, 0x00], "functions"),
    ] as [([UInt8], String)])
  func malformed(bytes: [UInt8], reason: String) {
    #expect(Self.refusal(bytes).contains(reason))
  }

  @Test("a name with a NUL is refused instead of cut")
  func embeddedNUL() {
    let model = WireMessage { model in
      model.message(7) { graph in
        graph.message(1) { node in node.block(4, Array("Relu\0Evil".utf8)) }
      }
    }
    #expect(Self.refusal(model.bytes).contains("node.op_type: text contains a NUL"))
  }

  @Test("counts are limited")
  func counts() {
    func graph(_ field: Int, _ count: Int) -> [UInt8] {
      WireMessage { model in
        model.message(7) { graph in for _ in 0..<count { graph.block(field, []) } }
      }.bytes
    }
    #expect(Self.refusal(graph(1, 4_097)).contains("nodes: 4097, the limit is 4096"))
    #expect(Self.refusal(graph(5, 4_097)).contains("initializers: 4097, the limit is 4096"))
    #expect(Self.refusal(graph(11, 200_001)).contains("fields in the ONNX file: 200001"))
  }

  @Test("a small file that demands much memory is refused")
  func amplification() {
    // Each byte of packed int64_data becomes eight.
    let packed = WireMessage { model in
      model.message(7) { graph in
        graph.message(5) { $0.block(7, [UInt8](repeating: 1, count: 6 << 20)) }
      }
    }
    #expect(Self.refusal(packed.bytes).contains("bytes of memory to read"))
    // Two bytes of an empty value become a struct of about a hundred and a pointer to it.
    let small = WireMessage { model in
      model.message(7) { graph in for _ in 0..<199_000 { graph.block(13, []) } }
    }
    #expect(Self.refusal(small.bytes).contains("bytes of memory to read"))
  }

  /// A way to spoil a good model, and the text that the refusal must contain.
  struct Spoiling: Sendable, CustomTestStringConvertible {
    let reason: String
    let keepsNorm: Bool
    let spoil: @Sendable (inout ONNXModel) -> Void
    var testDescription: String { reason }

    init(
      _ reason: String, keepsNorm: Bool = false,
      _ spoil: @escaping @Sendable (inout ONNXModel) -> Void
    ) {
      self.reason = reason
      self.keepsNorm = keepsNorm
      self.spoil = spoil
    }
  }

  /// Sets an attribute of the first node.
  private static func setting(
    _ name: String, _ value: ONNXModel.Attribute.Value
  ) -> @Sendable (inout ONNXModel) -> Void {
    { model in
      model.graph.nodes[0].attributes.removeAll { $0.name == name }
      model.graph.nodes[0].attributes.append(.init(name, value))
    }
  }

  static let spoilings: [Spoiling] = [
    // Versions.
    Spoiling("IR version 3") { $0.irVersion = 3 },
    Spoiling("IR version 15") { $0.irVersion = 15 },
    Spoiling("IR version 4294967304") { $0.irVersion = 1 << 32 + 8 },
    Spoiling("operator set 8") { $0.operatorSets[0].version = 8 },
    Spoiling("operator set 29") { $0.operatorSets[0].version = 29 },
    Spoiling("operator set -1") { $0.operatorSets[0].version = -1 },
    Spoiling("without an operator set") { $0.operatorSets = [] },
    Spoiling("operator set 17 and 17") { $0.operatorSets.append(.init(version: 17)) },
    // Operators and their settings.
    Spoiling("domain \"com.microsoft\"") { $0.graph.nodes[0].domain = "com.microsoft" },
    Spoiling("(Loop): this operator is not supported") { $0.graph.nodes[1].operatorType = "Loop" },
    Spoiling("attribute \"alpha\" is not supported") {
      $0.graph.nodes[1].attributes = [.init("alpha", .float(1))]
    },
    Spoiling("attribute \"group\" occurs twice") {
      $0.graph.nodes[0].attributes.append(.init("group", .int(1)))
    },
    Spoiling("has 0 inputs") { $0.graph.nodes[1].inputs = [] },
    Spoiling("has 2 outputs, accepted: one") { $0.graph.nodes[1].outputs.append("more") },
    Spoiling("strides [9, 9]", setting("strides", .ints([9, 9]))),
    Spoiling("strides [0, 0]", setting("strides", .ints([0, 0]))),
    Spoiling("strides [1, 2]", setting("strides", .ints([1, 2]))),
    Spoiling("strides [1]", setting("strides", .ints([1]))),
    Spoiling("strides is not a list", setting("strides", .int(1))),
    Spoiling("pads [17", setting("pads", .ints([17, 17, 17, 17]))),
    Spoiling("pads [-1", setting("pads", .ints([-1, -1, -1, -1]))),
    Spoiling("gives a side of 0", setting("pads", .ints([2, 2, 2, 2]))),
    Spoiling("has dilations", setting("dilations", .ints([2, 2]))),
    Spoiling("has groups", setting("group", .int(2))),
    Spoiling("has output_padding", setting("output_padding", .ints([1, 1]))),
    Spoiling("sets output_shape", setting("output_shape", .ints([4, 4]))),
    Spoiling("auto_pad \"SAME_UPPER\"", setting("auto_pad", .string(Array("SAME_UPPER".utf8)))),
    Spoiling("kernel_shape [3, 3]", setting("kernel_shape", .ints([3, 3]))),
    // Names.
    Spoiling("depends on itself") { $0.graph.nodes[0].inputs[0] = $0.graph.nodes[2].outputs[0] },
    Spoiling("depends on itself") { $0.graph.nodes[1].inputs = $0.graph.nodes[1].outputs },
    Spoiling("which nothing defines") { $0.graph.nodes[1].inputs = ["nothing"] },
    Spoiling("defined elsewhere") { $0.graph.nodes[2].outputs = $0.graph.nodes[1].outputs },
    Spoiling("defined elsewhere") { $0.graph.nodes[2].outputs = ["latent"] },
    Spoiling("occurs twice") { $0.graph.initializers[1].name = $0.graph.initializers[0].name },
    Spoiling("occurs twice") { $0.graph.inputs.append($0.graph.inputs[0]) },
    Spoiling("an initializer has no name") { $0.graph.initializers[0].name = "" },
    Spoiling("no node produces output \"other\"") { $0.graph.outputs[0].name = "other" },
    Spoiling("the graph has 2 outputs") { $0.graph.outputs.append($0.graph.intermediates[0]) },
    Spoiling("does not depend on input") { $0.graph.outputs[0].name = "main.0.weight" },
    Spoiling("the graph has 2 inputs (\"latent\", \"more\")") {
      var more = $0.graph.inputs[0]
      more.name = "more"
      $0.graph.inputs.append(more)
    },
    Spoiling("has type int64") { $0.graph.inputs[0].type = .int64 },
    Spoiling("no shape") { $0.graph.inputs[0].dimensions = nil },
    Spoiling("3 axes") { $0.graph.inputs[0].dimensions?.removeLast() },
    Spoiling("axis of length -1") { $0.graph.inputs[0].dimensions?[1].length = .fixed(-1) },
    Spoiling("does not fit an input") { $0.graph.inputs[0].dimensions?[1].length = .fixed(2) },
    Spoiling("metadata \"Image.BitmapPixelFormat\" occurs twice") { $0.metadata += $0.metadata },
    // Tensors.
    Spoiling("4 bytes, shape") { $0.graph.initializers[0].contents = .raw([0, 0, 0, 0]) },
    Spoiling("axis of length 4611686018427387904") {
      $0.graph.initializers[0].dimensions = [1 << 62, 1 << 62, 0, 4]
    },
    Spoiling("axis of length") { $0.graph.initializers[0].dimensions[0] = -1 },
    Spoiling("is too large") {
      $0.graph.initializers[0].dimensions = [1 << 24, 1 << 24, 0, 4]
    },
    Spoiling("is too large") {
      $0.graph.initializers[0].dimensions = [0, 1 << 24, 1 << 24, 1 << 24]
      $0.graph.initializers[0].contents = .raw([])
    },
    Spoiling("9 axes") { $0.graph.initializers[0].dimensions = [Int64](repeating: 1, count: 9) },
    Spoiling("in another file") { $0.graph.initializers[0].contents = .external([]) },
    Spoiling("text is not supported") { $0.graph.initializers[0].type = .string },
    Spoiling("number 1 is nan") {
      $0.graph.initializers[1].contents = .floats([0, .nan, 0, 0])
    },
    Spoiling("number 0 is inf") {
      $0.graph.initializers[1].contents = .floats([.infinity, 0, 0, 0])
    },
    Spoiling("floats in a tensor of int8") {
      $0.graph.initializers[1].type = .int8
      $0.graph.initializers[1].contents = .floats([0, 0, 0, 0])
    },
    Spoiling("not a constant of 4 floats") {
      $0.graph.initializers[1].dimensions = [3]
      $0.graph.initializers[1].contents = .floats([0, 0, 0])
    },
    Spoiling("a variance is negative", keepsNorm: true) {
      $0.graph.initializers[4].contents = .floats([1, 1, -1, 1])
    },
    Spoiling("training mode", keepsNorm: true) {
      $0.graph.nodes[1].attributes.append(.init("training_mode", .int(1)))
    },
    Spoiling("epsilon -1.0", keepsNorm: true) {
      $0.graph.nodes[1].attributes = [.init("epsilon", .float(-1))]
    },
    // Networks other than a DCGAN.
    Spoiling("follows another activation") {
      $0.graph.nodes[2].operatorType = "Relu"
      $0.graph.nodes[2].inputs = $0.graph.nodes[1].outputs
      $0.graph.nodes[2].attributes = []
    },
    Spoiling("an activation of slope 0.0, earlier ones have 0.01") {
      $0.graph.nodes[1].operatorType = "LeakyRelu"
    },
    Spoiling("is followed by leakyRelu(-0.5)") {
      $0.graph.nodes[1].operatorType = "LeakyRelu"
      $0.graph.nodes[1].attributes = [.init("alpha", .float(-0.5))]
    },
    Spoiling("is not followed by Tanh") {
      $0.graph.nodes[$0.graph.nodes.count - 1].operatorType = "Relu"
    },
    Spoiling("combines two values that depend on the input") {
      let last = $0.graph.nodes.count - 1
      $0.graph.nodes[last].operatorType = "Add"
      $0.graph.nodes[last].inputs += $0.graph.nodes[last].inputs
    },
    Spoiling("input 2 must be a constant") { $0.graph.nodes[2].inputs.swapAt(0, 1) },
    Spoiling("follows a tanh or sigmoid") { $0.graph.nodes[1].operatorType = "Tanh" },
    Spoiling("is applied to the input itself") {
      $0.graph.nodes[1].inputs = ["latent"]
    },
  ]

  @Test("a model with one mistake is refused for that mistake", arguments: spoilings)
  func spoiled(_ spoiling: Spoiling) throws {
    var options = ONNXExportOptions()
    options.keepsNorm = spoiling.keepsNorm
    var model = try Self.weights.onnxModel(options)
    #expect(throws: Never.self) { try Self.read(model.encoded()) }
    spoiling.spoil(&model)
    let refusal = Self.refusal(try model.encoded())
    #expect(refusal.contains(spoiling.reason), "\(refusal)")
  }

  @Test("computed constants cannot use much memory")
  func constantAmplification() throws {
    // An outer product: 2 × 65536 numbers would become 4 billion.
    var model = try Self.weights.onnxModel()
    let many = [Float](repeating: 1, count: 65_536)
    model.graph.initializers += [
      .init(name: "column", type: .float, dimensions: [65_536, 1], contents: .floats(many)),
      .init(name: "row", type: .float, dimensions: [1, 65_536], contents: .floats(many)),
    ]
    model.graph.nodes.insert(
      .init(name: "outer", operatorType: "Mul", inputs: ["column", "row"], outputs: ["product"]),
      at: 0)
    #expect(Self.refusal(try model.encoded()).contains("do not combine"))
    // Many copies of the same numbers.
    model.graph.nodes.removeFirst()
    for index in 0..<100 {
      model.graph.nodes.append(
        .init(
          name: "copy \(index)", operatorType: "Add", inputs: ["column", "column"],
          outputs: ["sum \(index)"]))
    }
    #expect(Self.refusal(try model.encoded()).contains("many times the file's size"))
  }

  @Test("names in a file cannot control the terminal")
  func escaping() throws {
    var model = try Self.weights.onnxModel()
    model.graph.nodes[1].name = "\u{1B}]0;owned\u{07}\n"
    model.graph.nodes[1].operatorType = "\u{1B}[2J"
    let refusal = Self.refusal(try model.encoded())
    #expect(!refusal.unicodeScalars.contains { $0.properties.generalCategory == .control })
  }
}
