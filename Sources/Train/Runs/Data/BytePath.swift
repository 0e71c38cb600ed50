/// A path as the bytes that the file system stores, which are not always UTF-8.
///
/// Paths are ordered by their bytes. For valid UTF-8 that is the order of Python's strings.
package struct BytePath: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The path's bytes, with `/` between its parts.
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) { self.bytes = bytes }

  package init(_ text: String) { bytes = Array(text.utf8) }

  package static func < (left: BytePath, right: BytePath) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// The path as text, with U+FFFD in place of bytes that are not UTF-8.
  package var description: String { String(decoding: bytes, as: UTF8.self) }

  /// The path of `part` within this folder.
  func appending(_ part: [UInt8]) -> BytePath {
    bytes.isEmpty ? BytePath(bytes: part) : BytePath(bytes: bytes + [UInt8(ascii: "/")] + part)
  }
}
