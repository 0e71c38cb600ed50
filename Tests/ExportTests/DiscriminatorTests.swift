import BollyGANExport
import BollyGANInfer
import BollyGANModel
import Testing

extension DiscriminatorWeights {
  /// A discriminator whose layers keep the size of their input.
  static func random(
    _ shape: DCGANShape, normalisesFirst: Bool, seed: UInt64 = 1
  ) -> DiscriminatorWeights {
    var numbers = TestNumbers(seed: seed)
    let channels = shape.discriminatorChannels
    let layers = (0..<channels.count - 1).map { index in
      let (inputs, outputs) = (channels[index], channels[index + 1])
      let kernel = Tensor(
        shape: [outputs, inputs, 4, 4],
        values: numbers.numbers(
          inputs * outputs * 16, rms: 1 / Float(16 * inputs).squareRoot()))
      guard index < channels.count - 2, index > 0 || normalisesFirst else {
        return LayerWeights(kernel: kernel)
      }
      var norm = NormWeights(channels: outputs)
      norm.scale = numbers.numbers(outputs, rms: 0.2).map { $0 + 1 }
      norm.shift = numbers.numbers(outputs, rms: 0.2)
      norm.runningMean = numbers.numbers(outputs, rms: 0.2)
      norm.runningVariance = numbers.numbers(outputs, rms: 0.2).map { $0 + 0.8 }
      return LayerWeights(kernel: kernel, norm: norm)
    }
    return DiscriminatorWeights(shape: shape, normalisesFirst: normalisesFirst, layers: layers)
  }
}

@Suite("Discriminators as ONNX")
struct DiscriminatorTests {
  static let shape = try! DCGANShape(generatorWidth: 3, side: 16, channels: 3)
  static let weights = DiscriminatorWeights.random(shape, normalisesFirst: false)

  static func read(_ model: ONNXModel) throws -> DiscriminatorWeights {
    try ONNXDiscriminator(ONNXModel(bytes: model.encoded())).weights
  }

  @Test(
    "what is written is read again as it was",
    arguments: [false, true], ONNXExportOptions.Layout.allCases)
  func roundTrip(normalisesFirst: Bool, layout: ONNXExportOptions.Layout) throws {
    for side in [16, 64] {
      let shape = try DCGANShape(generatorWidth: 2, side: side, channels: 1)
      let weights = DiscriminatorWeights.random(shape, normalisesFirst: normalisesFirst)
      var options = ONNXExportOptions()
      options.layout = layout
      options.keepsNorm = true
      #expect(try Self.read(weights.onnxModel(options)) == weights)
      // Folded, it is the same up to rounding.
      options.keepsNorm = false
      for storage in ONNXExportOptions.Storage.allCases {
        options.storage = storage
        let read = try Self.read(weights.onnxModel(options))
        let pictures = TestNumbers(seed: 3).filled(2 * shape.pictureCount)
        let stored = PlainDiscriminator<Double>(weights.stored(options)).scores(pictures: pictures)
        let again = PlainDiscriminator<Double>(read).scores(pictures: pictures)
        #expect(zip(stored, again).allSatisfy { abs($0 - $1) < 1e-7 })
        #expect(abs(stored[0] - stored[1]) > 1e-4)
        let bytes = try weights.onnxModel(options).encoded()
        let check = try ExportCheck(bytes, madeFrom: weights, options: options)
        #expect(check.holds && (check.largestCost > 0) == (storage != .f32))
      }
    }
  }

  @Test("the check of an export fails on another discriminator's file")
  func otherNetwork() throws {
    let other = DiscriminatorWeights.random(Self.shape, normalisesFirst: false, seed: 2)
    let check = try ExportCheck(
      other.onnxModel().encoded(), madeFrom: Self.weights, options: ONNXExportOptions())
    #expect(!check.holds)
  }

  @Test("the check sees a wrong weight of a discriminator that is sure of everything")
  func saturated() throws {
    var sure = Self.weights
    let last = sure.layers.count - 1
    sure.layers[last].kernel.values = sure.layers[last].kernel.values.map { $0 * 1e4 }
    var other = sure
    other.layers[0].kernel.values[5] *= 1.01
    for (file, holds) in [(sure, true), (other, false)] {
      let check = try ExportCheck(
        file.onnxModel().encoded(), madeFrom: sure, options: ONNXExportOptions())
      #expect(check.holds == holds)
    }
  }

  @Test("each network's file is refused where the other is asked for")
  func kinds() throws {
    let judge = try ONNXModel(bytes: Self.weights.onnxModel().encoded())
    #expect(
      "\(#expect(throws: ONNXError.self) { try ONNXGenerator(judge) }!)"
        .contains("it looks like a discriminator"))
    let generator = try ONNXModel(
      bytes: GeneratorWeights.random(DCGANShape.small[0]).onnxModel().encoded())
    #expect(
      "\(#expect(throws: ONNXError.self) { try ONNXDiscriminator(generator) }!)"
        .contains("not made of convolutions"))
  }

  @Test(
    "a model with one thing wrong is refused for that thing",
    arguments: [
      ("strides", ONNXModel.Attribute.Value.ints([1, 1]), "changes the shape of a feature map"),
      ("pads", .ints([9, 9, 9, 9]), "changes the shape of a feature map"),
      ("strides", .ints([0, 0]), "strides [0, 0]"),
      ("group", .int(3), "has groups"),
      ("dilations", .ints([2, 2]), "has dilations"),
      ("output_padding", .ints([1, 1]), "\"output_padding\" is not understood"),
      ("kernel_shape", .ints([3, 3]), "kernel_shape [3, 3]"),
      ("auto_pad", .string(Array("SAME_UPPER".utf8)), "auto_pad"),
    ])
  func spoiled(name: String, value: ONNXModel.Attribute.Value, reason: String) throws {
    var model = try Self.weights.onnxModel()
    model.graph.nodes[0].attributes.removeAll { $0.name == name }
    model.graph.nodes[0].attributes.append(.init(name, value))
    let error = #expect(throws: ONNXError.self) { try Self.read(model) }
    #expect("\(error!)".contains(reason), "\(error!)")
  }

  @Test("other activations, a bias at the end and maps that do not end in a score are refused")
  func others() throws {
    func refusal(_ spoil: (inout ONNXModel) -> Void) throws -> String {
      var model = try Self.weights.onnxModel()
      spoil(&model)
      return "\(#expect(throws: ONNXError.self) { try Self.read(model) }!)"
    }
    #expect(
      try refusal { $0.graph.nodes[1].attributes = [.init("alpha", .float(0.3))] }
        .contains("is followed by leakyRelu(0.3)"))
    #expect(
      try refusal { model in
        model.graph.initializers.append(
          ONNXModel.Tensor(name: "b", type: .float, dimensions: [1], contents: .floats([1])))
        model.graph.nodes[4].inputs.append("b")
      }.contains("has a bias of 1.0"))
    // From 4x4 to one number all the same.
    #expect(
      try refusal { model in
        model.graph.nodes[4].attributes.removeAll { $0.name == "strides" }
        model.graph.nodes[4].attributes.append(.init("strides", .ints([2, 2])))
      }.contains("stride 2 and padding 0, a discriminator has 1 and 0 here"))
    // Without its last convolution and the sigmoid.
    #expect(
      try refusal { model in
        model.graph.nodes.removeSubrange(4...5)
        model.graph.nodes[4].inputs = model.graph.nodes[3].outputs
      }.contains("changes the shape of a feature map"))
  }

  @Test("no change of a byte does more than change the scores or refuse the file")
  func flipped() throws {
    let bytes = try Self.weights.onnxModel().encoded()
    var numbers = TestNumbers(seed: 8)
    for _ in 0..<2_000 {
      var changed = bytes
      let place = Int(numbers.uniform() * Float(bytes.count - 1))
      changed[place] ^= UInt8(1 + Int(numbers.uniform() * 254))
      _ = try? ONNXDiscriminator(ONNXModel(bytes: changed))
    }
  }
}

extension TestNumbers {
  /// Numbers in −1…1.
  fileprivate func filled(_ count: Int) -> [Double] {
    var numbers = self
    return (0..<count).map { _ in Double(2 * numbers.uniform() - 1) }
  }
}

@Suite("Files of tensors, and C")
struct OtherFormatTests {
  static let weights: GeneratorWeights = {
    var weights = GeneratorWeights.random(
      try! DCGANShape(latent: 4, generatorWidths: [5, 3, 3], channels: 3))
    weights.slope = 0.25
    weights.layers[3].bias = [0.5, -0.25, 0]
    return weights
  }()

  @Test("what is written is read again, and the check holds", arguments: TensorFormat.allCases)
  func roundTrip(format: TensorFormat) throws {
    for storage in format.storages {
      let bytes = format.encoded(
        Self.weights.storedTensors(type: storage.tensorType!), metadata: [:], title: "x", side: 32)
      let check = try ExportCheck(bytes, format, madeFrom: Self.weights, storage: storage)
      #expect(check.holds && (check.largestCost > 0) == (storage != .f32))
      // Of another network it fails.
      var other = Self.weights
      other.layers[1].kernel.values[7] += 0.5
      #expect(try !ExportCheck(bytes, format, madeFrom: other, storage: storage).holds)
    }
  }

  @Test(
    "a state_dict that ends early is refused, wherever it ends", arguments: TensorFormat.allCases)
  func truncated(format: TensorFormat) throws {
    let bytes = format.encoded(
      Self.weights.storedTensors(), metadata: [:], title: "x", side: 32)
    for count in stride(from: 0, to: bytes.count, by: 101) {
      #expect(throws: (any Error).self) {
        try ExportCheck(Array(bytes[..<count]), format, madeFrom: Self.weights, storage: .f32)
      }
    }
  }

  @Test("the weights of C are checked number by number")
  func cWeights() throws {
    let code = CSource(Self.weights, name: "faces", data: "faces.bin")
    #expect(ExportCheck(cWeights: code.weights, madeFrom: Self.weights)?.holds == true)
    #expect(ExportCheck(cWeights: code.weights.dropLast(), madeFrom: Self.weights) == nil)
    #expect(ExportCheck(cWeights: code.weights + [0], madeFrom: Self.weights) == nil)
    var other = Self.weights
    other.layers[3].bias = nil
    #expect(ExportCheck(cWeights: code.weights, madeFrom: other)?.holds == false)
  }

  @Test("no place of the header is left to be filled, and no name ends its comment")
  func header() {
    let code = CSource(Self.weights, name: "faces", data: "a*/b\nü.bin")
    #expect(!code.header.contains("@"))
    #expect(code.header.contains("a* /b__.bin"))
    #expect(code.header.contains("*= 0.25f"))
  }

  @Test(
    "a file's name becomes one of C",
    arguments: [
      ("faces.h", "faces"), ("2x.h", "g2x"), ("a-b c.tar.h", "a_b_c"), (".h", "faces"),
      ("ü.h", "g__"), ("_x", "g_x"),
    ])
  func identifiers(file: String, name: String) {
    #expect(CSource.identifier(file) == name)
  }
}
