public import BollyGANModel

/// Files of tensors without a graph, for programs that have the network's code.
public enum TensorFormat: String, CaseIterable, Sendable {
  /// What this program's own models are, and huggingface's library reads.
  case safetensors
  /// `numpy.load`.
  case npz
  /// `torch.load(file, weights_only=True)`.
  case pth

  /// How kernels may be stored in such a file; normalisations stay float32.
  public var storages: [ONNXExportOptions.Storage] {
    // numpy has no bfloat16; 8 bits need factors, which a state_dict has no place for.
    self == .npz ? [.f32, .f16] : [.f32, .f16, .bf16]
  }

  /// A file of tensors.
  ///
  /// - Parameters:
  ///   - tensors: by the names of PyTorch's state_dict.
  ///   - metadata: what a safetensors file says of itself; the others have no place for it.
  ///   - title: what lists of models show.
  ///   - side: height and width of the pictures.
  public func encoded(
    _ tensors: [String: StoredTensor], metadata: [String: String], title: String, side: Int
  ) -> [UInt8] {
    switch self {
    case .safetensors:
      var file = SafetensorsFile(metadata: metadata, tensors: tensors)
      file.addModelSpec(
        title: metadata["modelspec.title"] ?? title, date: metadata["modelspec.date"], side: side)
      return file.encoded()
    case .npz: return TensorArchive(tensors).npzFile()
    case .pth: return TensorArchive(tensors).torchFile()
    }
  }

  /// The tensors in such a file, read by our own readers.
  func tensors(_ bytes: [UInt8]) throws -> [String: StoredTensor] {
    switch self {
    case .safetensors: try SafetensorsFile(bytes: bytes).tensors
    case .npz: try TensorArchive.readNPZ(bytes)
    case .pth: try TorchFile(bytes).groups.first?.tensors ?? [:]
    }
  }
}

extension ONNXExportOptions.Storage {
  /// The same in a file of tensors; nil for 8 bits, which need factors beside them.
  public var tensorType: TensorType? {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .int8: nil
    }
  }
}

extension GeneratorWeights {
  /// The kernels as float16 or bfloat16 give them back.
  func rounded(_ storage: ONNXExportOptions.Storage) -> GeneratorWeights {
    var result = self
    for index in layers.indices { result.layers[index].round(storage, outputAxis: 1) }
    return result
  }
}

extension DiscriminatorWeights {
  /// The kernels as float16 or bfloat16 give them back.
  func rounded(_ storage: ONNXExportOptions.Storage) -> DiscriminatorWeights {
    var result = self
    for index in layers.indices { result.layers[index].round(storage, outputAxis: 0) }
    return result
  }
}

extension LayerWeights {
  fileprivate mutating func round(_ storage: ONNXExportOptions.Storage, outputAxis: Int) {
    let stored = StoredKernel(kernel, name: "", storage: storage, outputAxis: outputAxis)
    // A kernel that float16 cannot hold stays float32.
    if stored.restored.values.allSatisfy(\.isFinite) { kernel = stored.restored }
  }
}

extension ExportCheck {
  /// Reads a file of tensors back and draws with it, as from an ONNX file.
  ///
  /// - Throws: what our own readers throw where the file cannot be read back.
  public init(
    _ bytes: [UInt8], _ format: TensorFormat, madeFrom weights: GeneratorWeights,
    storage: ONNXExportOptions.Storage
  ) throws {
    var read = try GeneratorWeights.load(format.tensors(bytes)).weights
    // Tensors do not say; whoever loads them has the code.
    read.slope = weights.slope
    self.init(
      read: read, madeFrom: weights, stored: storage == .f32 ? nil : weights.rounded(storage))
  }

  /// The same for a discriminator.
  public init(
    _ bytes: [UInt8], _ format: TensorFormat, madeFrom weights: DiscriminatorWeights,
    storage: ONNXExportOptions.Storage
  ) throws {
    self.init(
      read: try DiscriminatorWeights.load(format.tensors(bytes)).weights, madeFrom: weights,
      stored: storage == .f32 ? nil : weights.rounded(storage))
  }

  /// Reads the weights beside a header of C back and draws with them. The header itself is not run.
  ///
  /// - Returns: nil where the numbers are not as many as the generator needs.
  public init?(cWeights bytes: [UInt8], madeFrom weights: GeneratorWeights) {
    guard let read = CSource.generator(bytes, like: weights) else { return nil }
    self.init(read: read, madeFrom: weights, stored: nil)
  }
}
