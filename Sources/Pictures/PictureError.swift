/// An image file format that is read or written here.
public enum PictureFormat: String, Sendable {
  /// Portable Network Graphics, read and written.
  case png = "PNG"
  /// JPEG, read only.
  case jpeg = "JPEG"
  /// WebP, read, and written as animations.
  case webp = "WebP"
}

/// Why an image cannot be read or written.
///
/// The description continues a sentence that starts with the file's name, as in
/// `face.jpg: is a GIF file; ...`.
public enum PictureError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file is empty.
  case empty
  /// The file has another format, which `found` names if it is known.
  case otherFormat(found: String?)
  /// The image exceeds a limit on pixels, scans or memory.
  case tooLarge(PictureFormat, String)
  /// The file ends before the image is complete.
  case truncated(PictureFormat, String)
  /// The file is inconsistent or a checksum is wrong.
  case damaged(PictureFormat, String)
  /// The file uses a variant of the format that is not supported.
  case unsupported(PictureFormat, String)
  /// Memory ran out, or the arguments do not make a valid file.
  case failed(PictureFormat, String)

  /// What is wrong, in one line of printable ASCII.
  public var description: String {
    switch self {
    case .empty: "is empty"
    case .otherFormat(let found?): "is \(found); only PNG, JPEG and WebP are supported"
    case .otherFormat(nil):
      "is not an image of a known kind; only PNG, JPEG and WebP are supported"
    case .tooLarge(let format, let reason): "is a \(format.rawValue) that is too large: \(reason)"
    case .truncated(let format, let reason): "is a truncated \(format.rawValue): \(reason)"
    case .damaged(let format, let reason): "is a damaged \(format.rawValue): \(reason)"
    case .unsupported(let format, let reason):
      "is an unsupported kind of \(format.rawValue): \(reason)"
    case .failed(let format, let reason): "\(format.rawValue) failed: \(reason)"
    }
  }
}
