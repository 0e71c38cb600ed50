internal import BollyGANMessages
import BollyGANModel

// Reads ONNX models from protobuf messages, after ONNXScan has checked the bytes.

extension ONNXModel {
  /// Reads an ONNX file.
  ///
  /// `ONNXScan` checks the bytes first (lengths, text, nesting, counts); then they are unpacked
  /// into at most twice the size of the file and 16 MiB. The meaning of the graph is *not* checked
  /// here: its names, its operators and the sizes of its tensors.
  ///
  /// - Throws: ``ONNXError`` with the place and the reason.
  public init(bytes: [UInt8]) throws(ONNXError) {
    try ONNXScan.check(bytes)
    let limit = 2 * bytes.count + 16 << 20
    guard let message = ProtoMessage(.onnxModel, unpacking: bytes, limit: limit) else {
      throw .unsupported(
        what: "a file that needs more than \(limit) bytes of memory to read",
        accepted: "twice the size of the file and 16 MiB")
    }
    guard let graph = message.message("graph") else {
      throw .malformed(offset: 0, field: "model", reason: "it has no graph")
    }
    self.init(
      irVersion: message.number("ir_version") ?? 0,
      operatorSets: message.messages("opset_import").map {
        OperatorSet(domain: $0.text("domain"), version: $0.number("version") ?? 0)
      },
      graph: try Graph(graph))
    producerName = message.text("producer_name")
    producerVersion = message.text("producer_version")
    domain = message.text("domain")
    modelVersion = message.number("model_version") ?? 0
    documentation = message.text("doc_string")
    metadata = message.messages("metadata_props").map(Property.init)
  }
}

extension ONNXModel.Property {
  fileprivate init(_ message: ProtoMessage) {
    self.init(message.text("key"), message.text("value"))
  }
}

extension ONNXModel.Graph {
  fileprivate init(_ message: ProtoMessage) throws(ONNXError) {
    self.init(
      name: message.text("name"),
      nodes: try message.messages("node").map(ONNXModel.Node.init),
      initializers: try message.messages("initializer").map(ONNXModel.Tensor.init),
      inputs: message.messages("input").map(ONNXModel.Value.init),
      outputs: message.messages("output").map(ONNXModel.Value.init))
    documentation = message.text("doc_string")
    intermediates = message.messages("value_info").map(ONNXModel.Value.init)
  }
}

extension ONNXModel.Node {
  fileprivate init(_ message: ProtoMessage) throws(ONNXError) {
    let name = message.text("name")
    let operatorType = message.text("op_type")
    let attributes = try message.messages("attribute").map { attribute throws(ONNXError) in
      do {
        return try ONNXModel.Attribute(attribute)
      } catch {
        throw ONNXError.node(name: name, operatorType: operatorType, reason: "\(error)")
      }
    }
    self.init(
      name: name, operatorType: operatorType, inputs: message.texts("input"),
      outputs: message.texts("output"), attributes: attributes)
    domain = message.text("domain")
  }
}

extension ONNXModel.Attribute {
  /// The types of attribute that are read, with their numbers in the format.
  private enum Kind: UInt32, CaseIterable {
    case float = 1
    case int = 2
    case string = 3
    case tensor = 4
    case floats = 6
    case ints = 7
    case strings = 8

    /// The field that holds a value of this type.
    var field: String {
      switch self {
      case .float: "f"
      case .int: "i"
      case .string: "s"
      case .tensor: "t"
      case .floats: "floats"
      case .ints: "ints"
      case .strings: "strings"
      }
    }
  }

  fileprivate init(_ message: ProtoMessage) throws(ONNXError) {
    let name = message.text("name")
    let present = Kind.allCases.filter { message.isSet($0.field) }
    let stated: UInt32? = message.number("type")
    guard let kind = stated.map(Kind.init) ?? present.first else {
      throw .unsupported(
        what: "attribute \(quoted(name)) " + (stated.map { "of type \($0)" } ?? "without a value"),
        accepted: stated == nil ? "one value" : "numbers, text, tensors")
    }
    // Writers of proto3 leave out zeros and empty lists, so a type without a value is valid.
    guard present.allSatisfy({ $0 == kind }) else {
      throw .unsupported(
        what: "attribute \(quoted(name)) of declared type \(kind) with values of \(present)",
        accepted: "one value of the declared type")
    }
    switch kind {
    case .float: self.init(name, .float(message.number(kind.field) ?? 0))
    case .int: self.init(name, .int(message.number(kind.field) ?? 0))
    case .string: self.init(name, .string(message.bytes(kind.field) ?? []))
    case .tensor:
      guard let tensor = message.message(kind.field) else {
        throw .unsupported(
          what: "attribute \(quoted(name)) without a tensor", accepted: "one tensor")
      }
      self.init(name, .tensor(try ONNXModel.Tensor(tensor)))
    case .floats: self.init(name, .floats(message.numbers(kind.field)))
    case .ints: self.init(name, .ints(message.numbers(kind.field)))
    case .strings: self.init(name, .strings(message.items(kind.field)))
    }
  }
}

extension ONNXModel.Tensor {
  fileprivate init(_ message: ProtoMessage) throws(ONNXError) {
    let name = message.text("name")
    let number: Int32 = message.number("data_type") ?? 0
    guard let type = ONNXModel.ElementType(rawValue: number) else {
      throw .tensor(name: name, reason: "element type \(number) is unknown")
    }
    var contents: [Contents] = []
    if message.holds("data_location", choice: "EXTERNAL") {
      contents.append(
        .external(message.messages("external_data").map(ONNXModel.Property.init)))
    } else if message.isSet("external_data") {
      throw .tensor(name: name, reason: "describes external data but does not declare any")
    }
    if let bytes = message.bytes("raw_data") { contents.append(.raw(bytes)) }
    if message.isSet("float_data") { contents.append(.floats(message.numbers("float_data"))) }
    if message.isSet("int32_data") { contents.append(.int32s(message.numbers("int32_data"))) }
    if message.isSet("int64_data") { contents.append(.int64s(message.numbers("int64_data"))) }
    if message.isSet("double_data") { contents.append(.doubles(message.numbers("double_data"))) }
    if message.isSet("uint64_data") { contents.append(.uint64s(message.numbers("uint64_data"))) }
    // Some writers leave an empty raw_data beside typed data.
    if contents.count == 2, case .raw(let bytes) = contents[0], bytes.isEmpty {
      contents.removeFirst()
    }
    guard contents.count <= 1 else {
      throw .tensor(name: name, reason: "has numbers in more than one field")
    }
    self.init(
      name: name, type: type, dimensions: message.numbers("dims"),
      contents: contents.first ?? .raw([]))
  }
}

extension ONNXModel.Value {
  fileprivate init(_ message: ProtoMessage) {
    self.init(name: message.text("name"), type: nil, dimensions: nil)
    documentation = message.text("doc_string")
    guard let type = message.message("type") else { return }
    denotation = type.text("denotation")
    guard let tensor = type.message("tensor_type") else { return }
    self.type = ONNXModel.ElementType(rawValue: tensor.number("elem_type") ?? 0)
    dimensions = tensor.message("shape")?.messages("dim").map(ONNXModel.Dimension.init)
  }
}

extension ONNXModel.Dimension {
  fileprivate init(_ message: ProtoMessage) {
    let length: Length =
      if let length: Int64 = message.number("dim_value") {
        .fixed(length)
      } else if message.isSet("dim_param") {
        .named(message.text("dim_param"))
      } else {
        .unknown
      }
    self.init(length, denotation: message.text("denotation"))
  }
}
