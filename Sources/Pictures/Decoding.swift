/// How files that leave a choice become 8-bit gray or RGB.
public enum PictureRules: String, CaseIterable, Sendable {
  /// As a person sees them: turned as EXIF says, alpha over white, 16-bit samples v as v/257
  /// rounded, CMYK inverted where an Adobe marker says so.
  case kind
  /// As Pillow's `Image.open(file).convert("RGB")` gives them, sample for sample: EXIF ignored,
  /// alpha dropped, 16-bit colour cut to its high byte, 16-bit gray clipped at 255, CMYK always
  /// inverted. For recipes that replay a run of PyTorch's.
  case pillow
}

/// Reads a PNG, JPEG or WebP file, whichever its content is.
///
/// Gray files give one channel, all others three. Of an animated WebP the first frame is read.
/// Up to 8192 pixels a side and 2²⁵ in all; memory is taken only when the file is long enough to
/// hold what its header claims.
///
/// - Parameter bytes: the whole file.
/// - Parameter rules: what to do where formats leave a choice.
/// - Returns: the picture, and remarks that leave it whole (`2000 bytes after its end`).
/// - Throws: ``PictureError``; a file that ends early or whose data is damaged is refused, never
///   completed with gray.
public func decodePicture(
  _ bytes: [UInt8], rules: PictureRules = .kind
) throws(PictureError) -> (picture: Picture, warnings: [String]) {
  switch try PictureFormat(sniffing: bytes) {
  case .png: try decodePNG(bytes, rules: rules)
  case .jpeg: try decodeJPEG(bytes, rules: rules)
  case .webp: try decodeWebP(bytes, rules: rules)
  }
}

extension PictureFormat {
  /// The format that the first bytes tell.
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
