import BollyGANModel
import BollyGANPictures
import BollyGANTraining

/// The training images: decoded, resized, cropped and held in memory as 8-bit values.
package struct PictureSet: Sendable {
  /// How image files become training images.
  package struct Format: Sendable {
    /// Height and width in pixels.
    package var side: Int
    /// 3 for RGB, 1 for grayscale.
    package var channels: Int
    /// How orientation and transparency are handled.
    package var rules: PictureRules

    package init(side: Int, channels: Int, rules: PictureRules) {
      self.side = side
      self.channels = channels
      self.rules = rules
    }
  }

  /// Something odd about a file that was used anyway.
  package struct Remark: Hashable, Sendable {
    /// The file, relative to the data folder.
    package let name: BytePath
    /// What is odd about it.
    package let text: String
  }

  /// Largest accepted image file in bytes.
  package static let fileLimit = 64 << 20

  /// The size and channels of all images.
  package let format: Format
  /// The files used, in the order of ``FolderListing``.
  package let names: [BytePath]
  /// All images, `[count, side, side, channels]`.
  package let pixels: [UInt8]
  /// SHA-256 of the pixels of each image.
  let hashes: [[UInt8]]
  /// SHA-256 over all names and pixels, in hexadecimal.
  package let fingerprint: String
  /// Image files and folders that could not be used, and why.
  package let skipped: [FolderListing.Skipped]
  /// Number of image files on the exclusion list.
  package let excluded: Int
  /// Files in the folder without an image extension.
  package let others: [BytePath]
  /// Oddities that decoders reported about files that are used.
  package let remarks: [Remark]

  /// Number of images.
  package var count: Int { names.count }

  /// Size of an image in bytes.
  package var pictureSize: Int { format.side * format.side * format.channels }

  /// Some images, `[indices.count, side, side, channels]`, in the given order.
  ///
  /// - Parameter mirrored: For each of them, whether to flip it horizontally.
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
  /// There are fewer usable images than one batch needs.
  case tooFew(folder: String, usable: Int, skipped: Int, needed: Int)
  /// A file cannot be used, and `--strict` forbids skipping it.
  case badFile(BytePath, reason: String)
  /// The user interrupted the reading.
  case interrupted

  package var description: String {
    switch self {
    case .unreadable(let error): "\(error.path): \(error)"
    case .tooFew(let folder, let usable, let skipped, let needed):
      "\(folder): \(usable) usable images"
        + (skipped > 0 ? " (\(skipped) skipped)" : "")
        + ", but one batch needs \(needed); add images (\(Self.extensions)) or lower --batch"
    case .badFile(let name, let reason):
      "\(name): \(reason) (omit --strict to skip such files)"
    case .interrupted: "interrupted while reading images; nothing was started"
    }
  }

  private static var extensions: String {
    FolderListing.pictureExtensions.prefix(3).joined(separator: ", ")
  }
}
