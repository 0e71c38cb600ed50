internal import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a terminal can display.
package struct TerminalStyle: Equatable, Sendable {
  /// Whether a line can be redrawn, as on any terminal that is not `dumb`.
  package let canRedraw: Bool
  /// Whether to use colours.
  package let isColoured: Bool

  /// The style of a stream in an environment.
  ///
  /// - Parameters:
  ///   - isTerminal: Whether the stream is a terminal.
  ///   - environment: Looks up an environment variable. A non-empty `NO_COLOR` overrides
  ///     `CLICOLOR_FORCE`, which overrides `CLICOLOR=0`.
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

  /// The style of this process's standard error.
  package static var standardError: TerminalStyle {
    TerminalStyle(
      isTerminal: isatty(STDERR_FILENO) == 1, environment: { environmentValue($0) })
  }

  /// The width of the terminal on standard error, or 80 if it is unknown.
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
