import BollyGANExport
import BollyGANInfer
import BollyGANModel
import Testing

@Suite("Other people's ONNX files")
struct ONNXImportTests {
  /// What PyTorch draws, by file.
  static let drawn = try! SafetensorsFile(bytes: Fixtures.bytes("faces.safetensors")).tensors

  static let names = drawn.keys.filter { $0.hasSuffix(".faces") }.map { String($0.dropLast(6)) }
    .sorted()

  @Test("the faces are those that PyTorch draws", arguments: names)
  func faces(name: String) throws {
    let latents = try Self.drawn["\(name).latents"]!.floats()
    let expected = try Self.drawn["\(name).faces"]!.floats()
    let file = try GeneratorFile(path: Fixtures.path("\(name).onnx"))
    let axes = Self.drawn["\(name).faces"]!.shape
    #expect(file.weights.shape.latent == 5)
    let shape = file.weights.shape
    #expect([2, shape.channels, shape.side, shape.side] == axes)
    let drawn = PlainGenerator<Double>(file.weights).pictures(latents: latents.map { Double($0) })
    // Exporters fold normalisation in float32, and in float16 where the network is of that.
    let tolerance = name.hasSuffix("half") ? 3e-3 : 2e-6
    let gap = zip(drawn, expected).map { abs($0 - Double($1)) }.max()!
    #expect(drawn.count == expected.count && gap < tolerance, "\(gap)")
  }

  @Test("a layer with a bias of its own gets a normalisation that only adds")
  func biases() throws {
    let file = try GeneratorFile(path: Fixtures.path("torch-new-no-norm.onnx"))
    let norm = try #require(file.weights.layers[0].norm)
    #expect(norm == NormWeights(bias: norm.shift))
    #expect(norm.shift.contains { $0 != 0 })
  }

  @Test("a normalisation that is like ours stays as it is")
  func norms() throws {
    let plain = try GeneratorFile(path: Fixtures.path("torch-old-plain.onnx"))
    let norm = try #require(plain.weights.layers[0].norm)
    #expect(norm.runningVariance.allSatisfy { (0.5...1.5).contains($0) })
    #expect(Set(norm.runningVariance).count == norm.channels)
  }

  @Test("LeakyReLU, a bias before the picture, widths that do not halve and other sides are kept")
  func others() throws {
    func weights(_ name: String) throws -> GeneratorWeights {
      try GeneratorFile(path: Fixtures.path("\(name).onnx")).weights
    }
    #expect(try weights("torch-old-leaky").slope == 0.2)
    #expect(try weights("torch-new-leaky-bias-sigmoid").slope == 0.01)
    #expect(try weights("torch-old-13").slope == 0)
    for name in ["torch-old-last-bias", "torch-new-leaky-bias-sigmoid"] {
      #expect(try weights(name).layers.last?.bias?.contains { $0 != 0 } == true)
    }
    #expect(try weights("torch-old-13").layers.last?.bias == nil)
    #expect(try weights("torch-new-widths").shape.generatorWidths == [6, 6, 3])
    #expect(try weights("torch-old-side-16").shape.side == 16)
  }

  @Test("what is done to pictures at the end is told, and undone")
  func ranges() throws {
    let hand = try GeneratorFile(path: Fixtures.path("by-hand.onnx"))
    #expect(
      hand.notes == [
        "the file's pictures are in 0.0…255.0; here they are in -1…1",
        "the file's pictures have channels last; here they come first",
      ])
    let sigmoid = try GeneratorFile(path: Fixtures.path("torch-old-sigmoid.onnx"))
    #expect(sigmoid.notes == ["the file's pictures are in 0.0…1.0; here they are in -1…1"])
  }

  @Test(
    "what has no place here is refused by node, operator and reason",
    arguments: [
      ("refused-slopes", "/main/main.3/ConvTranspose", "slope 0.2, those before have 0.0"),
      ("refused-elu", "(Elu)", "is not understood"),
      ("refused-kernel", "(ConvTranspose)", "kernel [5, 4, 7, 7], a generator has [5, 4, 4, 4]"),
      ("refused-upsample", "(Resize)", "is not understood; a generator is read from Add"),
    ])
  func refused(name: String, node: String, reason: String) {
    let error = #expect(throws: ONNXError.self) {
      try GeneratorFile(path: Fixtures.path("\(name).onnx"))
    }
    #expect("\(error!)".contains(node) && "\(error!)".contains(reason), "\(error!)")
  }

  @Test("every file that is read goes out again and comes back the same", arguments: names)
  func roundTrip(name: String) throws {
    let weights = try GeneratorFile(path: Fixtures.path("\(name).onnx")).weights
    var options = ONNXExportOptions()
    options.keepsNorm = true
    let again = try GeneratorFile(weights.onnxModel(options).encoded())
    #expect(again.weights == weights)
    #expect(again.id == weights.file().tensorHash)
  }
}
