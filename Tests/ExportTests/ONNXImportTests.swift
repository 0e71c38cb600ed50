import BollyGANExport
import BollyGANInfer
import BollyGANModel
import Testing

@Suite("ONNX files from other programs")
struct ONNXImportTests {
  /// Latents and the images that PyTorch generates from them, by file.
  static let reference = try! SafetensorsFile(bytes: Fixtures.bytes("faces.safetensors")).tensors

  static let names = reference.keys.filter { $0.hasSuffix(".faces") }.map { String($0.dropLast(6)) }
    .sorted()

  @Test("images match PyTorch's", arguments: names)
  func faces(name: String) throws {
    let latents = try Self.reference["\(name).latents"]!.floats()
    let expected = try Self.reference["\(name).faces"]!.floats()
    let file = try GeneratorFile(path: Fixtures.path("\(name).onnx"))
    let axes = Self.reference["\(name).faces"]!.shape
    #expect(file.weights.shape.latent == 5)
    let shape = file.weights.shape
    #expect([2, shape.channels, shape.side, shape.side] == axes)
    let found = PlainGenerator<Double>(file.weights).pictures(latents: latents.map { Double($0) })
    // Exporters fold normalisation in the precision of the network, float32 or float16.
    let tolerance = name.hasSuffix("half") ? 3e-3 : 2e-6
    let gap = zip(found, expected).map { abs($0 - Double($1)) }.max()!
    #expect(found.count == expected.count && gap < tolerance, "\(gap)")
  }

  @Test("a layer with a bias gets a normalisation that only adds")
  func biases() throws {
    let file = try GeneratorFile(path: Fixtures.path("torch-new-no-norm.onnx"))
    let norm = try #require(file.weights.layers[0].norm)
    #expect(norm == NormWeights(bias: norm.shift))
    #expect(norm.shift.contains { $0 != 0 })
  }

  @Test("a normalisation with our epsilon stays unchanged")
  func norms() throws {
    let plain = try GeneratorFile(path: Fixtures.path("torch-old-plain.onnx"))
    let norm = try #require(plain.weights.layers[0].norm)
    #expect(norm.runningVariance.allSatisfy { (0.5...1.5).contains($0) })
    #expect(Set(norm.runningVariance).count == norm.channels)
  }

  @Test("LeakyReLU, a bias before the image, widths that do not halve, and other sides are kept")
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

  @Test("a different range or layout of images is noted and undone")
  func ranges() throws {
    let hand = try GeneratorFile(path: Fixtures.path("by-hand.onnx"))
    #expect(
      hand.notes == [
        "the file's images are in 0.0…255.0; this program's are in -1…1",
        "the file's images have channels last; this program's have channels first",
      ])
    let sigmoid = try GeneratorFile(path: Fixtures.path("torch-old-sigmoid.onnx"))
    #expect(sigmoid.notes == ["the file's images are in 0.0…1.0; this program's are in -1…1"])
  }

  @Test(
    "an unsupported graph is refused with node, operator and reason",
    arguments: [
      ("refused-slopes", "/main/main.3/ConvTranspose", "slope 0.2, earlier ones have 0.0"),
      ("refused-elu", "(Elu)", "is not supported"),
      ("refused-kernel", "(ConvTranspose)", "kernel [5, 4, 7, 7], a generator has [5, 4, 4, 4]"),
      ("refused-upsample", "(Resize)", "is not supported; accepted: Add"),
    ])
  func refused(name: String, node: String, reason: String) {
    let error = #expect(throws: ONNXError.self) {
      try GeneratorFile(path: Fixtures.path("\(name).onnx"))
    }
    #expect("\(error!)".contains(node) && "\(error!)".contains(reason), "\(error!)")
  }

  @Test("every imported file survives export and import unchanged", arguments: names)
  func roundTrip(name: String) throws {
    let weights = try GeneratorFile(path: Fixtures.path("\(name).onnx")).weights
    var options = ONNXExportOptions()
    options.keepsNorm = true
    let again = try GeneratorFile(weights.onnxModel(options).encoded())
    #expect(again.weights == weights)
    #expect(again.id == weights.file().tensorHash)
  }
}
