/// Checks the bytes of an ONNX file before protobuf-c parses them.
///
/// protobuf-c is a careful parser of the wire format, but it cuts strings at a NUL, keeps the last
/// of two values of one field, and allocates before it knows whether the rest of the file makes
/// sense. This check is iterative, and its memory does not depend on the file. It accepts a tree of
/// the messages in `Schema`, with every field of the right kind and no singular field twice.
///
/// - SeeAlso: protobuf.dev, "Encoding".
struct ONNXScan {
  /// Size of the largest ONNX file that is read, in bytes.
  static let fileLimit = 512 << 20
  /// Largest number of fields in the whole file.
  static let fieldLimit = 200_000
  /// Largest number of nodes in the graph, and of initializers.
  static let itemLimit = 4_096
  /// Largest depth of nested messages. The schema has depth 7 and does not recurse, so this only
  /// guards against a mistake in the schema.
  static let depthLimit = 32

  private struct Frame {
    var schema: Schema
    /// Offset of the end of the message.
    var end: Int
    /// Singular fields seen so far, one bit per field number.
    var seen: UInt64 = 0
    var name: StaticString
  }

  private let bytes: [UInt8]
  private var position = 0
  private var fields = 0
  private var nodes = 0
  private var initializers = 0

  /// Throws if the bytes are not an ONNX file that can be read here.
  static func check(_ bytes: [UInt8]) throws(ONNXError) {
    guard bytes.count <= fileLimit else {
      throw .tooLarge(what: "bytes of the ONNX file", found: bytes.count, limit: fileLimit)
    }
    guard !bytes.isEmpty else {
      throw .malformed(offset: 0, field: "model", reason: "the file is empty")
    }
    var scan = ONNXScan(bytes: bytes)
    try scan.walk()
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func walk() throws(ONNXError) {
    var stack = [Frame(schema: .model, end: bytes.count, name: "model")]
    while let top = stack.last {
      if position == top.end {
        stack.removeLast()
        continue
      }
      let start = position
      let tag = try varint(end: top.end, field: top.name)
      guard let number = Int(exactly: tag >> 3), (1..<1 << 29).contains(number) else {
        throw malformed(start, top.name, "field number \(tag >> 3) is outside 1 to 536870911")
      }
      fields += 1
      guard fields <= Self.fieldLimit else {
        throw .tooLarge(what: "fields in the ONNX file", found: fields, limit: Self.fieldLimit)
      }
      let wire = UInt8(truncatingIfNeeded: tag & 7)
      guard let field = top.schema.field(number) else {
        try skip(wire, number: number, start: start, in: top)
        continue
      }
      if !field.isRepeated {
        // All field numbers in the schema are below 64.
        let bit: UInt64 = 1 << UInt64(field.group ?? number)
        guard top.seen & bit == 0 else {
          throw malformed(start, field.name, "a second value, accepted: one")
        }
        stack[stack.count - 1].seen |= bit
      }
      if let inner = try take(field, wire: wire, start: start, in: top) {
        guard stack.count < Self.depthLimit else {
          throw .tooLarge(
            what: "messages inside messages", found: stack.count + 1, limit: Self.depthLimit)
        }
        stack.append(inner)
      }
    }
  }

  /// Skips one field's value. Of a message it skips only the length, and returns the message's
  /// frame.
  private mutating func take(
    _ field: Field, wire: UInt8, start: Int, in frame: Frame
  ) throws(ONNXError) -> Frame? {
    func expect(_ accepted: UInt8...) throws(ONNXError) {
      guard accepted.contains(wire) else {
        throw malformed(start, field.name, "wire type \(wire), expected \(accepted[0])")
      }
    }
    switch field.kind {
    case .varint:
      try expect(0)
      _ = try varint(end: frame.end, field: field.name)
    case .fixed32:
      try expect(5)
      try advance(4, end: frame.end, field: field.name)
    case .string:
      try expect(2)
      try text(end: frame.end, field: field.name)
    case .bytes:
      try expect(2)
      let length = try self.length(end: frame.end, field: field.name)
      position += length
    case .varints:
      try expect(2, 0)
      if wire == 0 {
        _ = try varint(end: frame.end, field: field.name)
      } else {
        let length = try self.length(end: frame.end, field: field.name)
        let end = position + length
        while position < end { _ = try varint(end: end, field: field.name) }
      }
    case .fixed(let width):
      try expect(2, width == 4 ? 5 : 1)
      let length = wire == 2 ? try self.length(end: frame.end, field: field.name) : width
      guard length % width == 0 else {
        throw malformed(start, field.name, "\(length) bytes are not a multiple of \(width)")
      }
      try advance(length, end: frame.end, field: field.name)
    case .message(let schema):
      try expect(2)
      if schema == .node { try count(&nodes, "nodes") }
      if schema == .tensor, frame.schema == .graph { try count(&initializers, "initializers") }
      let length = try self.length(end: frame.end, field: field.name)
      return Frame(schema: schema, end: position + length, name: field.name)
    case .refused:
      throw .unsupported(
        what: "\(field.name) (byte \(start))", accepted: "one graph of plain nodes and tensors")
    }
    return nil
  }

  private func count(_ counter: inout Int, _ what: String) throws(ONNXError) {
    counter += 1
    guard counter <= Self.itemLimit else {
      throw .tooLarge(what: what, found: counter, limit: Self.itemLimit)
    }
  }

  /// Skips a field that is not in the schema.
  private mutating func skip(
    _ wire: UInt8, number: Int, start: Int, in frame: Frame
  ) throws(ONNXError) {
    switch wire {
    case 0: _ = try varint(end: frame.end, field: frame.name)
    case 1: try advance(8, end: frame.end, field: frame.name)
    case 2:
      let length = try self.length(end: frame.end, field: frame.name)
      position += length
    case 5: try advance(4, end: frame.end, field: frame.name)
    default:
      throw malformed(start, frame.name, "field \(number) has wire type \(wire)")
    }
  }

  private mutating func varint(end: Int, field: StaticString) throws(ONNXError) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw malformed(start, field, "ends inside a number") }
      let byte = bytes[position]
      position += 1
      guard shift < 63 || byte <= 1 else { break }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw malformed(start, field, "a number has more than 64 bits")
  }

  /// Reads a length, which must fit the rest of the message.
  private mutating func length(end: Int, field: StaticString) throws(ONNXError) -> Int {
    let start = position
    let length = try varint(end: end, field: field)
    guard length <= UInt64(end - position) else {
      throw malformed(start, field, "needs \(length) bytes, only \(end - position) are left")
    }
    return Int(length)
  }

  private mutating func advance(
    _ count: Int, end: Int, field: StaticString
  ) throws(ONNXError) {
    guard count <= end - position else {
      throw malformed(position, field, "needs \(count) bytes, only \(end - position) are left")
    }
    position += count
  }

  /// Skips text, which must be UTF-8 without NUL.
  private mutating func text(end: Int, field: StaticString) throws(ONNXError) {
    let length = try self.length(end: end, field: field)
    let slice = bytes[position..<position + length]
    guard !slice.contains(0) else { throw malformed(position, field, "text contains a NUL") }
    var decoder = UTF8()
    var iterator = slice.makeIterator()
    decoding: while true {
      switch decoder.decode(&iterator) {
      case .scalarValue: continue
      case .emptyInput: break decoding
      case .error: throw malformed(position, field, "text is not UTF-8")
      }
    }
    position += length
  }

  private func malformed(_ offset: Int, _ field: StaticString, _ reason: String) -> ONNXError {
    .malformed(offset: offset, field: "\(field)", reason: reason)
  }
}
