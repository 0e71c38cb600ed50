#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Standard output with every write checked.
///
/// `print` would lose text on a full disk, and the command would still exit with status 0.
/// Nothing is buffered, so write whole lines or whole images.
package enum StandardOutput {
  /// Writes all bytes.
  ///
  /// - Throws: ``StandardOutputError``, for instance if the reader has gone or the disk is full.
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

  /// Whether standard output is a terminal, which binary data would garble.
  package static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}

/// Why a write to standard output failed.
package struct StandardOutputError: ExitStatusProviding, Equatable, CustomStringConvertible {
  /// The `errno` of the failed write.
  package let code: Int32

  /// 141 if the reader of a pipe closed it, as `| head` does; otherwise 74.
  package var exitStatus: ExitStatus { code == EPIPE ? .brokenPipe : .inputOutput }

  /// The system's description of the error.
  package var description: String { "standard output: \(errorText(code))" }
}
