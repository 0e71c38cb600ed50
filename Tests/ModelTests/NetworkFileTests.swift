import BollyGANModel
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Networks whose values differ between tensors and positions.
enum SampleNetworks {
  static func generator(_ shape: DCGANShape) -> GeneratorWeights {
    let channels = shape.generatorChannels
    var start: Float = 0
    let layers = zip(channels, channels.dropFirst()).enumerated().map { index, pair in
      layer(
        [pair.0, pair.1], norm: index == channels.count - 2 ? nil : pair.1, start: &start)
    }
    return GeneratorWeights(shape: shape, layers: layers)
  }

  static func discriminator(
    _ shape: DCGANShape, normalisesFirst: Bool
  ) -> DiscriminatorWeights {
    let channels = shape.discriminatorChannels
    var start: Float = 0
    let layers = zip(channels, channels.dropFirst()).enumerated().map { index, pair in
      let normalised = index < channels.count - 2 && (index > 0 || normalisesFirst)
      return layer([pair.1, pair.0], norm: normalised ? pair.1 : nil, start: &start)
    }
    return DiscriminatorWeights(shape: shape, normalisesFirst: normalisesFirst, layers: layers)
  }

  private static func layer(_ ends: [Int], norm: Int?, start: inout Float) -> LayerWeights {
    // Multiples of 1/64 below 32. Float16 and bfloat16 represent the first ones exactly.
    func values(_ count: Int) -> [Float] {
      defer { start += 1 }
      return (0..<count).map { (start + Float($0 % 97)) / 64 }
    }
    var layer = LayerWeights(
      kernel: Tensor(shape: ends + [4, 4], values: values(ends[0] * ends[1] * 16)))
    if let norm {
      var weights = NormWeights(channels: norm)
      weights.scale = values(norm)
      weights.shift = values(norm)
      weights.runningMean = values(norm)
      weights.runningVariance = values(norm)
      weights.batchesTracked = 56 + norm
      layer.norm = weights
    }
    return layer
  }
}

@Suite("Networks in files")
struct NetworkFileTests {
  static let shapes: [DCGANShape] = [
    try! DCGANShape(latent: 5, generatorWidth: 2),
    try! DCGANShape(latent: 37, generatorWidth: 3, side: 32, channels: 1),
    try! DCGANShape(latent: 1, generatorWidth: 1, side: 128),
    try! DCGANShape(latent: 7, generatorWidth: 5, discriminatorWidth: 5, side: 64, channels: 1),
  ]

  @Test("a saved generator is read back unchanged, its sizes inferred", arguments: shapes)
  func generator(shape: DCGANShape) throws {
    let weights = SampleNetworks.generator(shape)
    let bytes = weights.file(metadata: ["note": "\"é\"\n"]).encoded()
    #expect(try GeneratorWeights(SafetensorsFile(bytes: bytes)) == weights)
  }

  @Test(
    "a saved discriminator is read back unchanged, its sizes inferred",
    arguments: shapes, [false, true])
  func discriminator(shape: DCGANShape, normalisesFirst: Bool) throws {
    let weights = SampleNetworks.discriminator(shape, normalisesFirst: normalisesFirst)
    let read = try DiscriminatorWeights(SafetensorsFile(bytes: weights.file().encoded()))
    #expect(read.layers == weights.layers)
    #expect(read.normalisesFirst == normalisesFirst && read.normalises)
    #expect(read.shape.discriminatorChannels == shape.discriminatorChannels)
  }

  @Test("a discriminator with biases and no norms is read back unchanged", arguments: shapes)
  func biasedDiscriminator(shape: DCGANShape) throws {
    let normalised = SampleNetworks.discriminator(shape, normalisesFirst: true)
    let layers = normalised.layers.map { layer in
      LayerWeights(kernel: layer.kernel, bias: layer.norm?.shift)
    }
    let weights = DiscriminatorWeights(
      shape: shape, normalisesFirst: false, normalises: false, layers: layers)
    let file = weights.file()
    // The positions in a Sequential of convolution, LeakyReLU, convolution, ...
    let places = (0...shape.doublings).map { 2 * $0 }
    #expect(
      Set(file.tensors.keys)
        == Set(
          places.map { "main.\($0).weight" } + places.dropLast().map { "main.\($0).bias" }))
    // Biases of zero are kept, since training begins with them.
    var fresh = weights
    fresh.layers[0].bias = fresh.layers[0].bias?.map { _ in 0 }
    #expect(try DiscriminatorWeights(fresh.file()).layers == fresh.layers)
    let read = try DiscriminatorWeights(SafetensorsFile(bytes: file.encoded()))
    #expect(read.layers == weights.layers && !read.normalises && !read.normalisesFirst)
    var tensors = file.tensors
    tensors["main.0.bias"] = StoredTensor(
      Tensor(shape: [1_000], values: .init(repeating: 0, count: 1_000)))
    #expect(throws: WeightsError.self) {
      try DiscriminatorWeights(SafetensorsFile(tensors: tensors))
    }
    tensors["main.0.bias"] = nil
    #expect(throws: WeightsError.self) {
      try DiscriminatorWeights(SafetensorsFile(tensors: tensors))
    }
  }
}

/// A record of the files that Fixtures/make_weights.py wrote with PyTorch.
private struct WeightsFixture: Decodable {
  var sha256: String
  var tracked: Int
  var latent: Int?
  var width: Int
  var side: Int
  var channels: Int
  var first: Bool?

  static let all = try! JSONDecoder().decode(
    [String: WeightsFixture].self, from: Data(readFile(fixture("weights.json"), limit: 1 << 20)))
}

/// The hash that make_weights.py computes, of all float32 values, layer by layer.
private func valueHash(_ layers: [LayerWeights]) -> String {
  var hash = SHA256()
  for layer in layers {
    var vectors = [layer.kernel.values]
    if let norm = layer.norm {
      vectors += [norm.scale, norm.shift, norm.runningMean, norm.runningVariance]
    }
    for vector in vectors {
      hash.update(StoredTensor(Tensor(shape: [vector.count], values: vector)).bytes)
    }
  }
  return hash.hexDigest()
}

@Suite("Networks written by PyTorch")
struct PyTorchFileTests {
  private static func read(_ name: String) throws -> [UInt8] {
    try readFile(fixture(name + ".safetensors"), limit: 1 << 20)
  }

  @Test("every generator is read with its sizes and values")
  func generators() throws {
    let fixtures = WeightsFixture.all.filter { $0.value.latent != nil }
    #expect(fixtures.count == 8)
    for (name, expected) in fixtures {
      let loaded = try GeneratorWeights.load(SafetensorsFile(bytes: Self.read(name)).tensors)
      let shape = loaded.weights.shape
      #expect(
        [shape.latent, shape.generatorWidth, shape.side, shape.channels]
          == [expected.latent!, expected.width, expected.side, expected.channels], "\(name)")
      #expect(valueHash(loaded.weights.layers) == expected.sha256, "\(name)")
      #expect(
        loaded.weights.layers.compactMap(\.norm?.batchesTracked).allSatisfy {
          $0 == expected.tracked
        }, "\(name)")
      #expect(loaded.notes.isEmpty == (name != "named_g"), "\(name)")
    }
  }

  @Test("every discriminator is read with its sizes and values")
  func discriminators() throws {
    let fixtures = WeightsFixture.all.filter { $0.value.first != nil }
    #expect(fixtures.count == 4)
    for (name, expected) in fixtures {
      let loaded = try DiscriminatorWeights.load(SafetensorsFile(bytes: Self.read(name)).tensors)
      let shape = loaded.weights.shape
      #expect(
        [shape.discriminatorWidth, shape.side, shape.channels]
          == [expected.width, expected.side, expected.channels], "\(name)")
      #expect(loaded.weights.normalisesFirst == expected.first, "\(name)")
      #expect(valueHash(loaded.weights.layers) == expected.sha256, "\(name)")
      #expect(loaded.notes.isEmpty, "\(name)")
    }
  }

  @Test("a file read and written again is equal byte for byte")
  func rewriting() throws {
    for name in WeightsFixture.all.keys {
      let bytes = try Self.read(name)
      #expect(try SafetensorsFile(bytes: bytes).encoded() == bytes, "\(name)")
    }
  }

  @Test("a discriminator with unknown names is matched by shape")
  func foreignDiscriminator() throws {
    for first in [false, true] {
      let weights = SampleNetworks.discriminator(
        try DCGANShape(generatorWidth: 3), normalisesFirst: first)
      var tensors: [String: StoredTensor] = [:]
      for (name, tensor) in weights.storedTensors(prefix: "") {
        let parts = name.split(separator: ".")
        tensors["block\(9999 - Int(parts[0])! * 7).layer.\(parts[1])"] = tensor
      }
      let loaded = try DiscriminatorWeights.load(tensors)
      #expect(loaded.weights == weights)
      #expect(loaded.notes.count == 1)
    }
  }
}

@Suite("Files that are not the expected network")
struct UnfitNetworkTests {
  static let shape = try! DCGANShape(latent: 4, generatorWidth: 1)
  static let generator = SampleNetworks.generator(shape).storedTensors()

  private func expectError(
    _ expected: WeightsError, sourceLocation: SourceLocation = #_sourceLocation,
    _ change: (inout [String: StoredTensor]) -> Void
  ) {
    var tensors = Self.generator
    change(&tensors)
    #expect(throws: expected, sourceLocation: sourceLocation) {
      try GeneratorWeights.load(tensors)
    }
  }

  @Test("known prefixes are removed, even several; others are matched by shape")
  func prefixes() throws {
    let weights = SampleNetworks.generator(Self.shape)
    for prefix in ["", "module.", "main.", "net.", "model.", "G_ema.", "module.G_ema.main."] {
      let loaded = try GeneratorWeights.load(weights.storedTensors(prefix: prefix))
      #expect(loaded.weights == weights)
      #expect(loaded.notes.isEmpty)
    }
    let loaded = try GeneratorWeights.load(weights.storedTensors(prefix: "decoder."))
    #expect(loaded.weights == weights)
    #expect(loaded.notes.count == 1)
  }

  @Test("num_batches_tracked may be missing")
  func untracked() throws {
    var weights = SampleNetworks.generator(Self.shape)
    let tensors = weights.storedTensors().filter { !$0.key.hasSuffix("num_batches_tracked") }
    for layer in weights.layers.indices { weights.layers[layer].norm?.batchesTracked = 0 }
    #expect(try GeneratorWeights.load(tensors).weights == weights)
  }

  @Test(
    "a slope that is not a number from 0 to 1 is refused", arguments: ["", "nan", "2", "-0.1", "x"])
  func slope(text: String) throws {
    let file = SafetensorsFile(metadata: ["bollygan.negative_slope": text], tensors: Self.generator)
    #expect(
      throws: WeightsError.metadata(
        key: "bollygan.negative_slope", value: text, accepted: "a number from 0 to 1")
    ) { try GeneratorWeights(file) }
  }

  @Test(
    "a convolution's bias moves into the normalisation after it, or stays before the image")
  func biases() throws {
    var tensors = Self.generator
    tensors["main.0.bias"] = StoredTensor(
      Tensor(shape: [8], values: [Float](repeating: 2, count: 8)))
    tensors["main.3.bias"] = StoredTensor(Tensor(zeros: [4]))
    tensors["main.12.bias"] = StoredTensor(Tensor(shape: [3], values: [1, 0, -1]))
    var expected = try GeneratorWeights.load(Self.generator).weights
    for channel in 0..<8 { expected.layers[0].norm!.runningMean[channel] -= 2 }
    expected.layers[4].bias = [1, 0, -1]
    #expect(try GeneratorWeights.load(tensors).weights == expected)
    #expect(try GeneratorWeights.load(expected.storedTensors()).weights == expected)
  }

  @Test("missing and unexpected tensors are named")
  func names() {
    expectError(.missing(tensor: "main.4.bias", network: "generator")) { $0["main.4.bias"] = nil }
    expectError(.unexpected(tensor: "main.0.gain", network: "generator")) {
      $0["main.0.gain"] = $0["main.4.bias"]
    }
    // A convolution may have a bias, but only of the right size.
    expectError(.shape(tensor: "main.0.bias", expected: [8], found: [4])) {
      $0["main.0.bias"] = $0["main.4.bias"]
    }
    expectError(
      .notANetwork(
        network: "generator", problem: "it has 0 convolutions and 0 batch normalisations")
    ) { $0 = [:] }
  }

  @Test("the other network is recognised")
  func otherNetwork() throws {
    for first in [false, true] {
      let tensors = SampleNetworks.discriminator(Self.shape, normalisesFirst: first)
        .storedTensors()
      #expect(
        throws: WeightsError.notANetwork(
          network: "generator", problem: "its tensors are those of a discriminator")
      ) { try GeneratorWeights.load(tensors) }
    }
    #expect(
      throws: WeightsError.notANetwork(
        network: "discriminator", problem: "its tensors are those of a generator")
    ) { try DiscriminatorWeights.load(Self.generator) }
  }

  @Test("other shapes are refused by name")
  func shapes() {
    func zeros(_ shape: [Int]) -> StoredTensor { StoredTensor(Tensor(zeros: shape)) }
    expectError(.shape(tensor: "main.3.weight", expected: [8, 4, 4, 4], found: [8, 4, 5, 5])) {
      $0["main.3.weight"] = zeros([8, 4, 5, 5])
    }
    expectError(.shape(tensor: "main.7.running_var", expected: [2], found: [3])) {
      $0["main.7.running_var"] = zeros([3])
    }
    expectError(.shape(tensor: "main.1.num_batches_tracked", expected: [], found: [1])) {
      $0["main.1.num_batches_tracked"] = StoredTensor(int64: [1], shape: [1])
    }
    expectError(
      .entry(
        tensor: "main.12.weight", problem: "a convolution kernel has 4 axes, found shape [3]")
    ) { $0["main.12.weight"] = zeros([3]) }
    for (first, last, name, value, accepted) in [
      ([1025, 8, 4, 4], [1, 3, 4, 4], "latent size", 1025, "1 to 1024"),
      ([4, 16385, 4, 4], [1, 3, 4, 4], "generator width", 16385, "1 to 16384"),
      ([4, 8, 4, 4], [1, 4, 4, 4], "channels", 4, "1 or 3"),
      ([0, 8, 4, 4], [1, 3, 4, 4], "latent size", 0, "1 to 1024"),
    ] {
      do throws(WeightsError) {
        var tensors = Self.generator
        tensors["main.0.weight"] = zeros(first)
        tensors["main.12.weight"] = zeros(last)
        _ = try GeneratorWeights.load(tensors)
        Issue.record("\(name) \(value) was accepted")
      } catch {
        guard case .unsupported("generator", let reason) = error else {
          Issue.record("\(error)")
          continue
        }
        #expect(reason.name == name && reason.value == value && reason.accepted == accepted)
      }
    }
  }

  @Test("other types are refused by name")
  func types() {
    expectError(
      .type(tensor: "main.1.bias", found: .f64, accepted: [.f32, .f16, .bf16])
    ) { $0["main.1.bias"] = StoredTensor([Double](repeating: 0, count: 8), shape: [8]) }
    expectError(
      .type(tensor: "main.1.num_batches_tracked", found: .f32, accepted: [.i64])
    ) { $0["main.1.num_batches_tracked"] = StoredTensor(Tensor(shape: [], values: [1])) }
  }

  @Test(
    "a non-finite value is refused anywhere, and accepted on request",
    arguments: [Float.nan, .infinity, -.infinity])
  func nonFinite(value: Float) throws {
    for (name, stored) in Self.generator where stored.type == .f32 {
      var values = try stored.floats()
      values[values.count - 1] = value
      let bad = StoredTensor(Tensor(shape: stored.shape, values: values))
      expectError(.notFinite(tensor: name, index: values.count - 1)) { $0[name] = bad }
    }
    var tensors = Self.generator
    tensors["main.1.bias"] = StoredTensor(
      Tensor(shape: [8], values: [Float](repeating: value, count: 8)))
    let loaded = try GeneratorWeights.load(tensors, allowsNonFinite: true)
    #expect(loaded.weights.layers[0].norm?.shift.allSatisfy { !$0.isFinite } == true)
  }

  @Test(
    "a stored tensor reads as its widened values, whole or in parts, until it is changed",
    arguments: [TensorType.f32, .f16, .bf16])
  func widening(type: TensorType) throws {
    // More than two of the chunks that are checked together.
    var values = (0..<20_000).map { Float($0 % 251) - 125 }
    values[19_000] = -65504  // the largest of float16
    let shape = [25, 50, 4, 4]
    func stored(_ values: [Float]) -> StoredTensor {
      StoredTensor(Tensor(shape: shape, values: values), type: type)
    }
    values = try stored(values).floats()
    var tensor = try Tensor(stored(values), name: "")
    #expect(tensor == Tensor(shape: shape, values: values) && tensor.firstNonFinite == nil)
    #expect(tensor.values(8_190..<16_390) == values[8_190..<16_390])
    for index in [0, 8_191, 8_192, 19_999] {
      for bad in [Float.nan, .infinity, -.infinity] {
        var others = values
        others[index] = bad
        #expect(try Tensor(stored(others), name: "").firstNonFinite == index)
      }
    }
    tensor.values[7] = 0.125
    values[7] = 0.125
    #expect(tensor.values == values && tensor.values(7..<8) == [0.125])
  }

  @Test("negative variances and counts are refused")
  func negative() {
    expectError(.negative(tensor: "main.10.running_var", index: 0)) {
      $0["main.10.running_var"] = StoredTensor(Tensor(shape: [1], values: [-1e-30]))
    }
    expectError(.negative(tensor: "main.10.num_batches_tracked", index: 0)) {
      $0["main.10.num_batches_tracked"] = StoredTensor(int64: [-1], shape: [])
    }
  }

  @Test("ambiguous shapes are refused rather than guessed")
  func ambiguity() {
    var foreign: [String: StoredTensor] = [:]
    for (name, tensor) in Self.generator {
      foreign["x" + name.replacing("main.", with: "")] = tensor
    }
    func expectProblem(_ problem: String, _ change: (inout [String: StoredTensor]) -> Void) {
      var tensors = foreign
      change(&tensors)
      #expect(throws: WeightsError.notANetwork(network: "generator", problem: problem)) {
        try GeneratorWeights.load(tensors)
      }
    }
    func norm(_ module: String, channels: Int, in tensors: inout [String: StoredTensor]) {
      for field in ["weight", "bias", "running_mean", "running_var"] {
        tensors["\(module).\(field)"] = StoredTensor(Tensor(zeros: [channels]))
      }
    }
    expectProblem("two normalisations have 8 channels") { norm("x4", channels: 8, in: &$0) }
    expectProblem("no normalisation has the 4 channels of \"x3\"") {
      norm("x4", channels: 5, in: &$0)
    }
    expectProblem("it has 5 convolutions and 5 batch normalisations") {
      norm("y", channels: 5, in: &$0)
    }
    expectProblem(
      "\"x3\" is neither a convolution (one kernel, perhaps a bias) nor a batch normalisation"
    ) { $0["x3.gain"] = StoredTensor(Tensor(zeros: [4])) }
  }

  @Test(
    "tensors that merely resemble a network are refused",
    arguments: [
      ["x"], ["a.weight"], ["0.weight", "0.bias"],
      ["weight", "bias", "running_mean", "running_var"],
    ])
  func foreign(names: [String]) {
    var tensors: [String: StoredTensor] = [:]
    for name in names { tensors[name] = StoredTensor(Tensor(shape: [1], values: [1])) }
    for load in [
      { _ = try GeneratorWeights.load(tensors) }, { _ = try DiscriminatorWeights.load(tensors) },
    ] {
      #expect {
        try load()
      } throws: {
        if case .notANetwork = $0 as? WeightsError { true } else { false }
      }
    }
  }
}

@Suite("Networks written for PyTorch")
struct WrittenFileTests {
  /// The files in Fixtures/written, which Tests/torch/test_weights.py loads with PyTorch.
  static let files: [(name: String, file: SafetensorsFile)] = {
    let color = try! DCGANShape(latent: 5, generatorWidth: 1)
    let gray = try! DCGANShape(latent: 3, generatorWidth: 1, side: 32, channels: 1)
    let large = try! DCGANShape(latent: 2, generatorWidth: 1, side: 128)
    var described = SampleNetworks.generator(color).file(metadata: ["bollygan.seed": "42"])
    described.addModelSpec(title: "A test", side: 64)
    return [
      ("generator-64", described),
      ("generator-64-f16", SampleNetworks.generator(color).file(type: .f16)),
      ("generator-64-bf16", SampleNetworks.generator(color).file(type: .bf16)),
      ("generator-32-gray", SampleNetworks.generator(gray).file()),
      ("generator-128", SampleNetworks.generator(large).file()),
      (
        "discriminator-64",
        SampleNetworks.discriminator(color, normalisesFirst: false).file()
      ),
      (
        "discriminator-64-norm",
        SampleNetworks.discriminator(color, normalisesFirst: true).file()
      ),
      (
        "discriminator-32-gray-norm",
        SampleNetworks.discriminator(gray, normalisesFirst: true).file()
      ),
      (
        "discriminator-128",
        SampleNetworks.discriminator(large, normalisesFirst: false).file()
      ),
    ]
  }()

  /// Writes the files if BOLLYGAN_WRITE_FIXTURES is set; then run Tests/torch/test_weights.py.
  @Test("files that PyTorch is known to load are still written byte for byte")
  func bytes() throws {
    let isWriting = ProcessInfo.processInfo.environment["BOLLYGAN_WRITE_FIXTURES"] != nil
    for (name, file) in Self.files {
      let path = fixture("written/\(name).safetensors")
      if isWriting { try writeFile(file.encoded(), to: path) }
      #expect(try readFile(path, limit: 1 << 20) == file.encoded(), "\(name)")
    }
  }

  @Test("a kernel beyond the range of float16 stays float32, and so do normalisations")
  func fallback() throws {
    var weights = SampleNetworks.generator(try DCGANShape(latent: 2, generatorWidth: 1))
    weights.layers[2].kernel.values[5] = 70_000
    weights.layers[1].norm!.runningVariance[0] = 1e10
    let tensors = weights.storedTensors(type: .f16)
    for (name, tensor) in tensors where tensor.shape.count == 4 {
      #expect(tensor.type == (name == "main.6.weight" ? .f32 : .f16), "\(name)")
    }
    #expect(try GeneratorWeights.load(tensors).weights == weights)
  }

  @Test("trainable tensors are in the order of PyTorch's parameters()")
  func order() throws {
    let shape = try DCGANShape(latent: 2, generatorWidth: 1, side: 32)
    #expect(
      SampleNetworks.generator(shape).namedTensors().map(\.name) == [
        "main.0.weight", "main.1.weight", "main.1.bias", "main.3.weight", "main.4.weight",
        "main.4.bias", "main.6.weight", "main.7.weight", "main.7.bias", "main.9.weight",
      ])
    #expect(
      SampleNetworks.discriminator(shape, normalisesFirst: false).namedTensors(prefix: "d.")
        .map(\.name) == [
          "d.0.weight", "d.2.weight", "d.3.weight", "d.3.bias", "d.5.weight", "d.6.weight",
          "d.6.bias", "d.8.weight",
        ])
  }
}
