#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Damages files like failing disks, bad connections and attackers do. The same seed gives the same
/// damage.
package struct Damage: Sendable {
  /// Whether to test for a long time, as before a release.
  package static let isThorough =
    ProcessInfo.processInfo.environment["BOLLYGAN_GATE"] != nil

  /// The source of random numbers.
  package var random: SplitMix64

  /// A source of damage with a seed.
  package init(seed: UInt64) { random = SplitMix64(state: seed) }

  /// A random number in 0..<limit, or 0 if `limit` is not positive.
  package mutating func below(_ limit: Int) -> Int {
    Int(random.next() % UInt64(max(1, limit)))
  }

  /// Changes, removes, duplicates or inserts bytes at one place.
  ///
  /// - Parameter head: The length of the header in bytes. It gets half of the damage, because
  ///   damage there reaches more code.
  package mutating func spoil(_ bytes: inout [UInt8], head: Int) {
    guard !bytes.isEmpty else { return }
    let place = below(below(2) == 0 ? bytes.count : min(bytes.count, head))
    switch below(9) {
    case 0: bytes[place] ^= 1 << UInt8(below(8))
    case 1: bytes[place] = UInt8(below(256))
    case 2: bytes[place] = [0, 0xff, 0x7f, 0x80].randomElement(using: &random)!
    case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(9)))
    case 4: bytes.removeSubrange(place...)
    case 5: bytes.insert(contentsOf: junk(1 + below(10)), at: place)
    case 6: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + below(60))], at: place)
    case 7: spoilNumber(&bytes, from: place)
    default:
      let end = min(bytes.count, place + below(20))
      bytes.replaceSubrange(place..<end, with: junk(end - place))
    }
  }

  /// Random bytes.
  package mutating func junk(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(below(256)) }
  }

  /// A number near a limit at which sums and products overflow.
  package mutating func edge() -> UInt64 {
    let edges: [UInt64] = [0, 1, 2, 1 << 16, 1 << 24, 1 << 31, 1 << 32, 1 << 48, 1 << 62, 1 << 63]
    return edges.randomElement(using: &random)! &+ random.next() % 3 &- 1
  }

  /// Replaces a number by an ``edge()``: the next number in decimal digits, or 2, 4 or 8 bytes.
  private mutating func spoilNumber(_ bytes: inout [UInt8], from place: Int) {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    if below(2) == 0, let first = bytes[place...].firstIndex(where: digits.contains) {
      let end = bytes[first...].firstIndex { !digits.contains($0) } ?? bytes.count
      let text = below(2) == 0 ? "\(Int64(bitPattern: edge()))" : "\(edge())"
      bytes.replaceSubrange(first..<end, with: Array(text.utf8))
    } else {
      let number = edge()
      for index in 0..<min(2 << below(3), bytes.count - place) {
        bytes[place + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))
      }
    }
  }
}

/// The SplitMix64 generator (Steele, Lea and Flood, OOPSLA 2014).
package struct SplitMix64: RandomNumberGenerator, Sendable {
  package var state: UInt64

  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// The processor time of this thread in seconds, which does not include other threads.
package func threadSeconds() -> Double {
  var time = timespec()
  let result = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  precondition(result == 0, "the thread has no clock")
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
