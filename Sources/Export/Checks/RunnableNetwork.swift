import BollyGANInfer
public import BollyGANModel

/// A network that can be run, to check exports of it and to write test data.
public protocol RunnableNetwork: Network {
  /// Repeatable input: latents for a generator, images of noise for a discriminator.
  ///
  /// - Returns: `count` samples, row-major.
  static func sampleInput(count: Int, shape: DCGANShape) -> [Float]

  /// What an exported graph should return: images in −1…1, or scores; by the plain engine in
  /// float32.
  func plainOutput(_ input: [Float]) -> [Float]

  /// The values that a check compares, by the plain engine in float32.
  func plainValues(_ input: [Float]) -> [Double]

  /// The same values by the engine that they are compared with.
  func referenceValues(_ input: [Float]) -> [Double]
}

extension GeneratorWeights: RunnableNetwork {
  /// Latents.
  public static func sampleInput(count: Int, shape: DCGANShape) -> [Float] {
    noise(count: count * shape.latent)
  }

  /// Images in −1…1.
  public func plainOutput(_ input: [Float]) -> [Float] {
    PlainGenerator<Float>(self).pictures(latents: input)
  }

  /// Images.
  public func plainValues(_ input: [Float]) -> [Double] { plainOutput(input).map(Double.init) }

  /// Images by the engine of `bollygan-infer`.
  public func referenceValues(_ input: [Float]) -> [Double] {
    Generator(self).pictures(latents: input).map(Double.init)
  }
}

extension DiscriminatorWeights: RunnableNetwork {
  /// Images of noise in −1…1.
  public static func sampleInput(count: Int, shape: DCGANShape) -> [Float] {
    noise(count: count * shape.pictureCount).map { max(-1, min(1, $0 / 2)) }
  }

  /// Scores in 0…1.
  public func plainOutput(_ input: [Float]) -> [Float] {
    PlainDiscriminator<Float>(self).scores(pictures: input)
  }

  /// Logits. A trained discriminator scores noise with 0 whatever its weights are, so scores would
  /// not tell two networks apart.
  public func plainValues(_ input: [Float]) -> [Double] {
    PlainDiscriminator<Float>(self).logits(pictures: input).map(Double.init)
  }

  /// Logits by the plain engine in float64.
  public func referenceValues(_ input: [Float]) -> [Double] {
    PlainDiscriminator<Double>(self).logits(pictures: input.map(Double.init))
  }
}

/// Approximately normal numbers, the same on every call.
private func noise(count: Int) -> [Float] {
  // The sum of 12 uniform numbers has variance 1 and is close enough to normal here.
  var bits = SplitMix64(seed: 0x42)
  return (0..<count).map { _ in
    var sum: Float = -6
    for _ in 0..<12 {
      sum += Float(bits.next() >> 40) * 0x1p-24
    }
    return sum
  }
}
