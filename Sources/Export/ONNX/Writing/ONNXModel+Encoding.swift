internal import BollyGANMessages
import BollyGANModel
internal import BollyGANProto

extension ONNXModel {
  /// The bytes of the file: the same model gives the same bytes.
  ///
  /// - Throws: ``ONNXError`` where a name holds a NUL, which readers would cut, or where the file
  ///   would be 2 GiB or more, which the format cannot hold.
  public func encoded() throws(ONNXError) -> [UInt8] {
    try checkNames()
    var arena = MessageArena()
    let message = unsafe arena.model(self)
    let size = unsafe onnx__model_proto__get_packed_size(message)
    guard size < 1 << 31 else {
      throw .tooLarge(what: "bytes of the ONNX file", found: size, limit: 1 << 31 - 1)
    }
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = unsafe onnx__model_proto__pack(message, buffer.baseAddress)
    }
  }

  /// Refuses names that would come back shorter.
  private func checkNames() throws(ONNXError) {
    func check(_ texts: [String], _ field: String) throws(ONNXError) {
      for text in texts where text.utf8.contains(0) {
        throw .unsupported(what: "\(field) \(quoted(text)) with a NUL", accepted: "text without")
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
  /// The bytes of a file that holds this tensor alone, as test data lies beside models.
  public func encoded() -> [UInt8] {
    var arena = MessageArena()
    let message = unsafe arena.tensor(self)
    return unsafe [UInt8](
      unsafeUninitializedCapacity: onnx__tensor_proto__get_packed_size(message)
    ) { buffer, count in
      count = unsafe onnx__tensor_proto__pack(message, buffer.baseAddress)
    }
  }
}

extension MessageArena {
  fileprivate mutating func model(_ model: ONNXModel) -> UnsafeMutablePointer<Onnx__ModelProto> {
    let message = unsafe self.message(onnx__model_proto__init)
    unsafe message.pointee.has_ir_version = 1
    unsafe message.pointee.ir_version = model.irVersion
    unsafe message.pointee.producer_name = copyIfAny(model.producerName)
    unsafe message.pointee.producer_version = copyIfAny(model.producerVersion)
    unsafe message.pointee.domain = copyIfAny(model.domain)
    if model.modelVersion != 0 {
      unsafe message.pointee.has_model_version = 1
      unsafe message.pointee.model_version = model.modelVersion
    }
    unsafe message.pointee.doc_string = copyIfAny(model.documentation)
    unsafe message.pointee.graph = graph(model.graph)
    let sets = unsafe model.operatorSets.map { unsafe Optional(operatorSet($0)) }
    unsafe message.pointee.n_opset_import = unsafe sets.count
    unsafe message.pointee.opset_import = array(sets)
    let properties = unsafe model.metadata.map { unsafe Optional(property($0)) }
    unsafe message.pointee.n_metadata_props = unsafe properties.count
    unsafe message.pointee.metadata_props = array(properties)
    return unsafe message
  }

  private mutating func operatorSet(
    _ set: ONNXModel.OperatorSet
  ) -> UnsafeMutablePointer<Onnx__OperatorSetIdProto> {
    let message = unsafe self.message(onnx__operator_set_id_proto__init)
    // Written even where it is empty: older checkers ask for it.
    unsafe message.pointee.domain = copy(set.domain)
    unsafe message.pointee.has_version = 1
    unsafe message.pointee.version = set.version
    return unsafe message
  }

  private mutating func property(
    _ property: ONNXModel.Property
  ) -> UnsafeMutablePointer<Onnx__StringStringEntryProto> {
    let message = unsafe self.message(onnx__string_string_entry_proto__init)
    unsafe message.pointee.key = copy(property.key)
    unsafe message.pointee.value = copy(property.value)
    return unsafe message
  }

  private mutating func graph(_ graph: ONNXModel.Graph) -> UnsafeMutablePointer<Onnx__GraphProto> {
    let message = unsafe self.message(onnx__graph_proto__init)
    unsafe message.pointee.name = copyIfAny(graph.name)
    unsafe message.pointee.doc_string = copyIfAny(graph.documentation)
    let nodes = unsafe graph.nodes.map { unsafe Optional(node($0)) }
    unsafe message.pointee.n_node = unsafe nodes.count
    unsafe message.pointee.node = array(nodes)
    let initializers = unsafe graph.initializers.map { unsafe Optional(tensor($0)) }
    unsafe message.pointee.n_initializer = unsafe initializers.count
    unsafe message.pointee.initializer = array(initializers)
    let inputs = unsafe graph.inputs.map { unsafe Optional(value($0)) }
    unsafe message.pointee.n_input = unsafe inputs.count
    unsafe message.pointee.input = array(inputs)
    let outputs = unsafe graph.outputs.map { unsafe Optional(value($0)) }
    unsafe message.pointee.n_output = unsafe outputs.count
    unsafe message.pointee.output = array(outputs)
    let intermediates = unsafe graph.intermediates.map { unsafe Optional(value($0)) }
    unsafe message.pointee.n_value_info = unsafe intermediates.count
    unsafe message.pointee.value_info = array(intermediates)
    return unsafe message
  }

  private mutating func node(_ node: ONNXModel.Node) -> UnsafeMutablePointer<Onnx__NodeProto> {
    let message = unsafe self.message(onnx__node_proto__init)
    let inputs = unsafe node.inputs.map { unsafe Optional(copy($0)) }
    unsafe message.pointee.n_input = unsafe inputs.count
    unsafe message.pointee.input = array(inputs)
    let outputs = unsafe node.outputs.map { unsafe Optional(copy($0)) }
    unsafe message.pointee.n_output = unsafe outputs.count
    unsafe message.pointee.output = array(outputs)
    unsafe message.pointee.name = copyIfAny(node.name)
    unsafe message.pointee.op_type = copy(node.operatorType)
    unsafe message.pointee.domain = copyIfAny(node.domain)
    let attributes = unsafe node.attributes.map { unsafe Optional(attribute($0)) }
    unsafe message.pointee.n_attribute = unsafe attributes.count
    unsafe message.pointee.attribute = array(attributes)
    return unsafe message
  }

  private mutating func attribute(
    _ attribute: ONNXModel.Attribute
  ) -> UnsafeMutablePointer<Onnx__AttributeProto> {
    let message = unsafe self.message(onnx__attribute_proto__init)
    unsafe message.pointee.name = copy(attribute.name)
    unsafe message.pointee.has_type = 1
    switch attribute.value {
    case .float(let value):
      unsafe message.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT
      unsafe message.pointee.has_f = 1
      unsafe message.pointee.f = value
    case .int(let value):
      unsafe message.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT
      unsafe message.pointee.has_i = 1
      unsafe message.pointee.i = value
    case .string(let value):
      unsafe message.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING
      unsafe message.pointee.has_s = 1
      unsafe message.pointee.s = copy(value)
    case .tensor(let value):
      unsafe message.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR
      unsafe message.pointee.t = tensor(value)
    case .floats(let values):
      unsafe message.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS
      unsafe message.pointee.n_floats = values.count
      unsafe message.pointee.floats = array(values)
    case .ints(let values):
      unsafe message.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
      unsafe message.pointee.n_ints = values.count
      unsafe message.pointee.ints = array(values)
    case .strings(let values):
      unsafe message.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS
      let strings = unsafe values.map { unsafe copy($0) }
      unsafe message.pointee.n_strings = unsafe strings.count
      unsafe message.pointee.strings = array(strings)
    }
    return unsafe message
  }

  fileprivate mutating func tensor(
    _ tensor: ONNXModel.Tensor
  ) -> UnsafeMutablePointer<Onnx__TensorProto> {
    let message = unsafe self.message(onnx__tensor_proto__init)
    unsafe message.pointee.n_dims = tensor.dimensions.count
    unsafe message.pointee.dims = array(tensor.dimensions)
    unsafe message.pointee.has_data_type = 1
    unsafe message.pointee.data_type = tensor.type.rawValue
    unsafe message.pointee.name = copyIfAny(tensor.name)
    switch tensor.contents {
    case .raw(let bytes):
      unsafe message.pointee.has_raw_data = 1
      unsafe message.pointee.raw_data = copy(bytes)
    case .floats(let values):
      unsafe message.pointee.n_float_data = values.count
      unsafe message.pointee.float_data = array(values)
    case .int32s(let values):
      unsafe message.pointee.n_int32_data = values.count
      unsafe message.pointee.int32_data = array(values)
    case .int64s(let values):
      unsafe message.pointee.n_int64_data = values.count
      unsafe message.pointee.int64_data = array(values)
    case .doubles(let values):
      unsafe message.pointee.n_double_data = values.count
      unsafe message.pointee.double_data = array(values)
    case .uint64s(let values):
      unsafe message.pointee.n_uint64_data = values.count
      unsafe message.pointee.uint64_data = array(values)
    case .external(let entries):
      unsafe message.pointee.has_data_location = 1
      unsafe message.pointee.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
      let pairs = unsafe entries.map { unsafe Optional(property($0)) }
      unsafe message.pointee.n_external_data = unsafe pairs.count
      unsafe message.pointee.external_data = array(pairs)
    }
    return unsafe message
  }

  private mutating func value(
    _ value: ONNXModel.Value
  ) -> UnsafeMutablePointer<Onnx__ValueInfoProto> {
    let message = unsafe self.message(onnx__value_info_proto__init)
    unsafe message.pointee.name = copy(value.name)
    unsafe message.pointee.doc_string = copyIfAny(value.documentation)
    if let elementType = value.type {
      let tensor = unsafe self.message(onnx__type_proto__tensor__init)
      unsafe tensor.pointee.has_elem_type = 1
      unsafe tensor.pointee.elem_type = elementType.rawValue
      if let dimensions = value.dimensions {
        let shape = unsafe self.message(onnx__tensor_shape_proto__init)
        let axes = unsafe dimensions.map { unsafe Optional(dimension($0)) }
        unsafe shape.pointee.n_dim = unsafe axes.count
        unsafe shape.pointee.dim = array(axes)
        unsafe tensor.pointee.shape = unsafe shape
      }
      let type = unsafe self.message(onnx__type_proto__init)
      unsafe type.pointee.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
      unsafe type.pointee.tensor_type = unsafe tensor
      unsafe type.pointee.denotation = copyIfAny(value.denotation)
      unsafe message.pointee.type = unsafe type
    }
    return unsafe message
  }

  private mutating func dimension(
    _ dimension: ONNXModel.Dimension
  ) -> UnsafeMutablePointer<Onnx__TensorShapeProto__Dimension> {
    let message = unsafe self.message(onnx__tensor_shape_proto__dimension__init)
    switch dimension.length {
    case .fixed(let length):
      unsafe message.pointee.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
      unsafe message.pointee.dim_value = length
    case .named(let name):
      unsafe message.pointee.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
      unsafe message.pointee.dim_param = copy(name)
    case .unknown:
      break
    }
    unsafe message.pointee.denotation = copyIfAny(dimension.denotation)
    return unsafe message
  }
}
