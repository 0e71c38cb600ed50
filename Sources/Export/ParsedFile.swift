public import BollyGANModel

/// A discriminator from a file of any kind that is read here: safetensors, ONNX, or PyTorch's, told
/// apart by content.
public struct DiscriminatorFile: Sendable {
  /// What the file is.
  public let format: GeneratorFile.Format
  /// The discriminator in it.
  public let weights: DiscriminatorWeights
  /// What the file says of itself.
  public let metadata: [String: String]
  /// SHA-256 of the tensors in hexadecimal.
  public let id: String
  /// What a user should know about how the file was read, one sentence each.
  public let notes: [String]

  /// Reads a discriminator; `-` is standard input.
  ///
  /// - Throws: `FileError`, and as a ``GeneratorFile`` does.
  public init(path: String) throws {
    let bytes = try readFile(path, limit: GeneratorFile.byteLimit)
    format = try GeneratorFile.Format(bytes)
    switch format {
    case .safetensors:
      let file = try SafetensorsFile(bytes: bytes)
      let loaded = try DiscriminatorWeights.load(file.tensors)
      (weights, notes) = (loaded.weights, loaded.notes)
      metadata = file.metadata
      id = file.storedTensorHash ?? file.tensorHash
    case .onnx:
      var model = try ONNXModel(bytes: bytes)
      try model.readExternalData(folder: GeneratorFile.folder(of: path))
      let found = try ONNXDiscriminator(model)
      (weights, notes) = (found.weights, found.notes)
      metadata = found.metadata
      id = weights.file().tensorHash
    case .pytorch:
      let found = try TorchFile(bytes).discriminator()
      (weights, notes) = (found.weights, found.notes)
      metadata = [:]
      id = weights.file().tensorHash
    }
  }
}
