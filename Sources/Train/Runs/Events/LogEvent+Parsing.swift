// Parses lines of log.jsonl.

extension LogEvent {
  /// Longest accepted line in bytes. Our longest ones carry a file name or a warning.
  private static let lengthLimit = 1 << 20

  /// Reads a line of a log, without its line break.
  ///
  /// Returns nil for anything but a JSON object that names an event: a damaged line is not an
  /// error.
  package init?(line: some Collection<UInt8>) {
    guard line.count <= Self.lengthLimit else { return nil }
    var parser = LogLineParser(Array(line))
    guard let fields = parser.object() else { return nil }
    var event: String?
    var (step, epoch): (Int?, Int?)
    var others: [Field] = []
    for field in fields {
      switch (field.key, field.value) {
      case ("event", .text(let name)): event = name
      case ("step", let value) where value.number != nil:
        step = value.number.flatMap(Int.init(exactly:))
      case ("epoch", let value) where value.number != nil:
        epoch = value.number.flatMap(Int.init(exactly:))
      default: others.append(field)
      }
    }
    guard let event else { return nil }
    self.init(event, step: step, epoch: epoch, others)
  }
}

/// A parser of one JSON object. Nested lists and objects are kept as text.
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
    // Python's json writes the last three, although JSON does not have them.
    case "null", "NaN", "Infinity", "-Infinity": return .null
    default:
      // Swift also reads what is not JSON: 0x1p3, nan, +1.
      guard let first = text.utf8.first, first == UInt8(ascii: "-") || Self.isDigit(first),
        text.utf8.allSatisfy({ Self.isDigit($0) || "+-.eE".utf8.contains($0) }),
        let number = Double(text)
      else { return nil }
      if let integer = Int(text) { return .integer(integer) }
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

  /// A list or an object, up to its closing bracket.
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
    // A surrogate may be followed by the other half of its pair; alone it is not a character.
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
