/// A list of seeds in the notation of StyleGAN's tools: `0,7,20-23` means 0, 7, 20, 21, 22, 23.
///
/// Order and repetitions are kept.
package struct SeedList: Equatable, Sendable {
  /// The seeds, in the range that NumPy accepts: 0 to 4294967295.
  package let seeds: [UInt32]

  /// The maximum number of seeds in a list.
  package static let maximumCount = 100_000

  /// Parses a list.
  ///
  /// - Throws: ``SeedListError`` for the first part that is invalid.
  package init(_ text: String) throws(SeedListError) {
    var seeds: [UInt32] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      var numbers: [UInt32] = []
      for end in ends {
        // `UInt32` would also accept a sign.
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

/// Why a text is not a list of seeds.
package enum SeedListError: Error, Equatable, CustomStringConvertible {
  /// A part of the list is not a seed or a range.
  case malformed(String)
  /// The end of a range is smaller than its start.
  case descending(String)
  /// The list exceeds ``SeedList/maximumCount``.
  case tooMany

  /// What is wrong and how to write it.
  package var description: String {
    switch self {
    case .malformed(let part):
      "'\(escaped(part))' is neither a seed (0 to \(UInt32.max)) nor a range of seeds; "
        + "write a list such as 0,7,20-23"
    case .descending(let part): "the range \(escaped(part)) runs backwards"
    case .tooMany: "the list has more than \(SeedList.maximumCount) seeds"
    }
  }
}
