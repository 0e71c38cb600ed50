// Chooses the images that are held out from training.

extension PictureSet {
  /// The images to hold out from training for measurements: those with the smallest SHA-256.
  ///
  /// The choice depends only on the images, not on their names, their order or the seed. Identical
  /// images are either all held out or all trained on.
  ///
  /// - Parameter share: 0 for none, 0.1 for a tenth (rounded).
  /// - Returns: Their indices, ascending.
  package func heldOut(share: Double) -> [Int] {
    let count = Self.heldOutCount(share: share, of: self.count)
    guard count > 0 else { return [] }
    let order = hashes.indices.sorted {
      hashes[$0] == hashes[$1] ? $0 < $1 : hashes[$0].lexicographicallyPrecedes(hashes[$1])
    }
    let last = hashes[order[count - 1]]
    return (order.prefix(count) + order.dropFirst(count).prefix { hashes[$0] == last }).sorted()
  }

  /// The number of images in a share, before identical ones are kept together.
  static func heldOutCount(share: Double, of count: Int) -> Int {
    Int((share * Double(count)).rounded())
  }

  /// A subset of the images. Its fingerprint remains that of the whole set.
  ///
  /// - Parameter indices: Ascending.
  package func selecting(_ indices: [Int]) -> PictureSet {
    PictureSet(
      format: format, names: indices.map { names[$0] },
      pixels: batch(indices[...], mirrored: [Bool](repeating: false, count: indices.count)),
      hashes: indices.map { hashes[$0] }, fingerprint: fingerprint, skipped: skipped,
      excluded: excluded, others: others, remarks: remarks)
  }
}
