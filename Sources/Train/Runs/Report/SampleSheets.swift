import BollyGANModel
import BollyGANPictures

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The sample sheets embedded in a page.
///
/// A long run has too many, so they are chosen evenly over the epochs. Each is a WebP image a tenth
/// the size of its PNG.
package struct SampleSheets: Sendable {
  /// One sheet.
  package struct Sheet: Equatable, Sendable {
    package let epoch: Int
    package let width: Int
    package let height: Int
    /// The image as a `data:` address.
    package let address: String
  }

  /// Largest number of sheets in a page.
  package static let limit = 48
  /// Largest total size of the addresses in bytes.
  package static let sizeLimit = 16 << 20

  /// Encoded sheets by epoch; nil for a sheet that cannot be read. Encoding takes about 20 ms per
  /// sheet, and most sheets in the page are still in it an epoch later.
  private var known: [Int: Sheet?] = [:]

  package init() {}

  /// The sheets to show.
  ///
  /// - Parameters:
  ///   - epochs: Epochs with a sheet, ascending.
  ///   - load: Reads the sheet of an epoch. If it throws, the sheet is left out.
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
      // If the images are very large, show fewer.
      let size = sheets.reduce(0) { $0 + $1.address.utf8.count }
      if size <= Self.sizeLimit || limit <= 2 { return sheets }
      limit /= 2
    }
  }

  /// Forgets a sheet whose file was replaced.
  package mutating func forget(epoch: Int) { known[epoch] = nil }

  /// The first epoch, every second (fourth, eighth, ...) one after it, and the last. Because the
  /// spacing doubles as the run grows, every epoch but the last was chosen before.
  package static func chosen(from epochs: [Int], limit: Int) -> [Int] {
    guard let last = epochs.last else { return [] }
    var step = 1
    while (epochs.count - 1) / step + 2 > limit, step < epochs.count { step *= 2 }
    var chosen = stride(from: 0, to: epochs.count, by: step).map { epochs[$0] }
    if chosen.last != last { chosen.append(last) }
    return chosen
  }

  private static func sheet(epoch: Int, picture: Picture) throws -> Sheet {
    // An animation with one frame is a still image.
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
