// Saves and restores PyTorch's generator in PyTorch's own format.

extension TorchRandom {
  /// The size of a saved state in bytes.
  static let blobByteCount = 5056

  /// The state in the format of `torch.get_rng_state()`: 5056 bytes, from which
  /// ``init(blob:arithmetic:)`` and `torch.set_rng_state` continue.
  ///
  /// - SeeAlso: PyTorch, `CPUGeneratorImplStateLegacy` and `CPUGeneratorImplState` in
  ///   `aten/src/ATen/CPUGeneratorImpl.cpp`.
  public var blob: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.blobByteCount)
    func append(_ number: UInt64, byteCount: Int) {
      bytes += (0..<byteCount).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }
    append(seed, byteCount: 8)
    // PyTorch counts the remaining words of the 624, plus 1. Before the first draw it stores 1.
    append(engine.next == 0 ? 1 : UInt64(625 - engine.next), byteCount: 4)
    append(1, byteCount: 4)  // seeded
    append(UInt64(engine.next), byteCount: 8)
    for word in engine.words { append(UInt64(word), byteCount: 8) }
    append(0, byteCount: 8)  // the first number of a pair, no longer used
    append(cachedNormal?.bitPattern ?? 0, byteCount: 8)
    append(0, byteCount: 8)  // its radius, no longer used
    append(cachedNormal == nil ? 0 : 1, byteCount: 8)  // and 4 bytes of padding
    append(0, byteCount: 8)  // a cached float32 number, no longer used, its flag and padding
    return bytes
  }

  /// The generator with a state from ``blob`` or `torch.get_rng_state()`.
  ///
  /// - Throws: ``TorchRandomError`` if the bytes are not such a state.
  public init(blob: [UInt8], arithmetic: Arithmetic = .avx2) throws(TorchRandomError) {
    guard blob.count == Self.blobByteCount else {
      throw TorchRandomError(
        problem: "it has \(blob.count) bytes instead of \(Self.blobByteCount)")
    }
    func number(at start: Int, byteCount: Int) -> UInt64 {
      (0..<byteCount).reduce(0) { $0 | UInt64(blob[start + $1]) << (8 * UInt64($1)) }
    }
    let left = number(at: 8, byteCount: 4)
    let next = number(at: 16, byteCount: 8)
    guard number(at: 12, byteCount: 4) == 1, next <= 624, left == (next == 0 ? 1 : 625 - next)
    else { throw TorchRandomError(problem: "its position in the random words is inconsistent") }
    var words: [UInt32] = []
    for i in 0..<MersenneTwister.size {
      guard let word = UInt32(exactly: number(at: 24 + 8 * i, byteCount: 8)) else {
        throw TorchRandomError(problem: "word \(i) is larger than 32 bits")
      }
      words.append(word)
    }
    let cached = Double(bitPattern: number(at: 5024, byteCount: 8))
    let isCached = number(at: 5040, byteCount: 4)
    guard isCached <= 1, cached.isFinite else {
      throw TorchRandomError(problem: "its cached normal number is invalid")
    }
    self.init(
      seed: number(at: 0, byteCount: 8), engine: MersenneTwister(words: words, next: Int(next)),
      cachedNormal: isCached == 1 ? cached : nil, arithmetic: arithmetic)
  }
}

/// Why bytes are not a state of PyTorch's random generator.
public struct TorchRandomError: Error, Equatable, CustomStringConvertible {
  let problem: String

  /// What is wrong.
  public var description: String { "invalid state of PyTorch's random generator: \(problem)" }
}
