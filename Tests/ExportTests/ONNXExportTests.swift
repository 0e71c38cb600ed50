import BollyGANExport
import BollyGANInfer
import BollyGANModel
import Testing

@Suite("Generators as ONNX")
struct ONNXExportTests {
  /// Every value of every option, at least once with each shape.
  static let options: [ONNXExportOptions] = {
    var result: [ONNXExportOptions] = []
    for (index, opset) in ONNXExportOptions.opsets.enumerated() {
      var options = ONNXExportOptions()
      options.opset = opset
      options.keepsNorm = index % 2 == 1
      options.latentRank = index % 3 == 1 ? 2 : 4
      options.batch = index % 4 == 3 ? 7 : nil
      options.range = ONNXExportOptions.OutputRange.allCases[index % 3]
      options.layout = ONNXExportOptions.Layout.allCases[index / 2 % 2]
      options.storage = opset < 13 ? .f32 : ONNXExportOptions.Storage.allCases[index % 4]
      result.append(options)
    }
    return result
  }()

  @Test("a written model is read back as the same value", arguments: options, DCGANShape.small)
  func encoding(options: ONNXExportOptions, shape: DCGANShape) throws {
    let model = try GeneratorWeights.random(shape).onnxModel(
      options, metadata: ["bollygan.epoch": "12", "modelspec.author": "Ada"])
    #expect(try ONNXModel(bytes: model.encoded()) == model)
  }

  @Test("the same model gives the same bytes")
  func repeatable() throws {
    let weights = GeneratorWeights.random(DCGANShape.small[1])
    let metadata = Dictionary(
      uniqueKeysWithValues: (0..<50).map { ("bollygan.key\($0)", "\($0)") })
    let first = try weights.onnxModel(metadata: metadata).encoded()
    // A dictionary of the same pairs, inserted in another order.
    let other = Dictionary(
      uniqueKeysWithValues: (0..<50).reversed().map { ("bollygan.key\($0)", "\($0)") })
    #expect(try weights.onnxModel(metadata: other).encoded() == first)
  }

  @Test("reading returns exactly the stored weights", arguments: options, DCGANShape.small)
  func importing(options: ONNXExportOptions, shape: DCGANShape) throws {
    let weights = GeneratorWeights.random(shape)
    let bytes = try weights.onnxModel(options).encoded()
    let read = try ONNXModel(bytes: bytes).network(GeneratorWeights.self)
    #expect(read.weights == weights.stored(options))
    #expect(read.notes.isEmpty == (options.range == .signed && options.layout == .nchw))
  }

  @Test("folding changes an image only by float32 rounding", arguments: DCGANShape.small)
  func folding(shape: DCGANShape) throws {
    let weights = GeneratorWeights.random(shape)
    var numbers = TestNumbers(seed: 3)
    let latents = numbers.numbers(2 * shape.latent, rms: 1)
    let read = try ONNXModel(bytes: weights.onnxModel().encoded()).network(GeneratorWeights.self)
      .weights
    let exact = PlainGenerator<Double>(weights).pictures(latents: latents.map { Double($0) })
    let folded = PlainGenerator<Double>(read).pictures(latents: latents.map { Double($0) })
    // Each folded weight is off by half an ulp, a relative 6e-8, in each of five layers.
    let gap = zip(exact, folded).map { abs($0 - $1) }.max()!
    #expect(gap < 2e-6)
    #expect(gap > 0)
  }

  @Test("the self-check holds for the written network and fails for another")
  func selfCheck() throws {
    let weights = GeneratorWeights.random(DCGANShape.small[1])
    for options in Self.options {
      let bytes = try weights.onnxModel(options).encoded()
      let check = try ExportCheck(bytes, madeFrom: weights, options: options)
      #expect(check.holds, "\(options): \(check)")
      #expect((check.largestCost > 0) == (options.storage != .f32))
    }
    var other = weights
    other.layers[2].kernel.values[100] += 0.5
    let bytes = try other.onnxModel().encoded()
    #expect(try !ExportCheck(bytes, madeFrom: weights, options: ONNXExportOptions()).holds)
  }

  @Test("names, versions and denotations are the documented ones")
  func names() throws {
    let model = try GeneratorWeights.random(DCGANShape.small[1]).onnxModel(
      metadata: ["bollygan.epoch": "40", "modelspec.license": "none", "private": "stays"])
    #expect(model.irVersion == 8)
    #expect(model.opset == 17)
    #expect(model.producerName == "bollygan")
    #expect(model.producerVersion == bollyganVersion)
    #expect(model.modelVersion == 40)
    #expect(model.graph.name == "dcgan_generator")
    #expect(model.graph.inputs.map(\.name) == ["latent"])
    #expect(model.graph.outputs.map(\.name) == ["image"])
    #expect(model.graph.outputs[0].denotation == "IMAGE")
    #expect(
      model.graph.outputs[0].dimensions?.map(\.denotation)
        == ["DATA_BATCH", "DATA_CHANNEL", "DATA_FEATURE", "DATA_FEATURE"])
    #expect(model.graph.inputs[0].dimensions?[0].length == .named("batch"))
    #expect(
      model.graph.initializers.map(\.name)
        == [0, 3, 6, 9].flatMap { ["main.\($0).weight", "main.\($0).bias"] } + ["main.12.weight"])
    #expect(model.graph.nodes.first?.name == "/main/main.0/ConvTranspose")
    #expect(model.graph.nodes.last?.name == "/main/main.13/Tanh")
    let keys = model.metadata.map(\.key)
    #expect(keys == keys.sorted())
    #expect(
      keys.contains("Image.NominalPixelRange") && keys.contains("model_license")
        && keys.contains("bollygan.epoch") && !keys.contains("private"))
    #expect(!model.documentation.isEmpty)
  }

  @Test(
    "options that the format cannot express are refused with what would be accepted",
    arguments: [
      (10, 8, 4, nil, .f32, "11 to 28"), (29, 8, 4, nil, .f32, "11 to 28"),
      (17, 3, 4, nil, .f32, "4 to 14"), (17, 8, 3, nil, .f32, "2 or 4"),
      (17, 8, 4, 0, .f32, "dynamic"), (12, 7, 4, nil, .bf16, "13 or later"),
      (11, 7, 4, nil, .int8, "13 or later"),
    ] as [(Int, Int, Int, Int?, ONNXExportOptions.Storage, String)])
  func refused(
    opset: Int, ir: Int, rank: Int, batch: Int?, storage: ONNXExportOptions.Storage,
    accepted: String
  ) {
    var options = ONNXExportOptions()
    options.opset = opset
    options.irVersion = ir
    options.latentRank = rank
    options.batch = batch
    options.storage = storage
    let error = #expect(throws: ONNXError.self) {
      try GeneratorWeights.random(DCGANShape.small[0]).onnxModel(options)
    }
    #expect("\(error!)".contains(accepted))
  }

  @Test("text with a NUL is not written, because readers would cut it")
  func embeddedNUL() throws {
    let weights = GeneratorWeights.random(DCGANShape.small[0])
    let model = try weights.onnxModel(metadata: ["bollygan.recipe": "a\0b"])
    #expect(throws: ONNXError.self) { try model.encoded() }
  }
}
