/// Images excluded from training, as a text file to read and edit.
///
/// Each line is one path, relative to the data folder. Empty lines and lines that start with `#`
/// are comments. Bytes that are not UTF-8, control characters, backslashes and a leading `#` are
/// written as `\x` and two digits, so every possible file name can be listed.
package struct ExclusionList: Equatable, Sendable {
  /// The lines of the file without comments.
  package let lines: [String]
  /// The excluded paths.
  package let names: Set<BytePath>

  package init(names: [BytePath]) {
    lines = names.map(Self.line)
    self.names = Set(names)
  }

  /// Parses the lines of a list.
  ///
  /// - Throws: ``ExclusionListError`` if a line has an invalid escape.
  package init(lines: [String]) throws(ExclusionListError) {
    var kept: [String] = []
    var names: [BytePath] = []
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

  /// Parses the bytes of a file.
  package init(bytes: [UInt8]) throws(ExclusionListError) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    try self.init(
      lines: lines.map { line in
        // Editors on other systems end lines with "\r\n".
        String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
      })
  }

  /// A path as a line of the file.
  package static func line(_ name: BytePath) -> String {
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

  private static func name(_ line: String) -> BytePath? {
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
    return BytePath(bytes: bytes)
  }
}

/// A line of an exclusion list with an invalid escape.
package struct ExclusionListError: Error, Equatable, CustomStringConvertible {
  /// Counted from 1.
  package let line: Int
  /// The whole line.
  package let text: String

  package var description: String {
    "line \(line), '\(text)': invalid escape; write a backslash as \\x5c"
  }
}
