// Reads .npy files, which may come from strangers.

extension NPYFile {
  /// Reads a file of float16, float32 or float64 numbers; the latter are rounded to float32.
  ///
  /// The numbers must be little-endian, in C order, with at most 8 axes.
  ///
  /// - Throws: ``NPYError`` for the first fault.
  public init(bytes: [UInt8]) throws(NPYError) {
    guard bytes.starts(with: Self.magic), bytes.count >= 12 else { throw .notNPY }
    let (major, minor) = (bytes[6], bytes[7])
    let lengthByteCount: Int
    switch (major, minor) {
    case (1, 0): lengthByteCount = 2
    case (2, 0): lengthByteCount = 4
    default: throw .version(major: major, minor: minor)
    }
    let headerStart = 8 + lengthByteCount
    let length = (0..<lengthByteCount).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let longest = min(64 << 10, bytes.count - headerStart)
    guard length <= longest else { throw .headerLength(found: length, limit: longest) }
    var parser = NPYHeaderParser(bytes, position: headerStart, end: headerStart + length)
    let header = try parser.header()

    var needed = header.type.stored.byteCount
    for size in header.shape {
      let (product, overflow) = needed.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .overflow(shape: header.shape) }
      needed = product
    }
    let data = bytes[(headerStart + length)...]
    guard needed == data.count else { throw .length(needed: needed, found: data.count) }
    let stored = StoredTensor(type: header.type.stored, shape: header.shape, bytes: data)
    let floats =
      switch header.type {
      case .float16, .float32: stored.widened(0..<stored.count)
      case .float64: stored.numbers64().map { Float(Double(bitPattern: $0)) }
      }
    self.init(shape: header.shape, floats: floats)
  }
}

/// A supported type of numbers, by its name in a header.
private enum NPYType: String {
  case float16 = "<f2"
  case float32 = "<f4"
  case float64 = "<f8"

  var stored: TensorType {
    switch self {
    case .float16: .f16
    case .float32: .f32
    case .float64: .f64
    }
  }
}

/// Parses the header of a `.npy` file: a Python dictionary of three entries of fixed form.
private struct NPYHeaderParser {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int

  init(_ bytes: [UInt8], position: Int, end: Int) {
    self.bytes = bytes
    self.position = position
    self.end = end
  }

  mutating func header() throws(NPYError) -> (type: NPYType, shape: [Int]) {
    var type: NPYType?
    var isFortran: Bool?
    var shape: [Int]?
    try expect("{")
    skipSpaces()
    while !take("}") {
      let start = position
      let key = try string()
      skipSpaces()
      try expect(":")
      skipSpaces()
      switch key {
      case "descr" where type == nil:
        let text = try string()
        guard let known = NPYType(rawValue: text) else { throw .type(text) }
        type = known
      case "fortran_order" where isFortran == nil: isFortran = try bool()
      case "shape" where shape == nil: shape = try tuple()
      default:
        throw .header(byte: start, expected: "'descr', 'fortran_order' and 'shape', once each")
      }
      skipSpaces()
      if take(",") {
        skipSpaces()
      } else if position >= end || bytes[position] != UInt8(ascii: "}") {
        throw .header(byte: position, expected: "',' or '}'")
      }
    }
    skipSpaces()
    try expect("\n", orElse: "spaces and the end of the line")
    guard position == end else { throw .header(byte: position, expected: "the header's end") }
    guard let type, let isFortran, let shape else {
      throw .header(byte: end, expected: "'descr', 'fortran_order' and 'shape', once each")
    }
    guard !isFortran else { throw .fortranOrder }
    return (type, shape)
  }

  /// Reads a string of printable ASCII without escapes, in either kind of quotes.
  private mutating func string() throws(NPYError) -> String {
    let start = position
    let quote: Unicode.Scalar = take("\"") ? "\"" : "'"
    if quote == "'" { try expect("'", orElse: "a string") }
    let textStart = position
    while position < end, (0x20..<0x7f).contains(bytes[position]),
      bytes[position] != UInt8(ascii: quote), bytes[position] != UInt8(ascii: "\\")
    {
      position += 1
    }
    let text = String(decoding: bytes[textStart..<position], as: UTF8.self)
    guard take(quote) else { throw .header(byte: start, expected: "a plain string") }
    return text
  }

  private mutating func bool() throws(NPYError) -> Bool {
    for (word, value) in [("True", true), ("False", false)]
    where bytes[position..<end].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw .header(byte: position, expected: "True or False")
  }

  /// Reads a tuple `()`, `(1,)`, `(1, 2)`, ... of at most 8 integers.
  private mutating func tuple() throws(NPYError) -> [Int] {
    try expect("(")
    skipSpaces()
    var numbers: [Int] = []
    while !take(")") {
      guard numbers.count < 8 else {
        throw .header(byte: position, expected: "at most 8 axes")
      }
      numbers.append(try integer())
      skipSpaces()
      if take(",") {
        skipSpaces()
      } else if numbers.count == 1 || position >= end || bytes[position] != UInt8(ascii: ")") {
        throw .header(byte: position, expected: "','")
      }
    }
    return numbers
  }

  private mutating func integer() throws(NPYError) -> Int {
    let start = position
    while position < end, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
      position += 1
    }
    let digits = bytes[start..<position]
    guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1,
      let number = Int(String(decoding: digits, as: UTF8.self))
    else { throw .header(byte: start, expected: "an integer below 2^63") }
    return number
  }

  private mutating func skipSpaces() { while take(" ") {} }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < end, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(
    _ character: Unicode.Scalar, orElse expected: String? = nil
  ) throws(NPYError) {
    guard take(character) else {
      throw .header(byte: position, expected: expected ?? "'\(character)'")
    }
  }
}
