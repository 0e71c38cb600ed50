extension TorchRandom {
  /// Bytes of a saved state.
  static let blobByteCount = 5056

  /// What `torch.get_rng_state()` gives: 5056 bytes that ``init(blob:arithmetic:)`` and
  /// `torch.set_rng_state` go on from.
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
    // PyTorch counts what is left of the 624 words, beginning with 1 where there are none.
    append(engine.next == 0 ? 1 : UInt64(625 - engine.next), byteCount: 4)
    append(1, byteCount: 4)  // seeded
    append(UInt64(engine.next), byteCount: 8)
    for word in engine.words { append(UInt64(word), byteCount: 8) }
    append(0, byteCount: 8)  // the first number of a pair, not used any more
    append(cachedNormal?.bitPattern ?? 0, byteCount: 8)
    append(0, byteCount: 8)  // its radius, not used any more
    append(cachedNormal == nil ? 0 : 1, byteCount: 8)  // with 4 bytes of padding
    append(0, byteCount: 8)  // a cached float32 number, not used any more, its flag, padding
    return bytes
  }

  /// The generator that ``blob`` or `torch.get_rng_state()` was taken from.
  ///
  /// - Throws: ``TorchRandomError`` where the bytes are no such state.
  public init(blob: [UInt8], arithmetic: Arithmetic = .avx2) throws(TorchRandomError) {
    guard blob.count == Self.blobByteCount else {
      throw TorchRandomError(problem: "\(blob.count) bytes, a state has \(Self.blobByteCount)")
    }
    func number(at start: Int, byteCount: Int) -> UInt64 {
      (0..<byteCount).reduce(0) { $0 | UInt64(blob[start + $1]) << (8 * UInt64($1)) }
    }
    let left = number(at: 8, byteCount: 4)
    let next = number(at: 16, byteCount: 8)
    guard number(at: 12, byteCount: 4) == 1, next <= 624, left == (next == 0 ? 1 : 625 - next)
    else { throw TorchRandomError(problem: "the place in the random words is not consistent") }
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
      throw TorchRandomError(problem: "the cached normal number is not one")
    }
    self.init(
      seed: number(at: 0, byteCount: 8), engine: MersenneTwister(words: words, next: Int(next)),
      cachedNormal: isCached == 1 ? cached : nil, arithmetic: arithmetic)
  }
}

/// Why bytes are no state of a random generator.
public struct TorchRandomError: Error, Equatable, CustomStringConvertible {
  let problem: String

  /// A sentence that says what is wrong.
  public var description: String { "no state of PyTorch's random generator: \(problem)" }
}
