import BollyGANModel
import BollyGANPictures
import BollyGANTraining

/// The pictures that a run learns from: decoded, cut to size, and kept in memory as 8-bit values.
package struct PictureSet: Sendable {
  /// How picture files become pictures.
  package struct Format: Sendable {
    /// Height and width in pixels.
    package var side: Int
    /// 3 for RGB, 1 for gray.
    package var channels: Int
    /// Whose rules files are read by.
    package var rules: PictureRules

    package init(side: Int, channels: Int, rules: PictureRules) {
      self.side = side
      self.channels = channels
      self.rules = rules
    }
  }

  /// Something about a file that was used all the same.
  package struct Remark: Hashable, Sendable {
    package let name: FileName
    package let text: String
  }

  /// Bytes that a picture file may have.
  package static let fileLimit = 64 << 20

  package let format: Format
  /// The files used, in the order of ``FolderListing``.
  package let names: [FileName]
  /// All pictures, `[count, side, side, channels]`.
  package let pixels: [UInt8]
  /// SHA-256 of each picture's pixels.
  let hashes: [[UInt8]]
  /// SHA-256, in hexadecimal, of the names, and the pixels that stand behind them.
  package let fingerprint: String
  /// Picture files and folders that could not be used, and why.
  package let skipped: [FolderListing.Skipped]
  /// Picture files that were left out because somebody said so.
  package let excluded: Int
  /// Files in the folder that are no pictures by their names.
  package let others: [FileName]
  /// What decoders found odd about files that are used.
  package let remarks: [Remark]

  /// Number of pictures.
  package var count: Int { names.count }

  /// Bytes of one picture.
  package var pictureSize: Int { format.side * format.side * format.channels }

  /// Pictures `[indices.count, side, side, channels]` in the given order.
  ///
  /// - Parameter mirrored: For each of them whether its columns run from right to left.
  package func batch(_ indices: ArraySlice<Int>, mirrored: [Bool]) -> [UInt8] {
    let size = pictureSize
    var batch: [UInt8] = []
    batch.reserveCapacity(indices.count * size)
    for (place, index) in indices.enumerated() {
      let picture = pixels[index * size..<(index + 1) * size]
      guard mirrored[place] else {
        batch += picture
        continue
      }
      for row in 0..<format.side {
        for column in (0..<format.side).reversed() {
          let start = picture.startIndex + (row * format.side + column) * format.channels
          batch += picture[start..<start + format.channels]
        }
      }
    }
    return batch
  }
}

/// Why a data folder cannot be trained on.
package enum DataFolderError: Error, Equatable, CustomStringConvertible {
  /// The folder is missing or cannot be listed.
  case unreadable(FileError)
  /// There are fewer usable pictures than one batch takes.
  case tooFew(folder: String, usable: Int, skipped: Int, needed: Int)
  /// A file cannot be used, and none may be left out.
  case badFile(FileName, reason: String)
  /// The user asked for an end.
  case interrupted

  package var description: String {
    switch self {
    case .unreadable(let error): "\(error.path): \(error)"
    case .tooFew(let folder, let usable, let skipped, let needed):
      "\(folder): \(usable) usable pictures"
        + (skipped > 0 ? " (\(skipped) skipped)" : "")
        + ", one batch needs \(needed): add pictures (\(Self.endings)), or lower --batch"
    case .badFile(let name, let reason):
      "\(name): \(reason) (without --strict it would be skipped)"
    case .interrupted: "interrupted while pictures were read; nothing was begun"
    }
  }

  private static var endings: String {
    FolderListing.pictureEndings.prefix(3).joined(separator: ", ")
  }
}
