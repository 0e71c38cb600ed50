#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Standard output, each write checked: `print` loses text on a full disk and still ends with 0.
///
/// Nothing is buffered: hand over whole lines or whole pictures.
package enum StandardOutput {
  /// Writes all bytes.
  ///
  /// - Throws: ``StandardOutputError``, where the reader went away or the disk is full.
  package static func write(_ bytes: [UInt8]) throws(StandardOutputError) {
    if let code = writeAll(bytes, to: STDOUT_FILENO) {
      throw StandardOutputError(code: code)
    }
  }

  /// Writes a text in UTF-8.
  package static func write(_ text: String) throws(StandardOutputError) {
    try write(Array(text.utf8))
  }

  /// Writes a line.
  package static func writeLine(_ line: String) throws(StandardOutputError) {
    try write(line + "\n")
  }

  /// Whether somebody reads it on a terminal, which binary data would garble.
  package static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}

/// Why standard output did not take what was written.
package struct StandardOutputError: ExitStatusProviding, Equatable, CustomStringConvertible {
  /// The `errno` of the failed write.
  package let code: Int32

  /// 141 where the reader of a pipe went away (`| head`), which is no fault; else 74.
  package var exitStatus: ExitStatus { code == EPIPE ? .brokenPipe : .inputOutput }

  package var description: String { "standard output: \(errorText(code))" }
}
