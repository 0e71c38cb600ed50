import BollyGANModel

/// Uniform numbers in −1…1, exact in float32: the lowbias32 hash of a counter, as in
/// `Fixtures/make_agreement.py`.
func noise(seed: Int, tensor: Int, count: Int) -> [Float] {
  (0..<UInt32(count)).map { index in
    var x = index &* 0x9E37_79B9
    x &+= UInt32(tensor) &* 0x85EB_CA6B &+ UInt32(seed)
    x ^= x >> 16
    x &*= 0x7FEB_352D
    x ^= x >> 15
    x &*= 0x846C_A68B
    x ^= x >> 16
    return Float(x >> 8) * 0x1p-23 - 1
  }
}

/// Uniform numbers within `radius` of `centre`.
func spread(seed: Int, tensor: Int, count: Int, centre: Float, radius: Float) -> [Float] {
  noise(seed: seed, tensor: tensor, count: count).map { centre + radius * $0 }
}

/// A generator whose weights follow the formula of `Fixtures/make_agreement.py`.
///
/// - Parameter gain: A factor for the last kernel, a power of two.
func drawnGenerator(_ shape: DCGANShape, seed: Int, gain: Float) -> GeneratorWeights {
  let channels = shape.generatorChannels
  let layers = (0..<channels.count - 1).map { layer in
    let inputs = channels[layer]
    let outputs = channels[layer + 1]
    let isLast = layer == channels.count - 2
    let radius = Float((3 / Double(inputs * (layer == 0 ? 1 : 4))).squareRoot())
    let kernel = spread(
      seed: seed, tensor: 8 * layer, count: inputs * outputs * 16, centre: 0, radius: radius)
    func values(_ tensor: Int, _ centre: Float, _ radius: Float) -> [Float] {
      spread(
        seed: seed, tensor: 8 * layer + tensor, count: outputs, centre: centre, radius: radius)
    }
    var norm: NormWeights?
    if !isLast {
      norm = NormWeights(channels: outputs)
      norm?.scale = values(1, 1, 0.5)
      norm?.shift = values(2, 0, 0.25)
      norm?.runningMean = values(3, 0, 0.25)
      norm?.runningVariance = values(4, 1, 0.75)
    }
    return LayerWeights(
      kernel: Tensor(
        shape: [inputs, outputs, 4, 4], values: isLast ? kernel.map { $0 * gain } : kernel),
      norm: norm)
  }
  return GeneratorWeights(shape: shape, layers: layers)
}

/// Latents that follow the formula of `Fixtures/make_agreement.py`: uniform, with unit variance.
func drawnLatents(seed: Int, count: Int) -> [Float] {
  spread(seed: seed, tensor: 255, count: count, centre: 0, radius: Float(3.0.squareRoot()))
}
