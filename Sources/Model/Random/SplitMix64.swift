/// The SplitMix64 generator: a counter, each value of which is mixed into 64 random bits.
///
/// It serves where random numbers need not match PyTorch or NumPy. Any number is a valid seed.
///
/// - SeeAlso: Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators"
///   (OOPSLA), doi:10.1145/2660193.2660195.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator that starts from a seed.
  package init(seed: UInt64) { state = seed }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    state &+= Self.increment
    return Self.mix(state)
  }

  /// 2⁶⁴ divided by the golden ratio, made odd.
  package static let increment: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// The output function: a bijection that changes about half of the bits when one bit changes.
  package static func mix(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
