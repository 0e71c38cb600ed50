/// A file format of pictures that is read or written here.
public enum PictureFormat: String, Sendable {
  case png = "PNG"
  case jpeg = "JPEG"
  case webp = "WebP"
}

/// Why a picture cannot be read or written.
///
/// The description goes on from the file's name: `face.jpg: is a GIF file; ...`.
public enum PictureError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file has no bytes.
  case empty
  /// The content is none of the formats read here; `found` names it where it is known.
  case otherFormat(found: String?)
  /// More pixels, scans or memory than a picture may ask for.
  case tooLarge(PictureFormat, String)
  /// The file ends before the picture does.
  case truncated(PictureFormat, String)
  /// The file contradicts itself or its checksums.
  case damaged(PictureFormat, String)
  /// A variant of the format that is not read here.
  case unsupported(PictureFormat, String)
  /// Memory gave out, or a file could not be made.
  case failed(PictureFormat, String)

  /// What is wrong, in one line of printable ASCII.
  public var description: String {
    switch self {
    case .empty: "is empty"
    case .otherFormat(let found?): "is \(found); PNG, JPEG and WebP are read"
    case .otherFormat(nil): "is no picture of a known kind; PNG, JPEG and WebP are read"
    case .tooLarge(let format, let reason): "is too large a \(format.rawValue): \(reason)"
    case .truncated(let format, let reason): "is a cut-off \(format.rawValue): \(reason)"
    case .damaged(let format, let reason): "is a damaged \(format.rawValue): \(reason)"
    case .unsupported(let format, let reason):
      "is a \(format.rawValue) of a kind that is not read: \(reason)"
    case .failed(let format, let reason): "\(format.rawValue) gave up: \(reason)"
    }
  }
}
