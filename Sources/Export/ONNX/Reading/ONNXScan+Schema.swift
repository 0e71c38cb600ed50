/// The messages and fields that an ONNX file may contain.
extension ONNXScan {
  /// What a field can hold.
  enum Kind {
    case varint
    case fixed32
    /// UTF-8 without NUL.
    case string
    case bytes
    /// Varints, packed or one by one.
    case varints
    /// Numbers of this many bytes, packed or one by one.
    case fixed(Int)
    case message(Schema)
    /// Part of the format, but not supported here.
    case refused
  }

  struct Field {
    var name: StaticString
    var kind: Kind
    var isRepeated = false
    /// Bit shared by the members of a oneof, since only one of them may occur.
    var group: Int?

    init(_ name: StaticString, _ kind: Kind, repeated: Bool = false, group: Int? = nil) {
      self.name = name
      self.kind = kind
      self.isRepeated = repeated
      self.group = group
    }
  }

  /// The messages of `Sources/Proto/onnx.proto`, with the field numbers of the ONNX format.
  enum Schema {
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
