/// The random number generator MT19937, which PyTorch on CPUs and NumPy's `RandomState` both use.
///
/// - SeeAlso: Matsumoto and Nishimura 1998, doi:10.1145/272991.272995.
struct MersenneTwister: Sendable, Equatable {
  static let size = 624
  private static let shift = 397

  /// The last 624 words of the recurrence.
  private(set) var words: [UInt32]
  /// The index of the next word to return. At 0 and 624, new words must be generated first.
  private(set) var next: Int

  /// The state after `init_genrand(seed)` in the authors' program.
  init(seed: UInt32) {
    words = [seed]
    words.reserveCapacity(Self.size)
    for i in 1..<UInt32(Self.size) {
      let last = words[words.count - 1]
      words.append(1_812_433_253 &* (last ^ last >> 30) &+ i)
    }
    next = 0
  }

  /// A saved state.
  ///
  /// - Precondition: There are 624 words, and `next` is 0 to 624.
  init(words: [UInt32], next: Int) {
    precondition(words.count == Self.size && (0...Self.size).contains(next))
    self.words = words
    self.next = next
  }

  /// The next 32 random bits.
  mutating func next32() -> UInt32 {
    if next == 0 || next == Self.size { generateWords() }
    var y = words[next]
    next += 1
    y ^= y >> 11
    y ^= y << 7 & 0x9d2c_5680
    y ^= y << 15 & 0xefc6_0000
    return y ^ y >> 18
  }

  private mutating func generateWords() {
    var w = words.mutableSpan
    func twisted(_ a: UInt32, _ b: UInt32) -> UInt32 {
      (a & 0x8000_0000 | b & 0x7fff_ffff) >> 1 ^ (b & 1 == 0 ? 0 : 0x9908_b0df)
    }
    let (size, shift) = (Self.size, Self.shift)
    for i in 0..<(size - shift) { w[i] = w[i + shift] ^ twisted(w[i], w[i + 1]) }
    for i in (size - shift)..<(size - 1) {
      w[i] = w[i + shift - size] ^ twisted(w[i], w[i + 1])
    }
    w[size - 1] = w[shift - 1] ^ twisted(w[size - 1], w[0])
    next = 0
  }
}
