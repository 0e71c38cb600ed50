import BollyGANModel

/// Repeatable numbers for tests.
struct TestNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A number in 0…1 with 24 bits.
  mutating func uniform() -> Float {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Float((z ^ (z >> 31)) >> 40) * 0x1p-24
  }

  /// Uniform numbers of mean 0 and the given root mean square, so within ±√3 times that.
  mutating func numbers(_ count: Int, rms: Float) -> [Float] {
    (0..<count).map { _ in (2 * uniform() - 1) * rms * 1.7320508 }
  }
}

extension GeneratorWeights {
  /// A generator whose layers preserve the RMS of their input, so that the last layer is neither
  /// dead nor saturated before tanh.
  static func random(_ shape: DCGANShape, seed: UInt64 = 1) -> GeneratorWeights {
    var numbers = TestNumbers(seed: seed)
    let channels = shape.generatorChannels
    let layers = (0..<channels.count - 1).map { index in
      let (inputs, outputs) = (channels[index], channels[index + 1])
      // Per input channel, an output sums one tap in the first layer and four in the others.
      let terms = Float(inputs * (index == 0 ? 1 : 4))
      let kernel = Tensor(
        shape: [inputs, outputs, 4, 4],
        values: numbers.numbers(inputs * outputs * 16, rms: 1 / terms.squareRoot()))
      guard index < channels.count - 2 else { return LayerWeights(kernel: kernel) }
      var norm = NormWeights(channels: outputs)
      norm.scale = numbers.numbers(outputs, rms: 0.2).map { $0 + 1 }
      norm.shift = numbers.numbers(outputs, rms: 0.2)
      norm.runningMean = numbers.numbers(outputs, rms: 0.2)
      norm.runningVariance = numbers.numbers(outputs, rms: 0.2).map { $0 + 0.8 }
      return LayerWeights(kernel: kernel, norm: norm)
    }
    return GeneratorWeights(shape: shape, layers: layers)
  }
}

extension DCGANShape {
  /// Small networks of different sides and channels, some with odd sizes.
  static let small: [DCGANShape] = [
    try! DCGANShape(latent: 5, generatorWidth: 3, side: 32, channels: 1),
    try! DCGANShape(latent: 16, generatorWidth: 4, side: 64, channels: 3),
    try! DCGANShape(latent: 7, generatorWidth: 1, side: 128, channels: 3),
  ]
}
