import BollyGANTraining

extension PictureSet {
  /// Which pictures are kept from training, to measure with: those whose content's SHA-256 is
  /// smallest. So it depends on neither names nor order nor seed, and pictures that are alike byte
  /// for byte are all kept or all trained on.
  ///
  /// - Parameter share: 0 for none, 0.1 for a tenth (rounded).
  /// - Returns: their places, rising.
  package func heldOut(share: Double) -> [Int] {
    let count = Self.heldOutCount(share: share, of: self.count)
    guard count > 0 else { return [] }
    let order = hashes.indices.sorted {
      hashes[$0] == hashes[$1] ? $0 < $1 : hashes[$0].lexicographicallyPrecedes(hashes[$1])
    }
    let last = hashes[order[count - 1]]
    return (order.prefix(count) + order.dropFirst(count).prefix { hashes[$0] == last }).sorted()
  }

  /// How many pictures a share comes to, before those that are alike are kept together.
  static func heldOutCount(share: Double, of count: Int) -> Int {
    Int((share * Double(count)).rounded())
  }

  /// The set without some of its pictures, or with those alone.
  ///
  /// - Parameter places: rising.
  package func selecting(_ places: [Int]) -> PictureSet {
    PictureSet(
      format: format, names: places.map { names[$0] },
      pixels: batch(places[...], mirrored: [Bool](repeating: false, count: places.count)),
      hashes: places.map { hashes[$0] }, fingerprint: fingerprint, skipped: skipped,
      excluded: excluded, others: others, remarks: remarks)
  }
}
