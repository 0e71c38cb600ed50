internal import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An error that knows with which status its command should end.
package protocol ExitStatusProviding: Error {
  /// The status to leave with.
  var exitStatus: ExitStatus { get }
}

/// Why a command ends early: one line for the user, and the status for scripts.
package struct CommandFailure: ExitStatusProviding, Equatable, CustomStringConvertible {
  package let exitStatus: ExitStatus
  /// The file it is about, as the user named it.
  package let file: String?
  /// What is wrong, enough to mend it; without the file's name.
  package let message: String

  package init(_ exitStatus: ExitStatus, file: String? = nil, _ message: String) {
    self.exitStatus = exitStatus
    self.file = file
    self.message = message
  }

  /// `FILE: what is wrong`, or what is wrong where no file is to blame.
  package var description: String {
    guard let file else { return message }
    return "\(escaped(file)): \(message)"
  }

  /// Runs `body` and says whatever it throws about `file`.
  ///
  /// An error that provides its own status keeps it; any other takes `status`.
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

/// Text from a file, safe to show: no control characters, no reordering marks, at most `limit`
/// bytes.
///
/// A terminal obeys what it is sent, so a name such as `\u{1B}]0;owned\u{07}` must not reach it.
package func escaped(_ text: String, limit: Int = 200) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    let piece =
      switch scalar {
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      // A byte that is no UTF-8, as paths keep it.
      case keptByteScalars: "\\x\(String(scalar.value & 0xFF, radix: 16))"
      case _ where mustEscape(scalar): "\\u{\(String(scalar.value, radix: 16))}"
      default: String(scalar)
      }
    // Room is left for the mark that says something was cut off.
    guard result.utf8.count + piece.utf8.count <= limit - 3 else {
      return result + "…"
    }
    result += piece
  }
  return result
}

/// Control characters, and those that turn or split a line.
private func mustEscape(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
  default: false
  }
}

/// Writes `bollygan: message` on standard error as one line; a closed standard error is no error.
package func printError(_ message: String) {
  writeToStandardError("bollygan: \(escaped(message, limit: 4096))\n")
}

/// Writes text on standard error as it is, all of it or as much as it takes.
package func writeToStandardError(_ text: String) {
  _ = writeAll(Array(text.utf8), to: STDERR_FILENO)
}

/// The system's words for an `errno`.
package func errorText(_ code: Int32) -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
  return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Writes every byte, through interruptions and short writes.
///
/// - Returns: nil, or the `errno` that stopped it.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
  unsafe bytes.withUnsafeBytes { bytes in
    var done = 0
    while done < bytes.count {
      let written = unsafe write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if written >= 0 {
        done += written
      } else if errno == EAGAIN {
        // Somebody made this pipe non-blocking (terminals are shared): wait until it takes more.
        var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&waited, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}
