import BollyGANModel
import BollyGANRuns
import BollyGANTraining

/// Numbers from an integer formula that `Fixtures/dcgan.py` computes too, so that fixtures store
/// neither weights nor images.
enum Formula {
  /// 32-bit words from a salt: the integer hash "lowbias32" of salt and position.
  static func words(salt: Int, count: Int) -> [UInt32] {
    func mix(_ word: UInt32) -> UInt32 {
      var x = word
      x ^= x >> 16
      x &*= 0x7feb_352d
      x ^= x >> 15
      x &*= 0x846c_a68b
      x ^= x >> 16
      return x
    }
    let start = mix(UInt32(salt))
    return (0..<UInt32(count)).map { mix(start &+ $0) }
  }

  /// Uniform doubles in −1…1, each a multiple of 2^-23.
  static func uniform(salt: Int, count: Int) -> [Double] {
    words(salt: salt, count: count).map { Double($0 >> 8) * 0x1p-23 - 1 }
  }

  /// Uniform float32 numbers in centre ± spread.
  static func floats(salt: Int, count: Int, centre: Double = 0, spread: Double) -> [Float] {
    uniform(salt: salt, count: count).map { Float(centre + spread * $0) }
  }

  /// Uniform bytes.
  static func bytes(salt: Int, count: Int) -> [UInt8] {
    words(salt: salt, count: count).map { UInt8($0 >> 24) }
  }

  /// Layers with kernels as wide as PyTorch's default and norms close to the identity. Each tensor
  /// has its own salt, in the order of the modules.
  static func layers(
    kernels: [[Int]], normalised: (Int) -> Bool, norms: [Int], hasBiases: Bool = false, salt: Int
  ) -> [LayerWeights] {
    var salt = salt
    return kernels.enumerated().map { index, shape in
      let kernel = Tensor(
        shape: shape,
        values: floats(
          salt: salt, count: shape.reduce(1, *), spread: 1 / Double(shape[1] * 16).squareRoot()))
      salt += 1
      if hasBiases && index < kernels.count - 1 {
        salt += 1
        return LayerWeights(
          kernel: kernel, bias: floats(salt: salt - 1, count: norms[index], spread: 0.1))
      }
      guard normalised(index) else { return LayerWeights(kernel: kernel) }
      var norm = NormWeights(channels: norms[index])
      norm.scale = floats(salt: salt, count: norms[index], centre: 1, spread: 0.2)
      norm.shift = floats(salt: salt + 1, count: norms[index], spread: 0.1)
      salt += 2
      return LayerWeights(kernel: kernel, norm: norm)
    }
  }

  static func generator(_ shape: DCGANShape, salt: Int = 100) -> GeneratorWeights {
    let widths = shape.generatorChannels
    return GeneratorWeights(
      shape: shape,
      layers: layers(
        kernels: zip(widths, widths.dropFirst()).map { [$0, $1, 4, 4] },
        normalised: { $0 < shape.doublings }, norms: Array(widths.dropFirst()), salt: salt))
  }

  static func discriminator(
    _ shape: DCGANShape, normalisesFirst: Bool, normalises: Bool = true, salt: Int = 200
  ) -> DiscriminatorWeights {
    let widths = shape.discriminatorChannels
    return DiscriminatorWeights(
      shape: shape, normalisesFirst: normalisesFirst, normalises: normalises,
      layers: layers(
        kernels: zip(widths, widths.dropFirst()).map { [$1, $0, 4, 4] },
        normalised: { normalises && $0 < shape.doublings && ($0 > 0 || normalisesFirst) },
        norms: Array(widths.dropFirst()), hasBiases: !normalises, salt: salt))
  }
}
