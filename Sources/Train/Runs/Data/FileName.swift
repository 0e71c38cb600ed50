import BollyGANTraining

/// A file's path below a folder, as the bytes that the file system holds; not always UTF-8.
///
/// Sorted by bytes, which for valid UTF-8 is Python's order of strings.
package struct FileName: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The path's bytes, parts separated by `/`.
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) { self.bytes = bytes }

  package init(_ text: String) { bytes = Array(text.utf8) }

  package static func < (left: FileName, right: FileName) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// The path as text, with U+FFFD where the bytes are no UTF-8.
  package var description: String { String(decoding: bytes, as: UTF8.self) }

  /// The path of `part` below this one.
  func appending(_ part: [UInt8]) -> FileName {
    bytes.isEmpty ? FileName(bytes: part) : FileName(bytes: bytes + [UInt8(ascii: "/")] + part)
  }
}
