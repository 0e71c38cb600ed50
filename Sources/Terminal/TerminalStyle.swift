internal import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What may be drawn on a terminal.
package struct TerminalStyle: Equatable, Sendable {
  /// Whether a line may be drawn over again: on a terminal that is not `dumb`.
  package let canRedraw: Bool
  /// Whether colours are wanted.
  package let isColoured: Bool

  /// - Parameters:
  ///   - isTerminal: Whether the stream is a terminal.
  ///   - environment: Looks a variable up. `NO_COLOR` (not empty) goes before `CLICOLOR_FORCE`,
  ///     that before `CLICOLOR=0`.
  /// - SeeAlso: https://no-color.org and https://bixense.com/clicolors/
  package init(isTerminal: Bool, environment: (String) -> String?) {
    canRedraw = isTerminal && environment("TERM") != "dumb"
    if let value = environment("NO_COLOR"), !value.isEmpty {
      isColoured = false
    } else if let value = environment("CLICOLOR_FORCE"), !value.isEmpty, value != "0" {
      isColoured = true
    } else {
      isColoured = canRedraw && environment("CLICOLOR") != "0"
    }
  }

  /// Of standard error in this process.
  package static var standardError: TerminalStyle {
    TerminalStyle(
      isTerminal: isatty(STDERR_FILENO) == 1, environment: { environmentValue($0) })
  }

  /// Width of the terminal behind standard error, 80 where it does not say.
  static var columns: Int {
    var size = winsize()
    let result = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
    return result == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }
}

/// The value of an environment variable.
package func environmentValue(_ name: String) -> String? {
  unsafe getenv(name).map { unsafe String(cPath: $0) }
}
