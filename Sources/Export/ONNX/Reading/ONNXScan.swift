/// Walks the bytes of an ONNX file before protobuf-c sees them.
///
/// protobuf-c is a careful parser of the wire format, but it cuts strings at a NUL, takes the last
/// of two values of one field, and takes memory before it knows whether the rest of the file makes
/// sense. The walk is iterative and takes no memory that depends on the file; what it lets through
/// is a tree of the messages below, each field of the right kind, nothing twice that may come once.
///
/// - SeeAlso: protobuf.dev, "Encoding".
struct ONNXScan {
  /// Bytes of an ONNX file that are read at all.
  static let fileLimit = 512 << 20
  /// Fields in the whole file.
  static let fieldLimit = 200_000
  /// Nodes in the graph, and initializers.
  static let itemLimit = 4_096
  /// Messages inside messages. The schema below needs 7; it does not recurse, so this cannot be
  /// reached unless somebody makes it.
  static let depthLimit = 32

  private struct Frame {
    var schema: Schema
    /// Where the message ends.
    var end: Int
    /// A bit for each singular field seen, by number.
    var seen: UInt64 = 0
    var name: StaticString
  }

  private let bytes: [UInt8]
  private var position = 0
  private var fields = 0
  private var nodes = 0
  private var initializers = 0

  /// Throws where the bytes are no ONNX file that can be read here.
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
        // All numbers of the schema are below 64.
        let bit: UInt64 = 1 << UInt64(field.group ?? number)
        guard top.seen & bit == 0 else {
          throw malformed(start, field.name, "a second value, where one is allowed")
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

  /// Passes over one field's value; for a message only its length, and gives its frame.
  private mutating func take(
    _ field: Field, wire: UInt8, start: Int, in frame: Frame
  ) throws(ONNXError) -> Frame? {
    func expect(_ accepted: UInt8...) throws(ONNXError) {
      guard accepted.contains(wire) else {
        throw malformed(start, field.name, "wire type \(wire), not \(accepted[0])")
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
        throw malformed(start, field.name, "\(length) bytes are no multiple of \(width)")
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

  /// A field that the schema does not have.
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
    throw malformed(start, field, "a number of more than 64 bits")
  }

  /// A length that fits into what is left of the message.
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

  /// Text without NUL, in UTF-8.
  private mutating func text(end: Int, field: StaticString) throws(ONNXError) {
    let length = try self.length(end: end, field: field)
    let slice = bytes[position..<position + length]
    guard !slice.contains(0) else { throw malformed(position, field, "text with a NUL in it") }
    var decoder = UTF8()
    var iterator = slice.makeIterator()
    decoding: while true {
      switch decoder.decode(&iterator) {
      case .scalarValue: continue
      case .emptyInput: break decoding
      case .error: throw malformed(position, field, "text that is not UTF-8")
      }
    }
    position += length
  }

  private func malformed(_ offset: Int, _ field: StaticString, _ reason: String) -> ONNXError {
    .malformed(offset: offset, field: "\(field)", reason: reason)
  }
}

extension ONNXScan {
  /// What a field may hold.
  private enum Kind {
    case varint
    case fixed32
    /// UTF-8 without NUL.
    case string
    case bytes
    /// Several varints, packed or one by one.
    case varints
    /// Several numbers of this many bytes, packed or one by one.
    case fixed(Int)
    case message(Schema)
    /// Part of the format, but not of what is read here.
    case refused
  }

  private struct Field {
    var name: StaticString
    var kind: Kind
    var isRepeated = false
    /// Bit that members of a oneof share, so that only one of them may be there.
    var group: Int?

    init(_ name: StaticString, _ kind: Kind, repeated: Bool = false, group: Int? = nil) {
      self.name = name
      self.kind = kind
      self.isRepeated = repeated
      self.group = group
    }
  }

  /// The messages of `Sources/Proto/onnx.proto`.
  private enum Schema {
    case model, operatorSet, property, graph, node, attribute, tensor, value, type, tensorType
    case shape, dimension

    func field(_ number: Int) -> Field? {
      switch self {
      case .model:
        switch number {
        case 1: Field("ir_version", .varint)
        case 2: Field("producer_name", .string)
        case 3: Field("producer_version", .string)
        case 4: Field("domain", .string)
        case 5: Field("model_version", .varint)
        case 6: Field("doc_string", .string)
        case 7: Field("graph", .message(.graph))
        case 8: Field("opset_import", .message(.operatorSet), repeated: true)
        case 14: Field("metadata_props", .message(.property), repeated: true)
        case 20: Field("training_info", .refused)
        case 25: Field("functions", .refused)
        default: nil
        }
      case .operatorSet:
        switch number {
        case 1: Field("opset_import.domain", .string)
        case 2: Field("opset_import.version", .varint)
        default: nil
        }
      case .property:
        switch number {
        case 1: Field("key", .string)
        case 2: Field("value", .string)
        default: nil
        }
      case .graph:
        switch number {
        case 1: Field("graph.node", .message(.node), repeated: true)
        case 2: Field("graph.name", .string)
        case 5: Field("graph.initializer", .message(.tensor), repeated: true)
        case 10: Field("graph.doc_string", .string)
        case 11: Field("graph.input", .message(.value), repeated: true)
        case 12: Field("graph.output", .message(.value), repeated: true)
        case 13: Field("graph.value_info", .message(.value), repeated: true)
        case 15: Field("graph.sparse_initializer", .refused)
        default: nil
        }
      case .node:
        switch number {
        case 1: Field("node.input", .string, repeated: true)
        case 2: Field("node.output", .string, repeated: true)
        case 3: Field("node.name", .string)
        case 4: Field("node.op_type", .string)
        case 5: Field("node.attribute", .message(.attribute), repeated: true)
        case 6: Field("node.doc_string", .string)
        case 7: Field("node.domain", .string)
        case 8: Field("node.overload", .string)
        default: nil
        }
      case .attribute:
        switch number {
        case 1: Field("attribute.name", .string)
        case 2: Field("attribute.f", .fixed32)
        case 3: Field("attribute.i", .varint)
        case 4: Field("attribute.s", .bytes)
        case 5: Field("attribute.t", .message(.tensor))
        case 6: Field("attribute.g (a subgraph)", .refused)
        case 7: Field("attribute.floats", .fixed(4), repeated: true)
        case 8: Field("attribute.ints", .varints, repeated: true)
        case 9: Field("attribute.strings", .bytes, repeated: true)
        case 10: Field("attribute.tensors", .refused)
        case 11: Field("attribute.graphs (subgraphs)", .refused)
        case 13: Field("attribute.doc_string", .string)
        case 14, 15: Field("attribute.tp (a type)", .refused)
        case 20: Field("attribute.type", .varint)
        case 21: Field("attribute.ref_attr_name", .string)
        case 22, 23: Field("attribute.sparse_tensor", .refused)
        default: nil
        }
      case .tensor:
        switch number {
        case 1: Field("tensor.dims", .varints, repeated: true)
        case 2: Field("tensor.data_type", .varint)
        case 3: Field("tensor.segment", .refused)
        case 4: Field("tensor.float_data", .fixed(4), repeated: true)
        case 5: Field("tensor.int32_data", .varints, repeated: true)
        case 6: Field("tensor.string_data", .refused)
        case 7: Field("tensor.int64_data", .varints, repeated: true)
        case 8: Field("tensor.name", .string)
        case 9: Field("tensor.raw_data", .bytes)
        case 10: Field("tensor.double_data", .fixed(8), repeated: true)
        case 11: Field("tensor.uint64_data", .varints, repeated: true)
        case 12: Field("tensor.doc_string", .string)
        case 13: Field("tensor.external_data", .message(.property), repeated: true)
        case 14: Field("tensor.data_location", .varint)
        default: nil
        }
      case .value:
        switch number {
        case 1: Field("value.name", .string)
        case 2: Field("value.type", .message(.type))
        case 3: Field("value.doc_string", .string)
        default: nil
        }
      case .type:
        switch number {
        case 1: Field("type.tensor_type", .message(.tensorType))
        case 4, 5, 7, 8, 9: Field("type (not of a dense tensor)", .refused)
        case 6: Field("type.denotation", .string)
        default: nil
        }
      case .tensorType:
        switch number {
        case 1: Field("tensor_type.elem_type", .varint)
        case 2: Field("tensor_type.shape", .message(.shape))
        default: nil
        }
      case .shape:
        number == 1 ? Field("shape.dim", .message(.dimension), repeated: true) : nil
      case .dimension:
        switch number {
        case 1: Field("dim.dim_value", .varint, group: 1)
        case 2: Field("dim.dim_param", .string, group: 1)
        case 3: Field("dim.denotation", .string)
        default: nil
        }
      }
    }
  }
}
