import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Gaussian noise that is added to every image before the discriminator sees it, in one step.
///
/// It makes the distributions of real and generated images overlap, so the discriminator cannot
/// tell them apart by differences too small to see. Each image's numbers depend only on the seed,
/// the batch and its index, so any thread can compute them, and a step draws nothing but the seed
/// from the run's random numbers.
///
/// - SeeAlso: Sønderby et al. 2017 (arXiv:1610.04490), section 3.3; Arjovsky and Bottou 2017
///   (arXiv:1701.04862), section 3.
public struct InstanceNoise: Equatable, Sendable {
  /// Standard deviation, for images in −1…1.
  public var deviation: Double
  /// Seed of this step's numbers.
  public var seed: UInt64

  /// Noise of one step.
  public init(deviation: Double, seed: UInt64) {
    self.deviation = deviation
    self.seed = seed
  }

  /// Calls `add(place, number)` for each value of an image, channels last, with normal float32
  /// numbers of the given deviation.
  ///
  /// They are computed in pairs by Box and Muller (1958), in float64, from 64-bit words of
  /// SplitMix64: 32 bits for the radius, 32 for the angle.
  ///
  /// - Parameter count: values of an image. If it is odd, the last value gets no noise.
  package func each(
    _ batch: StepBatch, picture: Int, count: Int, _ add: (_ place: Int, _ number: Float) -> Void
  ) {
    let index = SplitMix64.mix(batch.rawValue << 32 | UInt64(picture))
    var bits = SplitMix64(seed: SplitMix64.mix(seed &+ index))
    for place in stride(from: 0, to: count - 1, by: 2) {
      let word = bits.next()
      let radius =
        deviation * (-2 * log((Double(word >> 32) + 0.5) * 0x1p-32)).squareRoot()
      let angle = 2 * Double.pi * Double(word & 0xffff_ffff) * 0x1p-32
      add(place, Float(radius * cos(angle)))
      add(place + 1, Float(radius * sin(angle)))
    }
  }
}
