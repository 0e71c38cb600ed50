import BollyGANKernels
import Testing

/// A level that this processor has.
struct Level: CustomTestStringConvertible, Sendable {
  let name: String
  var kernels: bg_kernels { unsafe bg_kernels_named(name)!.pointee }
  var testDescription: String { name }

  static let available = ["baseline", "avx2", "avx512", "neon"]
    .filter { (name: String) in unsafe bg_kernels_named(name) != nil }.map(Level.init)

  /// The levels that round a multiply-add once, whose results are equal bit for bit.
  static let fused = available.filter { $0.kernels.fused != 0 }
}

/// splitmix64 (Steele, Lea and Flood 2014): the same numbers on every machine.
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -1...1) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }
}

/// The content of memory that a kernel must not write.
let canary: Float = 12345

/// The bound on the error of a sum of `count` float32 products of size at most 1.
///
/// Each of the `count` additions rounds a sum of at most `count` to 24 bits, and errors of random
/// sign grow with their square root.
func sumBound(_ count: Int) -> Double { Double(count).squareRoot() * 4 * 0x1p-24 * 8 }
