import BollyGANModel

/// The log of a run, `log.jsonl`: one JSON object per line, only ever appended to.
///
/// A full disk neither loses nor tears a line: what could not be written waits in memory and goes
/// out with the next line.
package final class RunLog {
  private let file: Descriptor
  private var pending: [UInt8] = []
  private var isFailing = false

  /// Largest log in bytes that can be read or appended to.
  static let limit = 1 << 30

  /// The bytes of the log in a run folder; none if there is no log yet.
  package static func bytes(in folder: String) throws(FileError) -> [UInt8] {
    // A training process may append while we read. The next attempt sees the new length.
    for _ in 0..<100 {
      do {
        return try readFile("\(folder)/\(RunFolder.logName)", limit: limit)
      } catch .missing {
        return []
      } catch .changed {
        continue
      }
    }
    return try readFile("\(folder)/\(RunFolder.logName)", limit: limit)
  }

  /// Opens the log, creating it if necessary, and cuts it at the first line that is torn or belongs
  /// to a later step. The resumed run logs those steps again.
  ///
  /// - Parameter step: The last step to keep; nil to keep none.
  init(path: String, throughStep step: Int?) throws(FileError) {
    file = try Descriptor(appending: path)
    let bytes = try readFile(path, limit: Self.limit)
    let length = step.map { Self.length(of: bytes, throughStep: $0) } ?? 0
    if length < bytes.count { try file.truncate(to: length) }
  }

  /// Writes an event, and all earlier ones that still wait.
  ///
  /// - Returns: The error that makes them wait, but only the first of several in a row.
  func append(_ event: LogEvent) -> FileError? {
    pending += Array(event.json.utf8)
    pending.append(UInt8(ascii: "\n"))
    do {
      try file.put(&pending)
      isFailing = false
      return nil
    } catch {
      defer { isFailing = true }
      return isFailing ? nil : error
    }
  }

  /// Removes the events of later steps, for a run that is rolled back.
  func truncate(afterStep step: Int) throws(FileError) {
    try file.put(&pending)
    let bytes = try readFile(file.path, limit: Self.limit)
    try file.truncate(to: Self.length(of: bytes, throughStep: step))
  }

  /// Makes all events so far survive a power failure.
  func flush() throws(FileError) {
    try file.put(&pending)
    try file.synchronize()
  }

  /// The length in bytes of the complete lines up to a step.
  package static func length(of bytes: [UInt8], throughStep step: Int) -> Int {
    var length = 0
    for (end, event) in lines(of: bytes) {
      guard let found = event?.step, found <= step else { break }
      length = end
    }
    return length
  }

  /// Whether a log contains a training step.
  static func holdsSteps(_ bytes: [UInt8]) -> Bool {
    lines(of: bytes).contains { $0.event?.step ?? 0 > 0 }
  }

  /// The end of each complete line, and its event unless the line is damaged.
  private static func lines(of bytes: [UInt8]) -> [(end: Int, event: LogEvent?)] {
    var lines: [(end: Int, event: LogEvent?)] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      lines.append((end + 1, LogEvent(line: bytes[start..<end])))
      start = end + 1
    }
    return lines
  }
}
