/// PyTorch's random numbers on the processor, bit for bit.
///
/// `TorchRandom(seed: 42).normal(count: 6400)` are the numbers of
/// `torch.manual_seed(42); torch.randn(64, 100)`, and whatever is drawn after them agrees too. What a
/// call gives depends on how many numbers it draws, as in PyTorch: one tensor there is one call here.
///
/// - SeeAlso: PyTorch, `aten/src/ATen/core/DistributionsHelper.h`,
///   `aten/src/ATen/native/cpu/DistributionTemplates.h`.
public struct TorchRandom: Sendable, Equatable {
  /// Which of PyTorch's two ways of computing normal and uniform float32 numbers is meant.
  ///
  /// They draw the same random words and differ in roundings only.
  public enum Arithmetic: Sendable {
    /// What PyTorch does on x86-64 processors with AVX2, so nearly everywhere: polynomials with
    /// fused multiply-add. Computed here without these instructions, on every processor alike.
    case avx2
    /// What PyTorch does elsewhere, or with `ATEN_CPU_CAPABILITY=default`: the C library's
    /// functions, so the last bits are those of this machine's library.
    case libm
  }

  /// How normal and uniform numbers are computed.
  public let arithmetic: Arithmetic
  /// The seed as it was given; only its low 32 bits count.
  public let seed: UInt64
  var engine: MersenneTwister
  /// The second number of a pair that ``normal(count:mean:std:)`` drew for fewer than 16 numbers.
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

  /// Passes over random words, as if they had been drawn for something that is thrown away.
  public mutating func skip(words count: Int) {
    for _ in 0..<count { _ = engine.next32() }
  }

  /// What `torch.empty((), dtype=torch.int64).random_()` holds: 0 to 2^63 - 1.
  public mutating func nextInt64() -> Int64 { Int64(next64() & 0x7fff_ffff_ffff_ffff) }

  /// What `torch.randint(bound, (1,))` holds: 0 to `bound` - 1.
  ///
  /// - Precondition: `bound` is 1 to 2^28 - 1; from there newer versions of PyTorch draw 64 bits.
  public mutating func below(_ bound: Int) -> Int {
    precondition((1..<(1 << 28)).contains(bound))
    return Int(engine.next32() % UInt32(bound))
  }

  /// What `torch.randperm(count)` holds.
  ///
  /// - Precondition: `count` is below 214,748,364; from there PyTorch has another algorithm.
  public mutating func permutation(_ count: Int) -> [Int] {
    precondition((0..<214_748_364).contains(count))
    var order = Array(0..<count)
    for i in 0..<max(0, count - 1) { order.swapAt(i, i + below(count - i)) }
    return order
  }

  /// The order in which `DataLoader(dataset, shuffle=True)` goes through a dataset of `count`
  /// items in one epoch; draws four words, as making the loader's iterator does.
  ///
  /// - SeeAlso: PyTorch, `torch/utils/data/dataloader.py` (the workers' base seed, drawn whether
  ///   there are workers or not) and `sampler.py` (`RandomSampler`).
  public mutating func loaderOrder(_ count: Int) -> [Int] {
    _ = nextInt64()
    var sampler = TorchRandom(seed: nextInt64(), arithmetic: arithmetic)
    return sampler.permutation(count)
  }
}
