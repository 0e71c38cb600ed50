public import BollyGANModel

/// A generator or discriminator from a safetensors, ONNX or PyTorch file.
public struct NetworkFile<Weights: Network>: Sendable {
  /// The file's format.
  public let format: WeightsFormat
  /// The network in the file.
  public let weights: Weights
  /// The file's own metadata, by key.
  public let metadata: [String: String]
  /// SHA-256 of the tensors in hexadecimal, by which images name the model that generated them.
  public let id: String
  /// What a user should know about how the file was read, one sentence each.
  public let notes: [String]

  /// Reads a file; `-` is standard input.
  ///
  /// - Throws: `FileError`, and the errors of ``init(_:folder:)``.
  public init(path: String) throws {
    try self.init(
      readFile(path, limit: weightsByteLimit), folder: folderOfWeights(path: path))
  }

  /// Finds the network in a file's bytes.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - folder: the file's folder, in which an ONNX file may name files of tensors; nil if the
  ///     file has none.
  /// - Throws: ``WeightsFormatError``, `WeightsError`, ``ONNXError`` or ``TorchFileError``, whose
  ///   message alone says what is wrong.
  public init(_ bytes: [UInt8], folder: String? = nil) throws {
    let file = try ParsedFile(bytes, folder: folder)
    let loaded = try file.network(Weights.self)
    format = file.format
    (weights, notes) = (loaded.weights, loaded.notes)
    switch file {
    case .safetensors(let file):
      metadata = file.metadata
      id = file.storedTensorHash ?? file.tensorHash
    case .onnx(let model):
      metadata = try model.metadataByKey()
      id = weights.file().tensorHash
    case .pytorch:
      metadata = [:]
      id = weights.file().tensorHash
    }
  }
}

/// A file with a generator, which is what `bollygan-infer` reads.
public typealias GeneratorFile = NetworkFile<GeneratorWeights>

/// Size of the largest file of weights that is read, in bytes.
let weightsByteLimit = 1 << 30

/// The folder of a file; nil for `-`, standard input.
func folderOfWeights(path: String) -> String? {
  guard path != "-" else { return nil }
  return path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
}
