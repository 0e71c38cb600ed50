public import BollyGANModel

/// Everything in a file of weights, whether or not it is a network.
public struct FileContents: Sendable {
  /// A summary of an ONNX graph.
  public struct Graph: Sendable, Encodable {
    /// Version of the container.
    public let ir: Int64
    /// Version of ONNX's operator set, if the file states one.
    public let opset: Int64?
    /// The program that wrote the file, with its version.
    public let producer: String
    /// The graph's name.
    public let name: String
    /// Names, types and axes of the inputs.
    public let inputs: [String]
    /// Names, types and axes of the outputs.
    public let outputs: [String]
    /// Number of nodes by operator.
    public let operators: [String: Int]
  }

  /// The file's format.
  public let format: WeightsFormat
  /// Size of the file in bytes.
  public let byteCount: Int
  /// Tensors in the order of their names; those of nested dicts are prefixed by the dict's name.
  public let tensors: [(name: String, tensor: StoredTensor)]
  /// The file's own metadata, by key.
  public let metadata: [String: String]
  /// The graph of an ONNX file.
  public let graph: Graph?
  /// The network in the file, if there is one.
  public let network: (any Network)?
  /// SHA-256 by which images name the network, as in ``NetworkFile/id``; nil if there is none.
  public let id: String?
  /// Why the file is not a generator; nil if it is one.
  public let problem: String?
  /// What a user should know about how the file was read.
  public let notes: [String]

  /// Reads a file; `-` is standard input.
  ///
  /// - Throws: `FileError`, and the errors of a file that cannot be taken apart. A file that is not
  ///   a network is no error.
  public init(path: String) throws {
    let bytes = try readFile(path, limit: weightsByteLimit)
    let file = try ParsedFile(bytes, folder: folderOfWeights(path: path))
    format = file.format
    byteCount = bytes.count
    let (network, problem, foundNotes) = Self.network(in: file)
    var notes = foundNotes
    let id: String?
    var tensors: [String: StoredTensor] = [:]
    switch file {
    case .safetensors(let file):
      tensors = file.tensors
      metadata = file.metadata
      graph = nil
      let hash = file.tensorHash
      id = network.map { _ in file.storedTensorHash ?? hash }
      if let stored = file.storedTensorHash, stored != hash {
        notes.append(
          "modelspec.hash_sha256 is of other tensors; those of this file have the hash 0x\(hash)")
      }
    case .pytorch(let file):
      id = network?.file().tensorHash
      metadata = [:]
      graph = nil
      for group in file.groups {
        for (name, tensor) in group.tensors {
          tensors[group.path.isEmpty ? name : "\(group.path).\(name)"] = tensor
        }
      }
    case .onnx(let model):
      id = network?.file().tensorHash
      for tensor in model.graph.initializers { tensors[tensor.name] = tensor.stored }
      metadata = Dictionary(
        model.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
      graph = Graph(model)
    }
    self.tensors = tensors.map { (name: $0.key, tensor: $0.value) }.sorted { $0.name < $1.name }
    (self.network, self.id, self.problem, self.notes) = (network, id, problem, notes)
  }

  /// The generator in a file, or else the discriminator, values that are not finite included.
  private static func network(
    in file: ParsedFile
  ) -> ((any Network)?, problem: String?, notes: [String]) {
    do {
      let generator = try file.network(GeneratorWeights.self, allowsNonFinite: true)
      return (generator.weights, nil, generator.notes)
    } catch {
      let other = try? file.network(DiscriminatorWeights.self, allowsNonFinite: true)
      return (other?.weights, "\(error)", other?.notes ?? [])
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
