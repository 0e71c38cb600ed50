import BollyGANModel
import Testing

/// Networks with values that tell tensors and places apart.
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
    // Multiples of 1/64 below 32: float16 and bfloat16 hold the first ones exactly too.
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

  @Test("a generator comes back as it was, its sizes inferred", arguments: shapes)
  func generator(shape: DCGANShape) throws {
    let weights = SampleNetworks.generator(shape)
    let bytes = weights.file(metadata: ["note": "\"é\"\n"]).encoded()
    #expect(try GeneratorWeights(SafetensorsFile(bytes: bytes)) == weights)
  }

  @Test(
    "a discriminator comes back as it was, its sizes inferred", arguments: shapes, [false, true])
  func discriminator(shape: DCGANShape, normalisesFirst: Bool) throws {
    let weights = SampleNetworks.discriminator(shape, normalisesFirst: normalisesFirst)
    let read = try DiscriminatorWeights(SafetensorsFile(bytes: weights.file().encoded()))
    #expect(read.layers == weights.layers)
    #expect(read.normalisesFirst == normalisesFirst)
    #expect(read.shape.discriminatorChannels == shape.discriminatorChannels)
  }
}
