import BollyGANInfer
import BollyGANModel
import Testing

@Suite("Plain generator")
struct PlainGeneratorTests {
  static let shapes: [DCGANShape] = [32, 64, 128].flatMap { side in
    [1, 3].compactMap { channels in
      try? DCGANShape(latent: 5, generatorWidth: 3, side: side, channels: channels)
    }
  }

  @Test("an image does not depend on its neighbours", arguments: shapes)
  func neighbours(shape: DCGANShape) {
    let generator = PlainGenerator<Float>(drawnGenerator(shape, seed: 3, gain: 1))
    let latents = drawnLatents(seed: 4, count: 3 * shape.latent)
    let together = generator.pictures(latents: latents)
    #expect(together.count == 3 * shape.pictureCount)
    for index in 0..<3 {
      let alone = generator.pictures(
        latents: Array(latents[index * shape.latent..<(index + 1) * shape.latent]))
      #expect(together[index * shape.pictureCount..<(index + 1) * shape.pictureCount] == alone[...])
    }
  }

  @Test("an empty array of latents gives an empty result")
  func none() {
    let generator = PlainGenerator<Double>(drawnGenerator(Self.shapes[0], seed: 3, gain: 1))
    #expect(generator.pictures(latents: []).isEmpty)
  }

  /// With a single tap there are no sums, so each output shows where that tap goes.
  @Test("each tap of the last layer contributes to (2i + u − 1, 2j + v − 1)")
  func taps() throws {
    let shape = try DCGANShape(latent: 1, generatorWidth: 1, side: 32, channels: 1)
    var weights = drawnGenerator(shape, seed: 0, gain: 1)
    for layer in weights.layers.indices {
      weights.layers[layer].kernel.values = weights.layers[layer].kernel.values.map { _ in 0 }
      if let channels = weights.layers[layer].norm?.channels {
        weights.layers[layer].norm = NormWeights(channels: channels)
      }
    }
    // All maps are zero except the last one, which its shift makes 1 everywhere.
    weights.layers[2].norm?.shift = [1]
    for u in 0..<4 {
      for v in 0..<4 {
        var kernel = [Float](repeating: 0, count: 16)
        kernel[u * 4 + v] = 1
        weights.layers[3].kernel.values = kernel
        let picture = PlainGenerator<Double>(weights).pictures(latents: [1])
        for p in 0..<32 {
          for q in 0..<32 {
            // The input row i = (p + 1 − u)/2 must be an integer in 0..<16; columns likewise.
            let hit =
              (p + 1 - u).isMultiple(of: 2) && (q + 1 - v).isMultiple(of: 2)
              && (0..<32).contains(p + 1 - u) && (0..<32).contains(q + 1 - v)
            #expect((picture[p * 32 + q] != 0) == hit)
          }
        }
      }
    }
  }
}
