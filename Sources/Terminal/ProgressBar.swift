import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A progress bar on the last line of a terminal.
///
/// It is drawn on standard error, and only if that is a terminal that can move its cursor. Nothing
/// is written to files or pipes. Work that takes less than half a second shows no bar.
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
  /// Whether there is a terminal to draw on and the user did not ask for silence.
  package let isEnabled: Bool
  private let style: TerminalStyle
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  /// A bar for `total` units of work.
  ///
  /// - Parameters:
  ///   - total: The number of units, at least 1.
  ///   - unit: The name of the units in the plural, such as "faces".
  ///   - isQuiet: Whether the user asked for silence.
  package init(total: Int, unit: String, isQuiet: Bool = false) {
    self.total = max(1, total)
    self.unit = unit
    style = .standardError
    isEnabled = style.canRedraw && !isQuiet
  }

  /// Reports progress. Any thread may call this, as often as it likes.
  ///
  /// - Parameter note: Text to show after the counts, such as losses.
  package func update(completed: Int, note: String = "") {
    change { state in
      state.completed = completed
      state.note = note
    }
  }

  /// Reports progress with the given text in place of counts and times.
  package func update(completed: Int, text: String) {
    change { state in
      state.completed = completed
      state.text = text
    }
  }

  /// Reports that `count` more units are done.
  package func advance(by count: Int = 1) {
    change { $0.completed += count }
  }

  /// Removes the bar. Later updates are ignored.
  package func finish() {
    guard isEnabled else { return }
    state.withLock { state in
      if state.isVisible { writeToStandardError("\r\u{1B}[K") }
      state.isVisible = false
      state.isFinished = true
    }
  }

  /// Writes a line to standard error, above the bar if there is one.
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

  /// The text of the bar, narrower than `columns`.
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

  /// A rate with one decimal below 100.
  private static func rounded(_ rate: Double) -> String {
    rate >= 100 ? "\(Int(rate))" : "\((rate * 10).rounded() / 10)"
  }
}

/// A duration in words: `42 s`, `3 min 20 s`, `5 h 04 min`. It is rounded up to whole seconds.
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
