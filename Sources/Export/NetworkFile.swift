public import BollyGANModel

/// A generator from a file of any kind that is read here: safetensors, ONNX, or PyTorch's, told
/// apart by content.
public struct GeneratorFile: Sendable {
  /// What a file is.
  public enum Format: String, Sendable {
    /// Tensors by name.
    case safetensors
    /// A graph of operators.
    case onnx
    /// What `torch.save` writes.
    case pytorch

    /// The kind of file that the bytes begin.
    ///
    /// - Throws: ``GeneratorFileError`` where it is none of these.
    public init(_ bytes: [UInt8]) throws(GeneratorFileError) {
      // The length of a safetensors header, then the header itself.
      if bytes.count > 8, bytes[8] == UInt8(ascii: "{") {
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
        if length <= UInt64(bytes.count - 8) {
          self = .safetensors
          return
        }
      }
      if TorchFile.isTorchFile(bytes) {
        self = .pytorch
        return
      }
      switch bytes.first {
      // Any field of a model may come first; writers begin with ir_version.
      case 0x08, 0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72: self = .onnx
      default: throw .unknownFormat
      }
    }
  }

  /// Bytes of the largest file that is read.
  public static let byteLimit = 1 << 30

  /// What the file is.
  public let format: Format
  /// The generator in it.
  public let weights: GeneratorWeights
  /// What the file says of itself.
  public let metadata: [String: String]
  /// SHA-256 of the tensors in hexadecimal, by which pictures name the model that drew them.
  public let id: String
  /// What a user should know about how the file was read, one sentence each.
  public let notes: [String]

  /// Where a file lies; nil for standard input.
  static func folder(of path: String) -> String? {
    guard path != "-" else { return nil }
    return path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
  }

  /// Reads a generator; `-` is standard input.
  ///
  /// - Throws: `FileError`, and as below.
  public init(path: String) throws {
    try self.init(readFile(path, limit: Self.byteLimit), folder: Self.folder(of: path))
  }

  /// Finds the generator in a file's bytes.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - folder: Where the file lies, which the tensors of an ONNX file may lie beside; nil where it
  ///     lies nowhere.
  /// - Throws: ``GeneratorFileError``, `WeightsError`, ``ONNXError`` or ``TorchFileError``: the
  ///   message alone says what is wrong.
  public init(_ bytes: [UInt8], folder: String? = nil) throws {
    format = try Format(bytes)
    switch format {
    case .safetensors:
      let file = try SafetensorsFile(bytes: bytes)
      let loaded = try GeneratorWeights.load(file)
      weights = loaded.weights
      metadata = file.metadata
      id = file.storedTensorHash ?? file.tensorHash
      notes = loaded.notes
    case .onnx:
      var model = try ONNXModel(bytes: bytes)
      try model.readExternalData(folder: folder)
      let found = try ONNXGenerator(model)
      weights = found.weights
      metadata = found.metadata
      id = found.weights.file().tensorHash
      notes = found.notes
    case .pytorch:
      let found = try TorchFile(bytes).generator()
      weights = found.weights
      metadata = [:]
      id = found.weights.file().tensorHash
      notes = found.notes
    }
  }
}

/// Why a file is no generator, before its format is known.
public enum GeneratorFileError: Error, Equatable, CustomStringConvertible {
  /// None of the formats that are read here.
  case unknownFormat

  /// A sentence that says what is wrong.
  public var description: String {
    switch self {
    case .unknownFormat: "none of a safetensors, an ONNX and a PyTorch file"
    }
  }
}
