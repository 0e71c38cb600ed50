import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A line at the foot of a terminal that says how far long work has come.
///
/// It is drawn on standard error, and only where that is a terminal that can move its cursor; in a
/// file or a pipe not a byte of it appears. Work of under half a second shows nothing.
package final class ProgressBar: Sendable {
  private struct State {
    var completed = 0
    var note = ""
    var text: String?
    var lastDrawn: ContinuousClock.Instant?
    var isVisible = false
    var isFinished = false
  }

  private let total: Int
  private let unit: String
  /// Whether there is a terminal to draw it on, and nobody asked for silence.
  package let isEnabled: Bool
  private let style: TerminalStyle
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  /// A bar for `total` units of work.
  ///
  /// - Parameters:
  ///   - total: Units in all, at least 1.
  ///   - unit: What is counted, in the plural: "faces".
  ///   - isQuiet: Whether the user asked for silence.
  package init(total: Int, unit: String, isQuiet: Bool = false) {
    self.total = max(1, total)
    self.unit = unit
    style = .standardError
    isEnabled = style.canRedraw && !isQuiet
  }

  /// Says how much is done; any thread may call, as often as it likes.
  ///
  /// - Parameter note: What stands behind the counts, such as losses.
  package func update(completed: Int, note: String = "") {
    change { state in
      state.completed = completed
      state.note = note
    }
  }

  /// Says how much is done, with words of the caller's beside the bar in place of counts and times.
  package func update(completed: Int, text: String) {
    change { state in
      state.completed = completed
      state.text = text
    }
  }

  /// Says that so much more is done.
  package func advance(by count: Int = 1) {
    change { $0.completed += count }
  }

  /// Takes the bar away; later updates are ignored.
  package func finish() {
    guard isEnabled else { return }
    state.withLock { state in
      if state.isVisible { writeToStandardError("\r\u{1B}[K") }
      state.isVisible = false
      state.isFinished = true
    }
  }

  /// Writes a line above the bar, and where there is no bar simply writes it.
  package func print(_ line: String) {
    state.withLock { state in
      writeToStandardError((state.isVisible ? "\r\u{1B}[K" : "") + line + "\n")
      state.lastDrawn = nil
    }
  }

  private func change(_ body: (inout State) -> Void) {
    guard isEnabled else { return }
    state.withLock { state in
      body(&state)
      let now = ContinuousClock.now
      guard !state.isFinished, now - start >= .milliseconds(500),
        state.lastDrawn.map({ now - $0 >= .milliseconds(100) }) ?? true
      else { return }
      state.lastDrawn = now
      state.isVisible = true
      let line = Self.line(
        completed: state.completed, total: total, unit: unit, note: state.note, text: state.text,
        elapsed: now - start, columns: TerminalStyle.columns, isColoured: style.isColoured)
      writeToStandardError("\r" + line + "\u{1B}[K")
    }
  }

  /// The line itself, never wider than the terminal.
  package static func line(
    completed: Int, total: Int, unit: String, note: String, text: String? = nil,
    elapsed: Duration, columns: Int, isColoured: Bool
  ) -> String {
    let fraction = min(1, Double(completed) / Double(total))
    let elapsed = elapsed / .seconds(1)
    let rate = elapsed > 0 ? Double(completed) / elapsed : 0
    var counts = " \(Int(fraction * 100))% \(completed)/\(total) \(unit)"
    if rate > 0 {
      counts += ", \(rounded(rate)) a second"
      counts += ", \(durationText(seconds: Double(max(0, total - completed)) / rate)) left"
    }
    if !note.isEmpty { counts += ", \(note)" }
    let text = text.map { " " + $0 } ?? counts
    let width = min(30, columns - 1 - text.count)
    guard width >= 8 else { return String(text.dropFirst().prefix(max(0, columns - 1))) }
    let full = Int(fraction * Double(width))
    let done = String(repeating: "━", count: full)
    let rest = String(repeating: isColoured ? "━" : " ", count: width - full)
    return isColoured
      ? "\u{1B}[32m\(done)\u{1B}[90m\(rest)\u{1B}[0m\(text)" : "\(done)\(rest)\(text)"
  }

  /// Three figures are enough to see a rate by.
  private static func rounded(_ rate: Double) -> String {
    rate >= 100 ? "\(Int(rate))" : "\((rate * 10).rounded() / 10)"
  }
}

/// A time as people say it: `42 s`, `3 min 20 s`, `5 h 04 min`.
package func durationText(seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "a long time" }
  let seconds = Int(seconds.rounded(.up))
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  switch seconds {
  case ..<60: return "\(seconds) s"
  case ..<3600: return "\(seconds / 60) min \(two(seconds % 60)) s"
  default: return "\(seconds / 3600) h \(two(seconds / 60 % 60)) min"
  }
}
