import BollyGANTraining

/// Names of pictures that are left out of training, as a file that people can read and edit: one a line,
/// from the data folder on; empty lines and lines that begin with `#` are comments.
///
/// Bytes that are no UTF-8, control characters and backslashes are written as `\x` and two digits, and
/// so is a `#` at the beginning of a name: any name that a file system can hold survives.
package struct ExclusionList: Equatable, Sendable {
  /// Names without comments, as lines of the file.
  package let lines: [String]
  package let names: Set<FileName>

  package init(names: [FileName]) {
    lines = names.map(Self.line)
    self.names = Set(names)
  }

  /// Reads the lines that another list had.
  ///
  /// - Throws: ``ExclusionListError`` where one has an escape that is none.
  package init(lines: [String]) throws(ExclusionListError) {
    var kept: [String] = []
    var names: [FileName] = []
    for (index, line) in lines.enumerated() {
      guard let first = line.utf8.first, first != UInt8(ascii: "#") else { continue }
      guard let name = Self.name(line) else {
        throw ExclusionListError(line: index + 1, text: line)
      }
      kept.append(line)
      names.append(name)
    }
    self.lines = kept
    self.names = Set(names)
  }

  /// Reads a file's bytes.
  package init(bytes: [UInt8]) throws(ExclusionListError) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    try self.init(
      lines: lines.map { line in
        // An editor's end of line on other systems.
        String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
      })
  }

  /// A name as a line of the file.
  package static func line(_ name: FileName) -> String {
    let isText = String(validating: name.bytes, as: UTF8.self) != nil
    var line: [UInt8] = []
    for (index, byte) in name.bytes.enumerated() {
      let mustEscape =
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\\") || byte >= 0x80 && !isText
        || byte == UInt8(ascii: "#") && index == 0
      let digits = String(byte, radix: 16)
      line += mustEscape ? Array("\\x\(digits.count < 2 ? "0" : "")\(digits)".utf8) : [byte]
    }
    return String(decoding: line, as: UTF8.self)
  }

  private static func name(_ line: String) -> FileName? {
    var bytes: [UInt8] = []
    var rest = Array(line.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(3)
      guard digits.count == 3, digits.first == UInt8(ascii: "x"),
        let value = UInt8(String(decoding: digits.dropFirst(), as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(3)
    }
    return FileName(bytes: bytes)
  }
}

/// A line of a list that names nothing.
package struct ExclusionListError: Error, Equatable, CustomStringConvertible {
  /// Counted from 1.
  package let line: Int
  package let text: String

  package var description: String {
    "line \(line), '\(text)': a backslash is written \\x5c, and other bytes likewise"
  }
}
