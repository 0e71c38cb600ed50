public import BollyGANModel

/// Everything in a file of weights, whether it is a generator or not.
public struct FileContents: Sendable {
  /// A network in it.
  public enum Network: Sendable {
    /// Draws faces.
    case generator(GeneratorWeights)
    /// Judges faces.
    case discriminator(DiscriminatorWeights)

    /// SHA-256 of the tensors as they would be kept in a safetensors file.
    var tensorHash: String {
      switch self {
      case .generator(let weights): weights.file().tensorHash
      case .discriminator(let weights): weights.file().tensorHash
      }
    }
  }

  /// A graph's own particulars.
  public struct Graph: Sendable, Encodable {
    /// Version of the container.
    public let ir: Int64
    /// Version of ONNX's operators.
    public let opset: Int64?
    /// Who wrote it, with version.
    public let producer: String
    /// The graph's name.
    public let name: String
    /// Names, types and axes of what goes in.
    public let inputs: [String]
    /// Names, types and axes of what comes out.
    public let outputs: [String]
    /// How many nodes of each operator there are.
    public let operators: [String: Int]
  }

  /// What the file is.
  public let format: GeneratorFile.Format
  /// Bytes of the file.
  public let byteCount: Int
  /// Tensors in the order of their names, those of nested dicts behind the dict's name.
  public let tensors: [(name: String, tensor: StoredTensor)]
  /// What the file says of itself.
  public let metadata: [String: String]
  /// The graph, in an ONNX file.
  public let graph: Graph?
  /// The network that it is, if it is one.
  public let network: Network?
  /// SHA-256 in hexadecimal by which pictures name the network, see ``GeneratorFile/id``; nil where it
  /// is none.
  public let id: String?
  /// Why it is no generator, where it is none.
  public let problem: String?
  /// What a user should know about how the file was read.
  public let notes: [String]

  /// Reads a file; `-` is standard input.
  ///
  /// - Throws: `FileError`, and where the file is none of those that are read here.
  public init(path: String) throws {
    let bytes = try readFile(path, limit: GeneratorFile.byteLimit)
    format = try GeneratorFile.Format(bytes)
    byteCount = bytes.count
    var tensors: [String: StoredTensor] = [:]
    var graph: Graph?
    var found: (Network?, problem: String?, notes: [String])
    var stored: String?
    switch format {
    case .safetensors:
      let file = try SafetensorsFile(bytes: bytes)
      tensors = file.tensors
      metadata = file.metadata
      found = Self.network(in: file.tensors, metadata: file.metadata)
      let hash = file.tensorHash
      stored = file.storedTensorHash ?? hash
      if stored != hash {
        found.notes.append(
          "modelspec.hash_sha256 is of other tensors; those of this file have the hash 0x\(hash)")
      }
    case .pytorch:
      let file = try TorchFile(bytes)
      metadata = [:]
      for group in file.groups {
        for (name, tensor) in group.tensors {
          tensors[group.path.isEmpty ? name : "\(group.path).\(name)"] = tensor
        }
      }
      if file.groups.count == 1 {
        found = Self.network(in: file.groups[0].tensors)
      } else {
        do {
          let generator = try file.generator()
          found = (.generator(generator.weights), nil, generator.notes)
        } catch {
          found = (nil, "\(error)", [])
        }
      }
    case .onnx:
      var model = try ONNXModel(bytes: bytes)
      try model.readExternalData(folder: GeneratorFile.folder(of: path))
      for tensor in model.graph.initializers { tensors[tensor.name] = tensor.stored }
      metadata = Dictionary(
        model.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
      graph = Graph(model)
      do {
        let generator = try ONNXGenerator(model)
        found = (.generator(generator.weights), nil, generator.notes)
      } catch {
        let other = try? ONNXDiscriminator(model)
        found = (other.map { .discriminator($0.weights) }, "\(error)", other?.notes ?? [])
      }
    }
    self.tensors = tensors.map { (name: $0.key, tensor: $0.value) }.sorted { $0.name < $1.name }
    self.graph = graph
    (network, problem, notes) = found
    id = network.map { stored ?? $0.tensorHash }
  }

  /// The network that tensors are, non-finite numbers included.
  private static func network(
    in tensors: [String: StoredTensor], metadata: [String: String] = [:]
  ) -> (Network?, problem: String?, notes: [String]) {
    do {
      let loaded = try GeneratorWeights.load(
        SafetensorsFile(metadata: metadata, tensors: tensors), allowsNonFinite: true)
      return (.generator(loaded.weights), nil, loaded.notes)
    } catch {
      if let loaded = try? DiscriminatorWeights.load(tensors, allowsNonFinite: true) {
        return (.discriminator(loaded.weights), "\(error)", loaded.notes)
      }
      return (nil, "\(error)", [])
    }
  }
}

extension FileContents.Graph {
  init(_ model: ONNXModel) {
    ir = model.irVersion
    opset = model.opset
    producer = [model.producerName, model.producerVersion].filter { !$0.isEmpty }
      .joined(separator: " ")
    name = model.graph.name
    let constants = Set(model.graph.initializers.map(\.name))
    inputs = model.graph.inputs.filter { !constants.contains($0.name) }.map(\.summary)
    outputs = model.graph.outputs.map(\.summary)
    operators = Dictionary(model.graph.nodes.map { ($0.operatorType, 1) }, uniquingKeysWith: +)
  }
}

extension ONNXModel.Value {
  /// `latent: float [batch, 64, 1, 1]`
  var summary: String {
    let axes = dimensions?.map { dimension in
      switch dimension.length {
      case .fixed(let length): "\(length)"
      case .named(let name): name
      case .unknown: "?"
      }
    }
    return "\(name): \(type.map { "\($0)" } ?? "?") "
      + (axes.map { "[\($0.joined(separator: ", "))]" } ?? "of any shape")
  }
}

extension ONNXModel.Tensor {
  /// The same numbers as they would lie in a safetensors file; nil where their kind has no place
  /// there, or where they do not fill their shape.
  var stored: StoredTensor? {
    let types: [ONNXModel.ElementType: TensorType] = [
      .float: .f32, .uint8: .u8, .int8: .i8, .uint16: .u16, .int16: .i16, .int32: .i32,
      .int64: .i64, .bool: .bool, .float16: .f16, .double: .f64, .uint32: .u32, .uint64: .u64,
      .bfloat16: .bf16,
    ]
    guard let type = types[type] else { return nil }
    var count = 1
    var shape: [Int] = []
    for dimension in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: Int(dimension))
      guard dimension >= 0, !overflow, product <= 1 << 40 else { return nil }
      count = product
      shape.append(Int(dimension))
    }
    let tensor: StoredTensor
    switch contents {
    case .raw(let bytes):
      guard bytes.count == count * type.byteCount else { return nil }
      return StoredTensor(type: type, shape: shape, bytes: bytes)
    case .floats(let values):
      guard values.count == count, type == .f32 else { return nil }
      tensor = StoredTensor(Tensor(shape: shape, values: values))
    case .doubles(let values):
      guard values.count == count, type == .f64 else { return nil }
      tensor = StoredTensor(values, shape: shape)
    case .int64s(let values):
      guard values.count == count, type == .i64 else { return nil }
      tensor = StoredTensor(int64: values, shape: shape)
    case .int32s(let values):
      guard values.count == count, type.byteCount <= 4, type != .f32 else { return nil }
      tensor = StoredTensor(
        type: type, shape: shape,
        bytes: values.flatMap { value in
          (0..<type.byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * Int32($0))) }
        })
    case .uint64s(let values):
      guard values.count == count, type == .u64 else { return nil }
      tensor = StoredTensor(
        type: type, shape: shape,
        bytes: values.flatMap { value in
          (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        })
    case .external: return nil
    }
    return tensor
  }
}
