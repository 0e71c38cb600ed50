import BollyGANExport
import BollyGANInfer
import BollyGANModel
import Testing

extension DiscriminatorWeights {
  /// A discriminator whose layers preserve the RMS of their input.
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
    try ONNXModel(bytes: model.encoded()).network(DiscriminatorWeights.self).weights
  }

  @Test(
    "a written discriminator is read back unchanged",
    arguments: [false, true], ONNXExportOptions.Layout.allCases)
  func roundTrip(normalisesFirst: Bool, layout: ONNXExportOptions.Layout) throws {
    for side in [16, 64] {
      let shape = try DCGANShape(generatorWidth: 2, side: side, channels: 1)
      let weights = DiscriminatorWeights.random(shape, normalisesFirst: normalisesFirst)
      var options = ONNXExportOptions()
      options.layout = layout
      options.keepsNorm = true
      #expect(try Self.read(weights.onnxModel(options)) == weights)
      // A folded one is equal up to rounding.
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

  @Test("the export check fails on another discriminator's file")
  func otherNetwork() throws {
    let other = DiscriminatorWeights.random(Self.shape, normalisesFirst: false, seed: 2)
    let check = try ExportCheck(
      other.onnxModel().encoded(), madeFrom: Self.weights, options: ONNXExportOptions())
    #expect(!check.holds)
  }

  @Test("the check detects a wrong weight in a saturated discriminator")
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

  @Test("a file of one network is refused if the other is requested")
  func kinds() throws {
    let discriminator = try ONNXModel(bytes: Self.weights.onnxModel().encoded())
    #expect(
      "\(#expect(throws: ONNXError.self) { try discriminator.network(GeneratorWeights.self) }!)"
        .contains("it looks like a discriminator"))
    let generator = try ONNXModel(
      bytes: GeneratorWeights.random(DCGANShape.small[0]).onnxModel().encoded())
    #expect(
      "\(#expect(throws: ONNXError.self) { try generator.network(DiscriminatorWeights.self) }!)"
        .contains("not made of convolutions"))
  }

  @Test(
    "a model with one mistake is refused for that mistake",
    arguments: [
      ("strides", ONNXModel.Attribute.Value.ints([1, 1]), "changes the shape of a feature map"),
      ("pads", .ints([9, 9, 9, 9]), "changes the shape of a feature map"),
      ("strides", .ints([0, 0]), "strides [0, 0]"),
      ("group", .int(3), "has groups"),
      ("dilations", .ints([2, 2]), "has dilations"),
      ("output_padding", .ints([1, 1]), "\"output_padding\" is not supported"),
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

  @Test("other activations, a bias at the end, and maps that do not end in a score are refused")
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
    // It still goes from 4x4 to one number.
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

  @Test("a changed byte changes the scores or gets the file refused, and nothing worse")
  func flipped() throws {
    let bytes = try Self.weights.onnxModel().encoded()
    var numbers = TestNumbers(seed: 8)
    for _ in 0..<2_000 {
      var changed = bytes
      let place = Int(numbers.uniform() * Float(bytes.count - 1))
      changed[place] ^= UInt8(1 + Int(numbers.uniform() * 254))
      _ = try? ONNXModel(bytes: changed).network(DiscriminatorWeights.self)
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
