/// Seeds as StyleGAN's tools write them: `0,7,20-23` is 0, 7, 20, 21, 22, 23.
///
/// Order and repeats are kept.
package struct SeedList: Equatable, Sendable {
  /// The seeds, each one that numpy accepts: 0 to 4294967295.
  package let seeds: [UInt32]

  /// The most seeds a list may hold.
  package static let maximumCount = 100_000

  package init(_ text: String) throws(SeedListError) {
    var seeds: [UInt32] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      var numbers: [UInt32] = []
      for end in ends {
        // `UInt32` alone would take a sign as well.
        guard end.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(end) else {
          throw .malformed(String(part))
        }
        numbers.append(number)
      }
      guard let first = numbers.first, let last = numbers.last, first <= last else {
        throw .descending(String(part))
      }
      guard seeds.count + Int(last - first) < Self.maximumCount else { throw .tooMany }
      seeds += first...last
    }
    self.seeds = seeds
  }
}

/// Why a text is no list of seeds.
package enum SeedListError: Error, Equatable, CustomStringConvertible {
  case malformed(String)
  case descending(String)
  case tooMany

  package var description: String {
    switch self {
    case .malformed(let part):
      "'\(escaped(part))' is neither a seed (0 to \(UInt32.max)) nor a range of seeds: "
        + "write them like 0,7,20-23"
    case .descending(let part): "the range \(escaped(part)) runs backwards"
    case .tooMany: "these are more than \(SeedList.maximumCount) seeds"
    }
  }
}
