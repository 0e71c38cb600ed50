import BollyGANModel

/// A file of weights, taken apart as far as its format goes, before any network is looked for.
enum ParsedFile {
  case safetensors(SafetensorsFile)
  case onnx(ONNXModel)
  case pytorch(TorchFile)

  /// Takes a file apart.
  ///
  /// - Parameter folder: the file's folder, in which an ONNX file may name others; nil if it has
  ///   none.
  init(_ bytes: [UInt8], folder: String?) throws {
    switch try WeightsFormat(bytes) {
    case .safetensors:
      self = .safetensors(try SafetensorsFile(bytes: bytes))
    case .onnx:
      var model = try ONNXModel(bytes: bytes)
      try model.readExternalData(folder: folder)
      self = .onnx(model)
    case .pytorch:
      self = .pytorch(try TorchFile(bytes))
    }
  }

  var format: WeightsFormat {
    switch self {
    case .safetensors: .safetensors
    case .onnx: .onnx
    case .pytorch: .pytorch
    }
  }

  /// The network in the file.
  ///
  /// - Parameter allowsNonFinite: accept infinities and NaN in tensors, in order to inspect them.
  func network<N: Network>(
    _: N.Type, allowsNonFinite: Bool = false
  ) throws -> LoadedNetwork<N> {
    switch self {
    case .safetensors(let file): try N.load(file, allowsNonFinite: allowsNonFinite)
    case .onnx(let model): try model.network(N.self)
    case .pytorch(let file): try file.network(N.self, allowsNonFinite: allowsNonFinite)
    }
  }
}

/// The formats of files of weights that are read here, told apart by content.
public enum WeightsFormat: String, Sendable {
  /// Tensors by name.
  case safetensors
  /// A graph of operators.
  case onnx
  /// The output of `torch.save`.
  case pytorch

  /// The format of a file, from its first bytes.
  ///
  /// - Throws: ``WeightsFormatError`` if it is none of these.
  public init(_ bytes: [UInt8]) throws(WeightsFormatError) {
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
    // Any field of a model can come first; most writers begin with ir_version.
    case 0x08, 0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72: self = .onnx
    default: throw .unknown
    }
  }
}

/// Why a file's format cannot be told.
public enum WeightsFormatError: Error, Equatable, CustomStringConvertible {
  /// The file has none of the formats that are read here.
  case unknown

  /// A sentence that says what is wrong.
  public var description: String {
    switch self {
    case .unknown: "not a safetensors, ONNX or PyTorch file"
    }
  }
}
