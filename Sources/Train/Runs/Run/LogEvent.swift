import BollyGANTraining

/// One line of a run's log, read back.
///
/// Logs are read as they are found: of any version, cut off by a power cut, edited by hand. So a
/// line that is none is nil and no error, and what is not known is kept.
package struct LogEvent: Equatable, Sendable {
  /// A value of the flat object that a line is.
  package enum Value: Equatable, Sendable {
    case number(Double)
    case text(String)
    case flag(Bool)
    /// What a number is that was not finite.
    case null
    /// A list or an object, as it stands there: we write none.
    case other(String)
  }

  package struct Field: Equatable, Sendable {
    package let key: String
    package let value: Value
  }

  /// What happened: `step`, `epoch`, `warning`, ...
  package let event: String
  /// Steps made by then; nil where the line does not say.
  package let step: Int?
  /// The epoch, counted from 1.
  package let epoch: Int?
  /// All else that it says, in its own order.
  package let fields: [Field]

  /// Reads a line without its end; nil where it is no JSON object or names no event.
  package init?(line: some Collection<UInt8>) {
    guard line.count <= Self.limit else { return nil }
    var parser = LogLineParser(Array(line))
    guard let fields = parser.object() else { return nil }
    var event: String?
    var (step, epoch): (Int?, Int?)
    var others: [Field] = []
    for field in fields {
      switch (field.key, field.value) {
      case ("event", .text(let name)): event = name
      case ("step", .number(let number)): step = Int(exactly: number)
      case ("epoch", .number(let number)): epoch = Int(exactly: number)
      default: others.append(field)
      }
    }
    guard let event else { return nil }
    self.event = event
    self.step = step
    self.epoch = epoch
    self.fields = others
  }

  /// The first value of that name.
  package subscript(key: String) -> Value? { fields.first { $0.key == key }?.value }

  /// The text of that name.
  package func text(_ key: String) -> String? {
    if case .text(let text)? = self[key] { text } else { nil }
  }

  /// The number of that name.
  package func number(_ key: String) -> Double? {
    if case .number(let number)? = self[key] { number } else { nil }
  }

  /// Its numbers, in their order.
  package var numbers: [(key: String, value: Double)] {
    fields.compactMap { field in
      if case .number(let value) = field.value { (field.key, value) } else { nil }
    }
  }

  /// Bytes that a line may have; the longest of ours names a file.
  private static let limit = 1 << 20
}

/// Reads one object of JSON, flat but for lists and objects that are kept as text.
private struct LogLineParser {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func object() -> [LogEvent.Field]? {
    guard take("{") else { return nil }
    var fields: [LogEvent.Field] = []
    if take("}") { return isAtEnd ? fields : nil }
    repeat {
      guard let key = string(), take(":"), let value = value() else { return nil }
      fields.append(LogEvent.Field(key: key, value: value))
    } while take(",")
    return take("}") && isAtEnd ? fields : nil
  }

  private mutating func value() -> LogEvent.Value? {
    skipSpace()
    guard position < bytes.count else { return nil }
    switch bytes[position] {
    case UInt8(ascii: "\""): return string().map { .text($0) }
    case UInt8(ascii: "{"), UInt8(ascii: "["): return nested().map { .other($0) }
    default: return word()
    }
  }

  /// `true`, `false`, `null` or a number.
  private mutating func word() -> LogEvent.Value? {
    let start = position
    while position < bytes.count, !Self.ends(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    switch text {
    case "true": return .flag(true)
    case "false": return .flag(false)
    // Python's json writes the last three, which are no JSON.
    case "null", "NaN", "Infinity", "-Infinity": return .null
    default:
      // Swift reads more than JSON has: 0x1p3, nan, +1.
      guard let first = text.utf8.first, first == UInt8(ascii: "-") || Self.isDigit(first),
        text.utf8.allSatisfy({ Self.isDigit($0) || "+-.eE".utf8.contains($0) }),
        let number = Double(text)
      else { return nil }
      return number.isFinite ? .number(number) : .null
    }
  }

  private static func ends(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}")
      || byte == UInt8(ascii: "]")
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// A list or an object: to the bracket that closes the first one.
  private mutating func nested() -> String? {
    let start = position
    var depth = 0
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        guard string() != nil else { return nil }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      position += 1
      if depth == 0 { return String(decoding: bytes[start..<position], as: UTF8.self) }
    }
    return nil
  }

  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let scalar = escapedScalar() else { return nil }
        text += Array(String(scalar).utf8)
      default: text.append(byte)
      }
    }
    return nil
  }

  private mutating func escapedScalar() -> Unicode.Scalar? {
    guard position < bytes.count else { return nil }
    let letter = bytes[position]
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: return nil
    }
    guard let first = fourDigits() else { return nil }
    if let scalar = Unicode.Scalar(first) { return scalar }
    // Half of a pair may be followed by its other half; alone it is no character.
    let rest = position
    if first < 0xDC00, bytes[position...].starts(with: "\\u".utf8) {
      position += 2
      if let second = fourDigits(), (0xDC00...0xDFFF).contains(second) {
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      }
    }
    position = rest
    return "\u{FFFD}"
  }

  private mutating func fourDigits() -> UInt32? {
    guard position + 4 <= bytes.count else { return nil }
    let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
    position += 4
    return digits.hasPrefix("+") ? nil : UInt32(digits, radix: 16)
  }

  private var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return position == bytes.count
    }
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }
}
