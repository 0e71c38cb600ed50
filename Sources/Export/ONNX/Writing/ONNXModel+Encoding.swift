internal import BollyGANMessages
import BollyGANModel

// Writes ONNX models as protobuf messages.

extension ONNXModel {
  /// The bytes of the ONNX file. The same model always gives the same bytes.
  ///
  /// - Throws: ``ONNXError`` if a name contains a NUL, at which readers would cut it, or if the
  ///   file would reach 2 GiB, the limit of the format.
  public func encoded() throws(ONNXError) -> [UInt8] {
    try checkNames()
    let message = ProtoMessage(.onnxModel)
    fill(message)
    let size = message.encodedSize
    guard size < 1 << 31 else {
      throw .tooLarge(what: "bytes of the ONNX file", found: size, limit: 1 << 31 - 1)
    }
    return message.encoded()
  }

  /// Refuses names that would be cut when they are read back.
  private func checkNames() throws(ONNXError) {
    func check(_ texts: [String], _ field: String) throws(ONNXError) {
      for text in texts where text.utf8.contains(0) {
        throw .unsupported(
          what: "\(field) \(quoted(text)) with a NUL", accepted: "text without NUL")
      }
    }
    try check(
      [producerName, producerVersion, domain, documentation, graph.name, graph.documentation],
      "text")
    try check(metadata.flatMap { [$0.key, $0.value] }, "metadata")
    try check(operatorSets.map(\.domain), "operator set")
    for node in graph.nodes {
      try check([node.name, node.operatorType, node.domain], "node")
      try check(node.inputs + node.outputs, "value")
      try check(node.attributes.map(\.name), "attribute")
    }
    try check(graph.initializers.map(\.name), "initializer")
    for value in graph.inputs + graph.outputs + graph.intermediates {
      try check([value.name, value.denotation, value.documentation], "value")
      for dimension in value.dimensions ?? [] {
        try check([dimension.denotation], "dimension")
        if case .named(let name) = dimension.length { try check([name], "dimension") }
      }
    }
  }
}

extension ONNXModel.Tensor {
  /// The bytes of a `TensorProto` file, in which ONNX keeps test data beside a model.
  public func encoded() -> [UInt8] {
    let message = ProtoMessage(.onnxTensor)
    fill(message)
    return message.encoded()
  }
}

extension ONNXModel {
  fileprivate func fill(_ message: ProtoMessage) {
    message.set("ir_version", irVersion)
    message.set("producer_name", ifAny: producerName)
    message.set("producer_version", ifAny: producerVersion)
    message.set("domain", ifAny: domain)
    if modelVersion != 0 { message.set("model_version", modelVersion) }
    message.set("doc_string", ifAny: documentation)
    message.set("graph", fill: graph.fill)
    message.set("opset_import", operatorSets) { set, message in
      // Written even when it is empty: older checkers require it.
      message.set("domain", set.domain)
      message.set("version", set.version)
    }
    message.set("metadata_props", metadata) { $0.fill($1) }
  }
}

extension ONNXModel.Property {
  fileprivate func fill(_ message: ProtoMessage) {
    message.set("key", key)
    message.set("value", value)
  }
}

extension ONNXModel.Graph {
  fileprivate func fill(_ message: ProtoMessage) {
    message.set("name", ifAny: name)
    message.set("doc_string", ifAny: documentation)
    message.set("node", nodes) { $0.fill($1) }
    message.set("initializer", initializers) { $0.fill($1) }
    message.set("input", inputs) { $0.fill($1) }
    message.set("output", outputs) { $0.fill($1) }
    message.set("value_info", intermediates) { $0.fill($1) }
  }
}

extension ONNXModel.Node {
  fileprivate func fill(_ message: ProtoMessage) {
    message.set("input", inputs)
    message.set("output", outputs)
    message.set("name", ifAny: name)
    message.set("op_type", operatorType)
    message.set("domain", ifAny: domain)
    message.set("attribute", attributes) { $0.fill($1) }
  }
}

extension ONNXModel.Attribute {
  fileprivate func fill(_ message: ProtoMessage) {
    message.set("name", name)
    switch value {
    case .float(let value):
      message.set("type", choice: "FLOAT")
      message.set("f", value)
    case .int(let value):
      message.set("type", choice: "INT")
      message.set("i", value)
    case .string(let value):
      message.set("type", choice: "STRING")
      message.set("s", value)
    case .tensor(let value):
      message.set("type", choice: "TENSOR")
      message.set("t", fill: value.fill)
    case .floats(let values):
      message.set("type", choice: "FLOATS")
      message.set("floats", values)
    case .ints(let values):
      message.set("type", choice: "INTS")
      message.set("ints", values)
    case .strings(let values):
      message.set("type", choice: "STRINGS")
      message.set("strings", values)
    }
  }
}

extension ONNXModel.Tensor {
  fileprivate func fill(_ message: ProtoMessage) {
    message.set("dims", dimensions)
    message.set("data_type", type.rawValue)
    message.set("name", ifAny: name)
    switch contents {
    case .raw(let bytes): message.set("raw_data", bytes)
    case .floats(let values): message.set("float_data", values)
    case .int32s(let values): message.set("int32_data", values)
    case .int64s(let values): message.set("int64_data", values)
    case .doubles(let values): message.set("double_data", values)
    case .uint64s(let values): message.set("uint64_data", values)
    case .external(let entries):
      message.set("data_location", choice: "EXTERNAL")
      message.set("external_data", entries) { $0.fill($1) }
    }
  }
}

extension ONNXModel.Value {
  fileprivate func fill(_ message: ProtoMessage) {
    message.set("name", name)
    message.set("doc_string", ifAny: documentation)
    guard let type else { return }
    message.set("type") { message in
      message.set("denotation", ifAny: denotation)
      message.set("tensor_type") { message in
        message.set("elem_type", type.rawValue)
        guard let dimensions else { return }
        message.set("shape") { $0.set("dim", dimensions) { $0.fill($1) } }
      }
    }
  }
}

extension ONNXModel.Dimension {
  fileprivate func fill(_ message: ProtoMessage) {
    switch length {
    case .fixed(let length): message.set("dim_value", length)
    case .named(let name): message.set("dim_param", name)
    case .unknown: break
    }
    message.set("denotation", ifAny: denotation)
  }
}
