#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The normal numbers of `numpy.random.RandomState(seed)`, bit for bit.
///
/// `NumpyRandom(seed: 0).normals(count: 512)` returns the numbers of
/// `numpy.random.RandomState(0).randn(1, 512)`, which StyleGAN's `--seeds` option uses as latents.
///
/// - SeeAlso: NumPy, `numpy/random/src/legacy/legacy-distributions.c`; frozen since NumPy 1.16.
public struct NumpyRandom: Sendable, Equatable {
  private var engine: MersenneTwister
  private var cached: Double?

  /// The generator of `numpy.random.RandomState(seed)` for a single integer.
  public init(seed: UInt32) { engine = MersenneTwister(seed: seed) }

  /// The next normal number, with mean 0 and standard deviation 1.
  public mutating func normal() -> Double {
    if let second = cached {
      cached = nil
      return second
    }
    while true {
      let x1 = 2 * uniform() - 1
      let x2 = 2 * uniform() - 1
      let r2 = x1 * x1 + x2 * x2
      guard r2 < 1, r2 != 0 else { continue }
      let f = (-2 * log(r2) / r2).squareRoot()
      cached = f * x1
      return f * x2
    }
  }

  /// The next normal numbers, with mean 0 and standard deviation 1.
  public mutating func normals(count: Int) -> [Double] { (0..<count).map { _ in normal() } }

  /// A multiple of 2^-53 in 0..<1.
  private mutating func uniform() -> Double {
    let high = Double(engine.next32() >> 5)
    let low = Double(engine.next32() >> 6)
    return (high * 0x1p26 + low) * 0x1p-53
  }
}
