import BollyGANModel
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The log of a run, `log.jsonl`: one object a line, only ever appended to.
///
/// A disk that is full for a while costs no line and tears none: what was not taken waits in memory
/// and goes out with the next line.
package final class RunLog {
  private let file: Descriptor
  private var pending: [UInt8] = []
  private var isFailing = false

  /// Bytes that a log may have to be gone on with.
  static let limit = 1 << 30

  /// The bytes of the log in a run's folder; none where there is no log yet.
  package static func bytes(in folder: String) throws(FileError) -> [UInt8] {
    // A run that goes on appends meanwhile; the next look sees a later length.
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

  /// Opens the log, made where it is missing, and cuts off what it holds of later steps: from the
  /// first line that is torn or belongs to one. The run that goes on from there logs them again.
  ///
  /// - Parameter step: The last step that counts; nil where none does.
  init(path: String, throughStep step: Int?) throws(FileError) {
    file = try Descriptor(appending: path)
    let bytes = try readFile(path, limit: Self.limit)
    let length = step.map { Self.length(of: bytes, throughStep: $0) } ?? 0
    if length < bytes.count { try file.truncate(to: length) }
  }

  /// Writes a line, and what earlier lines still wait.
  ///
  /// - Returns: Why they wait on, where this is the first line that has to.
  func append(_ line: LogLine) -> FileError? {
    pending += Array(line.text.utf8)
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

  /// Cuts off what was logged of later steps, for a run that goes back.
  func cut(throughStep step: Int) throws(FileError) {
    try file.put(&pending)
    let bytes = try readFile(file.path, limit: Self.limit)
    try file.truncate(to: Self.length(of: bytes, throughStep: step))
  }

  /// Makes all lines so far survive a power cut.
  func flush() throws(FileError) {
    try file.put(&pending)
    try file.synchronize()
  }

  /// How many bytes of a log are whole lines of steps up to the given one.
  package static func length(of bytes: [UInt8], throughStep step: Int) -> Int {
    var length = 0
    for (end, found) in lines(of: bytes) {
      guard let found, found <= step else { break }
      length = end
    }
    return length
  }

  /// Whether a log holds a step that was made.
  static func holdsSteps(_ bytes: [UInt8]) -> Bool {
    lines(of: bytes).contains { $0.step ?? 0 > 0 }
  }

  /// Where each whole line ends, and its step where it has one.
  private static func lines(of bytes: [UInt8]) -> [(end: Int, step: Int?)] {
    struct Position: Decodable { var step: Int }
    let decoder = JSONDecoder()
    var lines: [(end: Int, step: Int?)] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let position = try? decoder.decode(Position.self, from: Data(bytes[start..<end]))
      lines.append((end + 1, position?.step))
      start = end + 1
    }
    return lines
  }
}
