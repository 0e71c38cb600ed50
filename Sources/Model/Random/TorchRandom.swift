/// PyTorch's random numbers on CPUs, bit for bit.
///
/// `TorchRandom(seed: 42).normal(count: 6400)` returns the numbers of
/// `torch.manual_seed(42); torch.randn(64, 100)`, and everything drawn afterwards agrees too. As in
/// PyTorch, the numbers depend on how many are drawn at once: draw one tensor with one call.
///
/// - SeeAlso: PyTorch, `aten/src/ATen/core/DistributionsHelper.h`,
///   `aten/src/ATen/native/cpu/DistributionTemplates.h`.
public struct TorchRandom: Sendable, Equatable {
  /// PyTorch's two ways of computing normal and uniform float32 numbers.
  ///
  /// They draw the same random words and differ only in rounding.
  public enum Arithmetic: Sendable {
    /// PyTorch on x86-64 processors with AVX2, which is nearly everywhere: polynomials with fused
    /// multiply-add. Here they are computed without these instructions, identically on every
    /// processor.
    case avx2
    /// PyTorch elsewhere, or with `ATEN_CPU_CAPABILITY=default`: the functions of the C library.
    /// The last bits depend on this machine's library.
    case libm
  }

  /// How normal and uniform numbers are computed.
  public let arithmetic: Arithmetic
  /// The seed as it was given. Only its low 32 bits matter.
  public let seed: UInt64
  var engine: MersenneTwister
  /// The unused second number of a pair, kept when fewer than 16 normal numbers were drawn.
  var cachedNormal: Double?

  /// The generator after `torch.manual_seed(seed)`.
  public init(seed: Int64, arithmetic: Arithmetic = .avx2) {
    self.init(
      seed: UInt64(bitPattern: seed),
      engine: MersenneTwister(seed: UInt32(truncatingIfNeeded: seed)), cachedNormal: nil,
      arithmetic: arithmetic)
  }

  init(seed: UInt64, engine: MersenneTwister, cachedNormal: Double?, arithmetic: Arithmetic) {
    self.seed = seed
    self.engine = engine
    self.cachedNormal = cachedNormal
    self.arithmetic = arithmetic
  }

  /// The next 32 random bits.
  public mutating func next32() -> UInt32 { engine.next32() }

  /// The next 64 random bits, the high half drawn first.
  public mutating func next64() -> UInt64 {
    let high = UInt64(engine.next32())
    return high << 32 | UInt64(engine.next32())
  }

  /// Draws 32-bit words and discards them.
  public mutating func skip(words count: Int) {
    for _ in 0..<count { _ = engine.next32() }
  }

  /// The number of `torch.empty((), dtype=torch.int64).random_()`: 0 to 2^63 - 1.
  public mutating func nextInt64() -> Int64 { Int64(next64() & 0x7fff_ffff_ffff_ffff) }

  /// The number of `torch.randint(bound, (1,))`: 0 to `bound` - 1.
  ///
  /// - Precondition: `bound` is 1 to 2^28 - 1. Beyond that, newer versions of PyTorch draw 64 bits.
  public mutating func below(_ bound: Int) -> Int {
    precondition((1..<(1 << 28)).contains(bound))
    return Int(engine.next32() % UInt32(bound))
  }

  /// The permutation of `torch.randperm(count)`.
  ///
  /// - Precondition: `count` is below 214,748,364. Beyond that, PyTorch uses another algorithm.
  public mutating func permutation(_ count: Int) -> [Int] {
    precondition((0..<214_748_364).contains(count))
    var order = Array(0..<count)
    for i in 0..<max(0, count - 1) { order.swapAt(i, i + below(count - i)) }
    return order
  }

  /// The order in which `DataLoader(dataset, shuffle=True)` visits a dataset of `count` items in
  /// one epoch.
  ///
  /// This draws four words, as creating the loader's iterator does.
  ///
  /// - SeeAlso: PyTorch, `torch/utils/data/dataloader.py` (the base seed of the workers, drawn even
  ///   without workers) and `sampler.py` (`RandomSampler`).
  public mutating func loaderOrder(_ count: Int) -> [Int] {
    _ = nextInt64()
    var sampler = TorchRandom(seed: nextInt64(), arithmetic: arithmetic)
    return sampler.permutation(count)
  }
}
