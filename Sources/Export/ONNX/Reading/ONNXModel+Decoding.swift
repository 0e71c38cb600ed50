import BollyGANModel
internal import BollyGANProto

extension ONNXModel {
  /// Reads an ONNX file.
  ///
  /// The bytes are walked first (lengths, text, nesting, counts), then unpacked within a budget of
  /// twice the file and 16 MiB. What is said about the graph is *not* checked here: its names, its
  /// operators and the sizes of its tensors.
  ///
  /// - Throws: ``ONNXError`` with the place and the reason.
  public init(bytes: [UInt8]) throws(ONNXError) {
    try ONNXScan.check(bytes)
    let limit = 2 * bytes.count + 16 << 20
    let budget = UnpackBudget(bytes: limit)
    self = try unsafe budget.withModel(bytes) { model throws(ONNXError) in
      guard let model = unsafe model else {
        throw .unsupported(
          what: "a file that takes more than \(limit) bytes of memory to read",
          accepted: "twice its own size and 16 MiB")
      }
      return try unsafe ONNXModel(model.pointee)
    }
  }

  private init(_ message: Onnx__ModelProto) throws(ONNXError) {
    guard let graph = unsafe message.graph else {
      throw .malformed(offset: 0, field: "model", reason: "there is no graph in it")
    }
    self.init(
      irVersion: unsafe message.ir_version,
      operatorSets: unsafe list(message.opset_import, message.n_opset_import).map {
        unsafe OperatorSet(domain: copied($0.domain), version: $0.version)
      },
      graph: try unsafe Graph(graph.pointee))
    unsafe producerName = copied(message.producer_name)
    unsafe producerVersion = copied(message.producer_version)
    unsafe domain = copied(message.domain)
    unsafe modelVersion = message.model_version
    unsafe documentation = copied(message.doc_string)
    unsafe metadata = properties(message.metadata_props, message.n_metadata_props)
  }
}

/// A copy of a C string, checked for UTF-8 and NUL by the scan; empty for null.
private func copied(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
  guard let pointer = unsafe pointer else { return "" }
  return unsafe String(cString: pointer)
}

/// The messages that an array of pointers leads to.
private func list<Message>(
  _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ count: Int
) -> [Message] {
  (0..<count).map { unsafe pointers![$0]!.pointee }
}

/// A copy of a C array.
private func array<Element>(_ pointer: UnsafeMutablePointer<Element>?, _ count: Int) -> [Element] {
  unsafe [Element](UnsafeBufferPointer(start: pointer, count: count))
}

private func bytes(_ data: ProtobufCBinaryData) -> [UInt8] { unsafe array(data.data, data.len) }

private func properties(
  _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__StringStringEntryProto>?>?,
  _ count: Int
) -> [ONNXModel.Property] {
  unsafe list(pointers, count).map { unsafe ONNXModel.Property(copied($0.key), copied($0.value)) }
}

extension ONNXModel.Graph {
  fileprivate init(_ message: Onnx__GraphProto) throws(ONNXError) {
    self.init(
      name: unsafe copied(message.name),
      nodes: try unsafe list(message.node, message.n_node).map { node throws(ONNXError) in
        try unsafe ONNXModel.Node(node)
      },
      initializers: try unsafe list(message.initializer, message.n_initializer).map {
        tensor throws(ONNXError) in
        try unsafe ONNXModel.Tensor(tensor)
      },
      inputs: unsafe list(message.input, message.n_input).map { unsafe ONNXModel.Value($0) },
      outputs: unsafe list(message.output, message.n_output).map { unsafe ONNXModel.Value($0) })
    unsafe documentation = copied(message.doc_string)
    intermediates = unsafe list(message.value_info, message.n_value_info).map {
      unsafe ONNXModel.Value($0)
    }
  }
}

extension ONNXModel.Node {
  fileprivate init(_ message: Onnx__NodeProto) throws(ONNXError) {
    let name = unsafe copied(message.name)
    let operatorType = unsafe copied(message.op_type)
    let attributes = try unsafe list(message.attribute, message.n_attribute).map {
      attribute throws(ONNXError) in
      do {
        return try unsafe ONNXModel.Attribute(attribute)
      } catch {
        throw ONNXError.node(name: name, operatorType: operatorType, reason: "\(error)")
      }
    }
    self.init(
      name: name, operatorType: operatorType,
      inputs: unsafe array(message.input, message.n_input).map { unsafe copied($0) },
      outputs: unsafe array(message.output, message.n_output).map { unsafe copied($0) },
      attributes: attributes)
    unsafe domain = copied(message.domain)
  }
}

extension ONNXModel.Attribute {
  /// The value fields that hold something, by the name of their type.
  private static func present(_ message: Onnx__AttributeProto) -> [Kind] {
    var kinds: [Kind] = []
    if unsafe message.has_f != 0 { kinds.append(.float) }
    if unsafe message.has_i != 0 { kinds.append(.int) }
    if unsafe message.has_s != 0 { kinds.append(.string) }
    if unsafe message.t != nil { kinds.append(.tensor) }
    if unsafe message.n_floats > 0 { kinds.append(.floats) }
    if unsafe message.n_ints > 0 { kinds.append(.ints) }
    if unsafe message.n_strings > 0 { kinds.append(.strings) }
    return kinds
  }

  /// The types of attribute that are read, with the numbers of the format.
  private enum Kind: UInt32 {
    case float = 1
    case int = 2
    case string = 3
    case tensor = 4
    case floats = 6
    case ints = 7
    case strings = 8
  }

  fileprivate init(_ message: Onnx__AttributeProto) throws(ONNXError) {
    let name = unsafe copied(message.name)
    let present = unsafe Self.present(message)
    let kind: Kind
    if unsafe message.has_type != 0 {
      guard let stated = unsafe Kind(rawValue: message.type.rawValue) else {
        throw unsafe .unsupported(
          what: "attribute \(quoted(name)) of type \(message.type.rawValue)",
          accepted: "numbers, text, tensors")
      }
      kind = stated
    } else {
      guard let only = present.first else {
        throw .unsupported(what: "attribute \(quoted(name)) without a value", accepted: "one value")
      }
      kind = only
    }
    // Writers of proto3 leave zeros and empty lists out, so nothing at all is a value as well.
    guard present.allSatisfy({ $0 == kind }) else {
      throw .unsupported(
        what: "attribute \(quoted(name)) that says \(kind) and holds \(present)",
        accepted: "one value of the type it says")
    }
    switch kind {
    case .float: self.init(name, unsafe .float(message.f))
    case .int: self.init(name, unsafe .int(message.i))
    case .string: self.init(name, unsafe .string(bytes(message.s)))
    case .tensor:
      guard let tensor = unsafe message.t else {
        throw .unsupported(what: "attribute \(quoted(name)) without its tensor", accepted: "one")
      }
      self.init(name, .tensor(try unsafe ONNXModel.Tensor(tensor.pointee)))
    case .floats: self.init(name, unsafe .floats(array(message.floats, message.n_floats)))
    case .ints: self.init(name, unsafe .ints(array(message.ints, message.n_ints)))
    case .strings:
      self.init(
        name,
        .strings(unsafe array(message.strings, message.n_strings).map { unsafe bytes($0) }))
    }
  }
}

extension ONNXModel.Tensor {
  fileprivate init(_ message: Onnx__TensorProto) throws(ONNXError) {
    let name = unsafe copied(message.name)
    guard let type = unsafe ONNXModel.ElementType(rawValue: message.data_type) else {
      throw unsafe .tensor(name: name, reason: "element type \(message.data_type) is not known")
    }
    var contents: [Contents] = []
    if unsafe message.data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL {
      contents.append(
        unsafe .external(properties(message.external_data, message.n_external_data)))
    } else if unsafe message.n_external_data > 0 {
      throw .tensor(name: name, reason: "describes external data but says that it has none")
    }
    if unsafe message.has_raw_data != 0 { contents.append(unsafe .raw(bytes(message.raw_data))) }
    if unsafe message.n_float_data > 0 {
      contents.append(unsafe .floats(array(message.float_data, message.n_float_data)))
    }
    if unsafe message.n_int32_data > 0 {
      contents.append(unsafe .int32s(array(message.int32_data, message.n_int32_data)))
    }
    if unsafe message.n_int64_data > 0 {
      contents.append(unsafe .int64s(array(message.int64_data, message.n_int64_data)))
    }
    if unsafe message.n_double_data > 0 {
      contents.append(unsafe .doubles(array(message.double_data, message.n_double_data)))
    }
    if unsafe message.n_uint64_data > 0 {
      contents.append(unsafe .uint64s(array(message.uint64_data, message.n_uint64_data)))
    }
    // An empty raw_data beside typed data is what some writers leave behind.
    if contents.count == 2, case .raw(let bytes) = contents[0], bytes.isEmpty {
      contents.removeFirst()
    }
    guard contents.count <= 1 else {
      throw .tensor(name: name, reason: "holds its numbers twice")
    }
    self.init(
      name: name, type: type, dimensions: unsafe array(message.dims, message.n_dims),
      contents: contents.first ?? .raw([]))
  }
}

extension ONNXModel.Value {
  fileprivate init(_ message: Onnx__ValueInfoProto) {
    self.init(name: unsafe copied(message.name), type: nil, dimensions: nil)
    unsafe documentation = copied(message.doc_string)
    guard let type = unsafe message.type else { return }
    unsafe denotation = copied(type.pointee.denotation)
    guard unsafe type.pointee.value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE,
      let tensor = unsafe type.pointee.tensor_type
    else { return }
    self.type = unsafe ONNXModel.ElementType(rawValue: tensor.pointee.elem_type)
    guard let shape = unsafe tensor.pointee.shape else { return }
    dimensions = unsafe list(shape.pointee.dim, shape.pointee.n_dim).map {
      unsafe ONNXModel.Dimension($0)
    }
  }
}

extension ONNXModel.Dimension {
  fileprivate init(_ message: Onnx__TensorShapeProto__Dimension) {
    let length: Length
    switch unsafe message.value_case {
    case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE:
      length = unsafe .fixed(message.dim_value)
    case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
      length = unsafe .named(copied(message.dim_param))
    default:
      length = .unknown
    }
    self.init(length, denotation: unsafe copied(message.denotation))
  }
}
