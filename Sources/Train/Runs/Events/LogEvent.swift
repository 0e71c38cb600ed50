/// One event of a run as the log has it: a name, a position, and named values.
///
/// The run writes these from its typed ``RunEvent``s. Logs are read back as they are found: from
/// any version, cut off by a power failure, edited by hand. Unknown events and values are kept.
package struct LogEvent: Equatable, Sendable {
  /// A value of the flat object that is one line of the log.
  package enum Value: Equatable, Sendable {
    case integer(Int)
    /// A finite number.
    case number(Double)
    case text(String)
    case flag(Bool)
    /// A number that was not finite.
    case null
    /// A list or an object, unparsed. We write none.
    case other(String)

    /// The value as a number, if it is one.
    package var number: Double? {
      switch self {
      case .integer(let value): Double(value)
      case .number(let value): value
      default: nil
      }
    }
  }

  /// A value with its name.
  package struct Field: Equatable, Sendable {
    /// The name, which may occur twice in logs by other writers.
    package let key: String
    /// The value.
    package let value: Value

    init(key: String, value: Value) { (self.key, self.value) = (key, value) }

    package init(_ key: String, _ value: Int) { self.init(key: key, value: .integer(value)) }

    package init(_ key: String, _ value: Bool) { self.init(key: key, value: .flag(value)) }

    package init(_ key: String, _ value: String) { self.init(key: key, value: .text(value)) }

    /// JSON has no infinities, so a value that is not finite becomes null.
    package init(_ key: String, _ value: Double) {
      self.init(key: key, value: value.isFinite ? .number(value) : .null)
    }
  }

  /// Version of the log's format, named where a run starts or resumes. It is raised when an older
  /// reader would misread a newer log; more events or more values do not raise it.
  package static let schema = 1

  /// What happened: `step`, `epoch`, `warning`, ...
  package let event: String
  /// Steps made by then; nil if the line names none.
  package let step: Int?
  /// The epoch, counted from 1.
  package let epoch: Int?
  /// Everything else, in its own order.
  package let fields: [Field]

  package init(_ event: String, step: Int?, epoch: Int?, _ fields: [Field] = []) {
    (self.event, self.step, self.epoch, self.fields) = (event, step, epoch, fields)
  }

  /// The first value with that name.
  package subscript(key: String) -> Value? { fields.first { $0.key == key }?.value }

  /// The text with that name.
  package func text(_ key: String) -> String? {
    if case .text(let text)? = self[key] { text } else { nil }
  }

  /// The number with that name.
  package func number(_ key: String) -> Double? { self[key]?.number }

  /// All numbers, in order.
  package var numbers: [(key: String, value: Double)] {
    fields.compactMap { field in field.value.number.map { (field.key, $0) } }
  }
}

// MARK: - JSON

extension LogEvent {
  /// The event as one line of JSON, without a line break.
  ///
  /// This is the only place that writes the log's JSON. It does so by hand because people read logs
  /// too and want `event` and `step` first; an encoder writes keys in no order or alphabetically.
  /// Numbers take the fewest digits that read back as the same value.
  package var json: String {
    let head = [
      "\"event\":\(Self.quoted(event))", step.map { "\"step\":\($0)" },
      epoch.map { "\"epoch\":\($0)" },
    ].compactMap { $0 }
    let body = fields.map { "\(Self.quoted($0.key)):\($0.value.json)" }
    return "{\((head + body).joined(separator: ","))}"
  }

  /// A JSON string; only control characters, quotation marks and backslashes are escaped.
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

extension LogEvent.Value {
  fileprivate var json: String {
    switch self {
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let text): LogEvent.quoted(text)
    case .flag(let flag): "\(flag)"
    case .null: "null"
    case .other(let json): json
    }
  }
}
