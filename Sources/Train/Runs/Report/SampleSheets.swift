import BollyGANModel
import BollyGANPictures
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The sheets of samples that a page carries within itself: not all that a long run has made, but as
/// many as somebody looks through, evenly over the epochs, each as a WebP of a tenth of its PNG.
package struct SampleSheets: Sendable {
  /// One sheet.
  package struct Sheet: Equatable, Sendable {
    package let epoch: Int
    package let width: Int
    package let height: Int
    /// The picture as a `data:` address.
    package let address: String
  }

  /// Sheets that a page shows at most.
  package static let limit = 48
  /// Bytes of addresses that a page carries at most.
  package static let sizeLimit = 16 << 20

  /// Encoded sheets by epoch; nil for one that cannot be shown. Encoding takes some 20 ms each, and
  /// what was shown after one epoch is mostly shown after the next.
  private var known: [Int: Sheet?] = [:]

  package init() {}

  /// The sheets to show of those there are.
  ///
  /// - Parameters:
  ///   - epochs: Epochs with a sheet, ascending.
  ///   - load: Gives an epoch's sheet; what it throws means that there is none to be seen.
  package mutating func sheets(
    of epochs: [Int], load: (Int) throws -> Picture
  ) -> [Sheet] {
    var limit = Self.limit
    while true {
      let chosen = Self.chosen(from: epochs, limit: limit)
      for epoch in chosen where known[epoch] == nil {
        known[epoch] = .some(try? Self.sheet(epoch: epoch, picture: load(epoch)))
      }
      known = known.filter { chosen.contains($0.key) }
      let sheets = chosen.compactMap { known[$0] ?? nil }
      // Of the largest pictures fewer are shown.
      let size = sheets.reduce(0) { $0 + $1.address.utf8.count }
      if size <= Self.sizeLimit || limit <= 2 { return sheets }
      limit /= 2
    }
  }

  /// Forgets a sheet, whose picture was replaced.
  package mutating func forget(epoch: Int) { known[epoch] = nil }

  /// The first of the epochs, every second, fourth, ... behind it, and the last. Doubling the way
  /// from one to the next, as the run grows, chooses only what was chosen before.
  package static func chosen(from epochs: [Int], limit: Int) -> [Int] {
    guard let last = epochs.last else { return [] }
    var step = 1
    while (epochs.count - 1) / step + 2 > limit, step < epochs.count { step *= 2 }
    var chosen = stride(from: 0, to: epochs.count, by: step).map { epochs[$0] }
    if chosen.last != last { chosen.append(last) }
    return chosen
  }

  private static func sheet(epoch: Int, picture: Picture) throws -> Sheet {
    // An animation of one frame is a still.
    let file = try WebPAnimation(
      width: picture.width, height: picture.height, millisecondsPerFrame: 1000,
      quality: .lossy(85))
    try file.add(picture)
    let text = Data(try file.finish()).base64EncodedString()
    return Sheet(
      epoch: epoch, width: picture.width, height: picture.height,
      address: "data:image/webp;base64,\(text)")
  }
}
