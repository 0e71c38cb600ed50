import BollyGANExport
import BollyGANInfer
import BollyGANModel
import Testing

@Suite("Discriminators with biases")
struct BiasedDiscriminatorTests {
  // Folding a normalisation that only adds leaves kernels unchanged, so scores are the same sums of
  // up to a few hundred float32 terms.
  @Test("a discriminator without normalisation keeps its scores in ONNX", arguments: [false, true])
  func scores(keepsNorm: Bool) throws {
    let shape = try DCGANShape(generatorWidth: 2, side: 32)
    let channels = shape.discriminatorChannels
    var state: UInt32 = 1
    func numbers(_ count: Int) -> [Float] {
      (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(state >> 8) * 0x1p-23 - 1
      }
    }
    let layers = zip(channels, channels.dropFirst()).enumerated().map { index, pair in
      LayerWeights(
        kernel: Tensor(
          shape: [pair.1, pair.0, 4, 4], values: numbers(pair.0 * pair.1 * 16).map { $0 / 4 }),
        bias: index < shape.doublings ? numbers(pair.1) : nil)
    }
    let weights = DiscriminatorWeights(
      shape: shape, normalisesFirst: false, normalises: false, layers: layers)
    let pictures = numbers(3 * shape.pictureCount).map { Double($0) }
    let expected = PlainDiscriminator<Double>(weights).scores(pictures: pictures)
    var options = ONNXExportOptions()
    options.keepsNorm = keepsNorm
    let read = try weights.onnxModel(options).network(DiscriminatorWeights.self).weights
    let found = PlainDiscriminator<Double>(read).scores(pictures: pictures)
    #expect(Set(expected).count == 3)
    for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 1e-5) }
    var without = weights
    for index in without.layers.indices.dropLast() {
      without.layers[index].bias = without.layers[index].bias?.map { _ in 0 }
    }
    let others = PlainDiscriminator<Double>(without).scores(pictures: pictures)
    #expect(zip(others, expected).contains { abs($0 - $1) > 1e-3 }, "biases matter")
  }
}
