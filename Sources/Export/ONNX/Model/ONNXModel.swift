import BollyGANModel

/// An ONNX file as Swift values: one graph of operators, its constants, and what is said about it.
///
/// Only what a generator needs is here. Files that hold more (functions, subgraphs, sparse tensors)
/// are refused by name when they are read.
///
/// - SeeAlso: ONNX's `docs/IR.md`, whose field names these are where Swift has no better word.
public struct ONNXModel: Equatable, Sendable {
  /// A version of an operator set; the empty domain is ONNX's own.
  public struct OperatorSet: Equatable, Sendable {
    /// Name space of the operators.
    public var domain: String
    /// Version of the set; 17 is ONNX 1.12.
    public var version: Int64

    /// A version of a set.
    public init(domain: String = "", version: Int64) {
      self.domain = domain
      self.version = version
    }
  }

  /// A pair of strings that says something about the model.
  public struct Property: Equatable, Sendable {
    /// What it is about, such as `model_author`.
    public var key: String
    /// What it says.
    public var value: String

    /// A pair.
    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// Version of the container format; 8 is ONNX 1.12.
  public var irVersion: Int64
  /// Operator sets that the nodes are written in.
  public var operatorSets: [OperatorSet]
  /// The program that wrote the file.
  public var producerName = ""
  /// That program's version.
  public var producerVersion = ""
  /// Name space of the model.
  public var domain = ""
  /// Version of the model itself; not written where it is 0.
  public var modelVersion: Int64 = 0
  /// Markdown for people.
  public var documentation = ""
  /// What is computed.
  public var graph: Graph
  /// Free properties, in file order.
  public var metadata: [Property] = []

  /// A model of a graph.
  public init(irVersion: Int64, operatorSets: [OperatorSet], graph: Graph) {
    self.irVersion = irVersion
    self.operatorSets = operatorSets
    self.graph = graph
  }

  /// Version of ONNX's own operator set, if the model says one.
  public var opset: Int64? {
    operatorSets.first { $0.domain.isEmpty || $0.domain == "ai.onnx" }?.version
  }
}

extension ONNXModel {
  /// Nodes and the names that they talk through.
  public struct Graph: Equatable, Sendable {
    /// The graph's own name.
    public var name: String
    /// Markdown for people.
    public var documentation = ""
    /// The operators.
    public var nodes: [Node]
    /// Constants: the weights.
    public var initializers: [Tensor]
    /// What the caller gives (older files list the initializers here too).
    public var inputs: [Value]
    /// What the caller gets.
    public var outputs: [Value]
    /// Types of values in between, where the file says them.
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
    /// The node's name, for people; may be empty.
    public var name: String
    /// Which operator, such as `ConvTranspose`.
    public var operatorType: String
    /// The operator's name space; empty for ONNX's own.
    public var domain = ""
    /// Values that go in; an empty name stands for an optional one left out.
    public var inputs: [String]
    /// Values that come out.
    public var outputs: [String]
    /// Settings.
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

  /// A setting of a node.
  public struct Attribute: Equatable, Sendable {
    /// What a setting can hold.
    public enum Value: Equatable, Sendable {
      /// One float.
      case float(Float)
      /// One integer.
      case int(Int64)
      /// Text, in bytes as the format has it.
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

    /// The setting's name, such as `strides`.
    public var name: String
    /// What it is set to.
    public var value: Value

    /// A setting.
    public init(_ name: String, _ value: Value) {
      self.name = name
      self.value = value
    }
  }

  /// What kind of number a tensor holds; raw values are those of the format.
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

  /// A block of numbers, row-major, in the encoding that the file has it in.
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
      /// Bytes of another file, described by these pairs.
      case external([Property])
    }

    /// The tensor's name; empty inside a `Constant` node.
    public var name: String
    /// What kind of number.
    public var type: ElementType
    /// Length of each axis, outermost first; empty for a scalar.
    public var dimensions: [Int64]
    /// The numbers.
    public var contents: Contents

    /// Float32 numbers as bytes.
    init(name: String, _ tensor: BollyGANModel.Tensor) {
      self.init(
        name: name, type: .float, dimensions: tensor.shape.map(Int64.init),
        contents: .raw(Array(StoredTensor(tensor).bytes)))
    }

    /// A tensor of the given contents.
    public init(name: String, type: ElementType, dimensions: [Int64], contents: Contents) {
      self.name = name
      self.type = type
      self.dimensions = dimensions
      self.contents = contents
    }
  }

  /// A named value and its type.
  public struct Value: Equatable, Sendable {
    /// The name that nodes use.
    public var name: String
    /// What kind of number; nil where the file does not say.
    public var type: ElementType?
    /// Axes; nil where the file says nothing about the rank.
    public var dimensions: [Dimension]?
    /// What the value means, such as `IMAGE`.
    public var denotation = ""
    /// Markdown for people.
    public var documentation = ""

    /// A value of a type.
    public init(name: String, type: ElementType?, dimensions: [Dimension]?) {
      self.name = name
      self.type = type
      self.dimensions = dimensions
    }
  }

  /// One axis of a value.
  public struct Dimension: Equatable, Sendable {
    /// How long the axis is.
    public enum Length: Equatable, Sendable {
      /// Always this long.
      case fixed(Int64)
      /// Known at run time, and the same wherever this name stands.
      case named(String)
      /// Known at run time.
      case unknown
    }

    /// How long.
    public var length: Length
    /// What the axis means, such as `DATA_CHANNEL`.
    public var denotation: String

    /// An axis.
    public init(_ length: Length, denotation: String = "") {
      self.length = length
      self.denotation = denotation
    }
  }
}
