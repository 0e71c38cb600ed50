/// How to convert image files to 8-bit gray or RGB where the format leaves a choice.
///
/// The raw values are the names in `run.json` and on the command line.
public enum PictureRules: String, CaseIterable, Sendable {
  /// As an image viewer shows the file.
  ///
  /// The image is turned upright by its EXIF orientation and composited over white. 16-bit samples
  /// v become v/257, rounded. CMYK is inverted if there is an Adobe marker.
  case asDisplayed = "kind"
  /// As Pillow's `Image.open(file).convert("RGB")` converts the file, sample for sample.
  ///
  /// EXIF is ignored and alpha dropped. 16-bit colour is cut to its high byte, 16-bit gray clipped
  /// at 255. CMYK is always inverted. Recipes that replay PyTorch runs use these rules.
  case pillow

}

/// Decodes a PNG, JPEG or WebP file. The format is detected from the contents.
///
/// Gray files give one channel, all others three. Only the first frame of an animated WebP is read.
/// The image may have up to 8192 pixels a side and 2²⁵ in total. Memory is allocated only if the
/// file is long enough for the size that its header claims.
///
/// - Parameters:
///   - bytes: The whole file.
///   - rules: How to convert samples where the format leaves a choice.
/// - Returns: The image, and warnings that do not affect it (`has 2000 bytes after its end`).
/// - Throws: ``PictureError``. A truncated or damaged file is refused, never filled up with gray.
public func decodePicture(
  _ bytes: [UInt8], rules: PictureRules = .asDisplayed
) throws(PictureError) -> (picture: Picture, warnings: [String]) {
  switch try PictureFormat(sniffing: bytes) {
  case .png: try decodePNG(bytes, rules: rules)
  case .jpeg: try decodeJPEG(bytes, rules: rules)
  case .webp: try decodeWebP(bytes, rules: rules)
  }
}

extension PictureFormat {
  /// Detects the format from the first bytes of a file.
  ///
  /// - Throws: ``PictureError``, which names the format found if it is another well-known one.
  package init(sniffing bytes: [UInt8]) throws(PictureError) {
    func begins(_ signature: [UInt8], at offset: Int = 0) -> Bool {
      bytes.dropFirst(offset).starts(with: signature)
    }
    func begins(_ signature: String, at offset: Int = 0) -> Bool {
      begins(Array(signature.utf8), at: offset)
    }
    if bytes.isEmpty { throw .empty }
    if begins([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .png
    } else if begins([0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if begins("RIFF") && begins("WEBP", at: 8) {
      self = .webp
    } else {
      let others: [(found: String, matches: Bool)] = [
        ("a GIF file", begins("GIF87a") || begins("GIF89a")),
        ("a BMP file", begins("BM")),
        ("a TIFF file", begins([0x49, 0x49, 0x2a, 0]) || begins([0x4d, 0x4d, 0, 0x2a])),
        ("an AVIF file", begins("ftypavif", at: 4) || begins("ftypavis", at: 4)),
        (
          "a HEIF file",
          ["heic", "heix", "hevc", "mif1", "msf1"].contains { begins("ftyp" + $0, at: 4) }
        ),
        ("a JPEG XL file", begins([0xff, 0x0a]) || begins("JXL ", at: 4)),
        ("a JPEG 2000 file", begins([0xff, 0x4f, 0xff, 0x51]) || begins("jP  ", at: 4)),
        ("an icon file", begins([0, 0, 1, 0])),
        ("a Photoshop file", begins("8BPS")),
        ("a PDF file", begins("%PDF")),
        ("a ZIP archive", begins([0x50, 0x4b, 3, 4])),
        ("a PGM or PPM file", bytes.count > 2 && begins("P") && (0x31...0x37).contains(bytes[1])),
        ("a macOS side file", begins([0, 5, 0x16, 7])),
        ("a thumbnail cache", begins([0xd0, 0xcf, 0x11, 0xe0])),
        (
          "text",
          bytes.prefix(512).allSatisfy { (0x20..<0x7f).contains($0) || (9...13).contains($0) }
        ),
      ]
      throw .otherFormat(found: others.first { $0.matches }?.found)
    }
  }
}
