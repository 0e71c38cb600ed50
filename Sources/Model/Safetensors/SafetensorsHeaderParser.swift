/// Parses the header of a safetensors file: JSON with the two levels of objects that the format
/// has, so there is no recursion, and with unique names.
///
/// General JSON parsers are unsuitable: they silently keep one of two equal names, accept `1e3` as
/// an integer, and need minutes and gigabytes for a large header.
struct SafetensorsHeaderParser {
  private typealias Limits = SafetensorsFile.Limits

  private let bytes: [UInt8]
  /// The first byte after the header.
  private let end: Int
  private var position = 8

  /// - Precondition: the header is `bytes[8..<end]`.
  init(_ bytes: [UInt8], end: Int) {
    precondition(8 <= end && end <= bytes.count)
    self.bytes = bytes
    self.end = end
  }

  mutating func header() throws(WeightsError) -> (
    metadata: [String: String], entries: [SafetensorsEntry]
  ) {
    var metadata: [String: String]?
    var entries: [SafetensorsEntry] = []
    var names: Set<String> = []
    try object { parser, name throws(WeightsError) in
      if name == "__metadata__" {
        guard metadata == nil else { throw .duplicate(name: name) }
        metadata = try parser.metadata()
      } else {
        // Names that are canonically equivalent in Unicode count as equal, because a dictionary
        // could not hold both.
        guard names.insert(name).inserted else { throw .duplicate(name: name) }
        guard entries.count < Limits.tensorCount else {
          throw .tooManyTensors(limit: Limits.tensorCount)
        }
        entries.append(try parser.entry(name: name))
      }
    }
    while position < end {
      guard bytes[position] == UInt8(ascii: " ") else {
        throw .syntax(byte: position, expected: "only spaces after the header's object")
      }
      position += 1
    }
    return (metadata ?? [:], entries)
  }

  private mutating func metadata() throws(WeightsError) -> [String: String] {
    var metadata: [String: String] = [:]
    try object { parser, name throws(WeightsError) in
      guard metadata[name] == nil else { throw .duplicate(name: name) }
      metadata[name] = try parser.string(limit: Limits.textByteCount, controls: true)
    }
    return metadata
  }

  private mutating func entry(name: String) throws(WeightsError) -> SafetensorsEntry {
    var type: TensorType?
    var shape: [Int]?
    var offsets: [Int]?
    try object { parser, field throws(WeightsError) in
      switch field {
      case "dtype":
        guard type == nil else { throw .duplicate(name: field) }
        let text = try parser.string(limit: Limits.nameByteCount)
        guard let known = TensorType(rawValue: text) else {
          throw .entry(tensor: name, problem: "dtype \(quoted(text)) is not known")
        }
        type = known
      case "shape":
        guard shape == nil else { throw .duplicate(name: field) }
        shape = try parser.integers(limit: Limits.rank)
      case "data_offsets":
        guard offsets == nil else { throw .duplicate(name: field) }
        offsets = try parser.integers(limit: 2)
      default:
        throw .entry(tensor: name, problem: "field \(quoted(field)) is not known")
      }
    }
    guard let type else { throw .entry(tensor: name, problem: "has no dtype") }
    guard let shape else { throw .entry(tensor: name, problem: "has no shape") }
    guard let offsets else { throw .entry(tensor: name, problem: "has no data_offsets") }
    guard offsets.count == 2 else {
      throw .entry(tensor: name, problem: "data_offsets has \(offsets.count) numbers, not 2")
    }
    return SafetensorsEntry(
      name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  /// Reads `{"name": value, ...}`. The `value` closure is called after each colon to read a value.
  private mutating func object(
    value: (inout Self, String) throws(WeightsError) -> Void
  ) throws(WeightsError) {
    try expect("{")
    skipWhitespace()
    if take("}") { return }
    while true {
      let name = try string(limit: Limits.nameByteCount)
      skipWhitespace()
      try expect(":")
      skipWhitespace()
      try value(&self, name)
      skipWhitespace()
      if take("}") { return }
      try expect(",", orElse: "',' or '}'")
      skipWhitespace()
    }
  }

  /// Reads `[1, 2, ...]`, at most `limit` numbers.
  private mutating func integers(limit: Int) throws(WeightsError) -> [Int] {
    try expect("[")
    skipWhitespace()
    var numbers: [Int] = []
    if take("]") { return numbers }
    while true {
      guard numbers.count < limit else {
        throw .syntax(byte: position, expected: "at most \(limit) numbers")
      }
      numbers.append(try integer())
      skipWhitespace()
      if take("]") { return numbers }
      try expect(",", orElse: "',' or ']'")
      skipWhitespace()
    }
  }

  /// Reads `0` or digits that do not begin with 0, up to 2^63 - 1.
  private mutating func integer() throws(WeightsError) -> Int {
    let start = position
    var number = 0
    while position < end, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
      let (tenfold, tooLarge) = number.multipliedReportingOverflow(by: 10)
      let (sum, stillTooLarge) = tenfold.addingReportingOverflow(
        Int(bytes[position] - UInt8(ascii: "0")))
      guard !tooLarge, !stillTooLarge else {
        throw .syntax(byte: start, expected: "a number below 2^63")
      }
      guard position == start || number > 0 else {
        throw .syntax(byte: start, expected: "a number without leading zeros")
      }
      number = sum
      position += 1
    }
    guard position > start else {
      throw .syntax(byte: start, expected: "an integer in plain digits")
    }
    return number
  }

  /// Reads a string of at most `limit` bytes and resolves its escapes.
  ///
  /// - Parameter controls: Whether escaped control characters are accepted.
  private mutating func string(
    limit: Int, controls: Bool = false
  ) throws(WeightsError) -> String {
    let start = position
    try expect("\"", orElse: "a string")
    var text: [UInt8] = []
    while true {
      guard position < end else { throw .syntax(byte: start, expected: "a string that ends") }
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") {
        text += try Array(String(escapedScalar()).utf8)
      } else {
        guard byte >= 0x20 else {
          throw .text(byte: position, problem: "a control character in a string")
        }
        text.append(byte)
        position += 1
      }
      guard text.count <= limit else {
        throw .text(byte: start, problem: "a string of more than \(limit) bytes")
      }
    }
    position += 1
    guard let string = String(validating: text, as: UTF8.self) else {
      throw .text(byte: start, problem: "a string that is not UTF-8")
    }
    guard controls || !string.unicodeScalars.contains(where: \.isControl) else {
      throw .text(byte: start, problem: "a name with a control character")
    }
    return string
  }

  /// Reads an escape, or a surrogate pair of escapes for one character beyond U+FFFF.
  private mutating func escapedScalar() throws(WeightsError) -> Unicode.Scalar {
    let start = position
    position += 1
    guard position < end else { throw .syntax(byte: start, expected: "an escape that ends") }
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
    default: throw .syntax(byte: start, expected: "an escape that JSON knows")
    }
    let first = try fourDigits()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, take("\\"), take("u") else {
      throw .text(byte: start, problem: "half of a surrogate pair")
    }
    let second = try fourDigits()
    guard (0xdc00...0xdfff).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    else { throw .text(byte: start, problem: "half of a surrogate pair") }
    return scalar
  }

  private mutating func fourDigits() throws(WeightsError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < end, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue,
        bytes[position] < 0x80
      else { throw .syntax(byte: position, expected: "a hexadecimal digit") }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private mutating func skipWhitespace() {
    while position < end, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < end, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(
    _ character: Unicode.Scalar, orElse expected: String? = nil
  ) throws(WeightsError) {
    guard take(character) else {
      throw .syntax(byte: position, expected: expected ?? "'\(character)'")
    }
  }
}

extension Unicode.Scalar {
  var isControl: Bool { properties.generalCategory == .control }
}
