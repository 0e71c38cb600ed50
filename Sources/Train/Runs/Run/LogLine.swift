import BollyGANTraining

/// One flat JSON object on one line, its keys in the order in which they were added.
///
/// Written by hand because a log is read by people as well, who want `event` and `step` in front;
/// an encoder gives no order or the alphabet's.
package struct LogLine: Sendable {
  /// What the log's lines are like, said where a run begins or goes on: raised when a reader of the
  /// old ones would misread the new. More events or more values on a line are no other schema.
  package static let schema = 1

  private var body: String

  /// A line about an event after the given number of steps.
  package init(event: String, step: Int, epoch: Int) {
    body = "\"event\":\(Self.quoted(event)),\"step\":\(step),\"epoch\":\(epoch)"
  }

  package mutating func add(_ key: String, _ value: Int) { append(key, "\(value)") }

  package mutating func add(_ key: String, _ value: Bool) { append(key, "\(value)") }

  package mutating func add(_ key: String, _ value: String) { append(key, Self.quoted(value)) }

  /// Adds a number in the fewest digits that read back as the same one; JSON has no infinities,
  /// so a value that is not finite is null.
  package mutating func add(_ key: String, _ value: Double) {
    append(key, value.isFinite ? "\(value)" : "null")
  }

  /// The object, without an end of line.
  package var text: String { "{\(body)}" }

  private mutating func append(_ key: String, _ value: String) {
    body += ",\(Self.quoted(key)):\(value)"
  }

  /// A JSON string; control characters escaped, all else as it is.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
