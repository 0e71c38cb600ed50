internal import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An error that determines the exit status of its command.
package protocol ExitStatusProviding: Error {
  /// The exit status of the command.
  var exitStatus: ExitStatus { get }
}

/// Why a command fails: a line for the user and an exit status for scripts.
package struct CommandFailure: ExitStatusProviding, Equatable, CustomStringConvertible {
  /// The exit status of the command.
  package let exitStatus: ExitStatus
  /// The file that caused the failure, as the user named it.
  package let file: String?
  /// What is wrong and how to fix it, without the name of the file.
  package let message: String

  /// A failure with a status and a message.
  package init(_ exitStatus: ExitStatus, file: String? = nil, _ message: String) {
    self.exitStatus = exitStatus
    self.file = file
    self.message = message
  }

  /// `FILE: MESSAGE`, or the message alone if no file is involved.
  package var description: String {
    guard let file else { return message }
    return "\(escaped(file)): \(message)"
  }

  /// Runs `body` and turns any error that it throws into a failure about `file`.
  ///
  /// An error that provides a status keeps it. Any other error gets `status`. A failure is rethrown
  /// unchanged.
  package static func about<Result, Failure: Error>(
    _ file: String, else status: ExitStatus = .badData, _ body: () throws(Failure) -> Result
  ) throws(CommandFailure) -> Result {
    do {
      return try body()
    } catch let error as CommandFailure {
      throw error
    } catch {
      let status = (error as? any ExitStatusProviding)?.exitStatus ?? status
      throw CommandFailure(status, file: file, "\(error)")
    }
  }
}

/// Untrusted text, made safe to print: control characters and reordering marks are escaped, and the
/// result is cut to at most `limit` bytes.
///
/// A terminal executes escape sequences, so a file name such as `\u{1B}]0;owned\u{07}` must not
/// reach it.
package func escaped(_ text: String, limit: Int = 200) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    let piece =
      switch scalar {
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      // A byte of a path that is not valid UTF-8.
      case keptByteScalars: "\\x\(String(scalar.value & 0xFF, radix: 16))"
      case _ where mustEscape(scalar): "\\u{\(String(scalar.value, radix: 16))}"
      default: String(scalar)
      }
    // Leave room for the ellipsis, which has 3 bytes.
    guard result.utf8.count + piece.utf8.count <= limit - 3 else {
      return result + "…"
    }
    result += piece
  }
  return result
}

/// Whether a scalar controls the terminal, or reorders or splits a line.
private func mustEscape(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
  default: false
  }
}

/// Writes `bollygan: MESSAGE` to standard error as one line. Failures to write are ignored.
package func printError(_ message: String) {
  writeToStandardError("bollygan: \(escaped(message, limit: 4096))\n")
}

/// Writes text to standard error unchanged. Failures to write are ignored.
package func writeToStandardError(_ text: String) {
  _ = writeAll(Array(text.utf8), to: STDERR_FILENO)
}

/// The system's description of an `errno`.
package func errorText(_ code: Int32) -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
  return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Writes all bytes and continues after interruptions and partial writes.
///
/// - Returns: Nil on success, or the `errno` of the failed write.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
  unsafe bytes.withUnsafeBytes { bytes in
    var done = 0
    while done < bytes.count {
      let written = unsafe write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if written >= 0 {
        done += written
      } else if errno == EAGAIN {
        // Another process that shares this terminal or pipe made it non-blocking. Wait for room.
        var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&waited, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}
