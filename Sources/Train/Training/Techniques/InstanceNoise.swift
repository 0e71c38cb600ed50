import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Normal noise that is added to every picture before the discriminator sees it, in one step.
///
/// Real and made pictures then overlap, so that the discriminator cannot tell them apart by what no
/// eye sees. Each picture's numbers follow from the seed and its place alone, so it does not matter
/// who computes them, and a step draws only the seed from the run's random numbers.
///
/// - SeeAlso: Sønderby et al. 2017 (arXiv:1610.04490), section 3.3; Arjovsky and Bottou 2017
///   (arXiv:1701.04862), section 3.
public struct InstanceNoise: Equatable, Sendable {
  /// Which of a step's three batches.
  package enum Batch: UInt64 { case real, fake, own }

  /// Standard deviation, where pictures are −1…1.
  public var deviation: Double
  /// What this step's numbers follow from.
  public var seed: UInt64

  /// Noise of a step.
  public init(deviation: Double, seed: UInt64) {
    self.deviation = deviation
    self.seed = seed
  }

  /// Calls `add(place, number)` for each value of a picture, channels last, with float32 numbers of
  /// the given deviation.
  ///
  /// Pairs by Box and Muller (1958) in float64 from 64-bit words of splitmix64: 32 bits for the
  /// radius, 32 for the angle.
  ///
  /// - Parameter count: Values of a picture; an odd last one is left without noise.
  package func each(
    _ batch: Batch, picture: Int, count: Int, _ add: (_ place: Int, _ number: Float) -> Void
  ) {
    let own = SplitMix64.mix(batch.rawValue << 32 | UInt64(picture))
    var bits = SplitMix64(seed: SplitMix64.mix(seed &+ own))
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
