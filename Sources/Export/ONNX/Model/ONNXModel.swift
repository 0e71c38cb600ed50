import BollyGANModel

/// An ONNX file as Swift values: one graph of operators, its constants and its metadata.
///
/// Only what a DCGAN needs is represented. Files with more (functions, subgraphs, sparse tensors)
/// are refused by name when they are read.
///
/// - SeeAlso: ONNX's `docs/IR.md`, whose field names are kept unless Swift has a better word.
public struct ONNXModel: Equatable, Sendable {
  /// A version of an operator set; the empty domain is ONNX's own.
  public struct OperatorSet: Equatable, Sendable {
    /// Namespace of the operators.
    public var domain: String
    /// Version of the set; 17 is ONNX 1.12.
    public var version: Int64

    /// A version of an operator set.
    public init(domain: String = "", version: Int64) {
      self.domain = domain
      self.version = version
    }
  }

  /// A key and a value of the model's metadata.
  public struct Property: Equatable, Sendable {
    /// The key, such as `model_author`.
    public var key: String
    /// The value, free text.
    public var value: String

    /// A key and its value.
    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// Version of the container format; 8 is ONNX 1.12.
  public var irVersion: Int64
  /// Operator sets that the nodes use.
  public var operatorSets: [OperatorSet]
  /// The program that wrote the file.
  public var producerName = ""
  /// That program's version.
  public var producerVersion = ""
  /// Namespace of the model.
  public var domain = ""
  /// Version of the model itself; 0 is not written.
  public var modelVersion: Int64 = 0
  /// Documentation in Markdown.
  public var documentation = ""
  /// The computation.
  public var graph: Graph
  /// Metadata, in file order.
  public var metadata: [Property] = []

  /// A model of a graph.
  public init(irVersion: Int64, operatorSets: [OperatorSet], graph: Graph) {
    self.irVersion = irVersion
    self.operatorSets = operatorSets
    self.graph = graph
  }

  /// Version of ONNX's own operator set, if the model states one.
  public var opset: Int64? {
    operatorSets.first { $0.domain.isEmpty || $0.domain == "ai.onnx" }?.version
  }
}

extension ONNXModel {
  /// Nodes, connected by the names of values.
  public struct Graph: Equatable, Sendable {
    /// The graph's own name.
    public var name: String
    /// Documentation in Markdown.
    public var documentation = ""
    /// The operators.
    public var nodes: [Node]
    /// Constants: the weights.
    public var initializers: [Tensor]
    /// Values that the caller supplies (older files list the initializers here too).
    public var inputs: [Value]
    /// Values that the caller receives.
    public var outputs: [Value]
    /// Types of values in between, if the file states them.
    public var intermediates: [Value] = []

    /// A graph of the given parts.
    public init(
      name: String, nodes: [Node], initializers: [Tensor], inputs: [Value], outputs: [Value]
    ) {
      self.name = name
      self.nodes = nodes
      self.initializers = initializers
      self.inputs = inputs
      self.outputs = outputs
    }
  }

  /// One operator applied to named values.
  public struct Node: Equatable, Sendable {
    /// The node's name, which may be empty.
    public var name: String
    /// The operator, such as `ConvTranspose`.
    public var operatorType: String
    /// The operator's namespace; empty for ONNX's own.
    public var domain = ""
    /// Names of the inputs; an empty name is an optional input left out.
    public var inputs: [String]
    /// Names of the outputs.
    public var outputs: [String]
    /// Attributes, each with its own name.
    public var attributes: [Attribute] = []

    /// A node of ONNX's own operators.
    public init(
      name: String, operatorType: String, inputs: [String], outputs: [String],
      attributes: [Attribute] = []
    ) {
      self.name = name
      self.operatorType = operatorType
      self.inputs = inputs
      self.outputs = outputs
      self.attributes = attributes
    }
  }

  /// An attribute of a node.
  public struct Attribute: Equatable, Sendable {
    /// What an attribute can hold.
    public enum Value: Equatable, Sendable {
      /// One float.
      case float(Float)
      /// One integer.
      case int(Int64)
      /// Text, as the bytes in the file.
      case string([UInt8])
      /// A tensor.
      case tensor(Tensor)
      /// Several floats.
      case floats([Float])
      /// Several integers.
      case ints([Int64])
      /// Several texts.
      case strings([[UInt8]])
    }

    /// The attribute's name, such as `strides`.
    public var name: String
    /// The attribute's value.
    public var value: Value

    /// An attribute with a value.
    public init(_ name: String, _ value: Value) {
      self.name = name
      self.value = value
    }
  }

  /// The type of a tensor's numbers; raw values are those of the format.
  public enum ElementType: Int32, Sendable, CaseIterable {
    case float = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case string = 8
    case bool = 9
    case float16 = 10
    case double = 11
    case uint32 = 12
    case uint64 = 13
    case complex64 = 14
    case complex128 = 15
    case bfloat16 = 16

    /// Bytes of one element in `raw_data`; nil for strings, which have no fixed size.
    public var byteCount: Int? {
      switch self {
      case .uint8, .int8, .bool: 1
      case .uint16, .int16, .float16, .bfloat16: 2
      case .float, .int32, .uint32: 4
      case .int64, .double, .uint64, .complex64: 8
      case .complex128: 16
      case .string: nil
      }
    }
  }

  /// A block of numbers, row-major, in the encoding of the file.
  public struct Tensor: Equatable, Sendable {
    /// The encodings of the format.
    public enum Contents: Equatable, Sendable {
      /// Little-endian bytes.
      case raw([UInt8])
      /// `float_data`.
      case floats([Float])
      /// `int32_data`: integers of up to 32 bits, and bit patterns of float16 and bfloat16.
      case int32s([Int32])
      /// `int64_data`.
      case int64s([Int64])
      /// `double_data`.
      case doubles([Double])
      /// `uint64_data`.
      case uint64s([UInt64])
      /// Bytes of another file, located by these pairs.
      case external([Property])
    }

    /// The tensor's name; empty inside a `Constant` node.
    public var name: String
    /// Type of the numbers.
    public var type: ElementType
    /// Length of each axis, outermost first; empty for a scalar.
    public var dimensions: [Int64]
    /// The numbers.
    public var contents: Contents

    /// A tensor of float32 numbers, stored as bytes.
    init(name: String, _ tensor: BollyGANModel.Tensor) {
      self.init(
        name: name, type: .float, dimensions: tensor.shape.map(Int64.init),
        contents: .raw(Array(StoredTensor(tensor).bytes)))
    }

    /// A tensor with the given contents.
    public init(name: String, type: ElementType, dimensions: [Int64], contents: Contents) {
      self.name = name
      self.type = type
      self.dimensions = dimensions
      self.contents = contents
    }
  }

  /// A named value and its type.
  public struct Value: Equatable, Sendable {
    /// The name by which nodes refer to it.
    public var name: String
    /// Type of the numbers; nil if the file does not state it.
    public var type: ElementType?
    /// Axes; nil if the file does not state the rank.
    public var dimensions: [Dimension]?
    /// Meaning of the value, such as `IMAGE`.
    public var denotation = ""
    /// Documentation in Markdown.
    public var documentation = ""

    /// A value of the given type.
    public init(name: String, type: ElementType?, dimensions: [Dimension]?) {
      self.name = name
      self.type = type
      self.dimensions = dimensions
    }
  }

  /// One axis of a value.
  public struct Dimension: Equatable, Sendable {
    /// The length of an axis.
    public enum Length: Equatable, Sendable {
      /// A constant length.
      case fixed(Int64)
      /// Known at run time, and equal for all axes of this name.
      case named(String)
      /// Known at run time.
      case unknown
    }

    /// The axis's length.
    public var length: Length
    /// Meaning of the axis, such as `DATA_CHANNEL`.
    public var denotation: String

    /// An axis of the given length.
    public init(_ length: Length, denotation: String = "") {
      self.length = length
      self.denotation = denotation
    }
  }
}
