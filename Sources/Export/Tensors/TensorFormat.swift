public import BollyGANModel

/// A file of tensors without a graph, for programs that have the network's code.
public enum TensorFormat: String, CaseIterable, Sendable {
  /// The format of this program's own models, read by Hugging Face's library.
  case safetensors
  /// `numpy.load`.
  case npz
  /// `torch.load(file, weights_only=True)`.
  case pth

  /// How kernels can be stored in such a file; normalisations stay float32.
  public var storages: [ONNXExportOptions.Storage] {
    // numpy has no bfloat16. 8 bits need factors, for which a state_dict has no place.
    self == .npz ? [.f32, .f16] : [.f32, .f16, .bf16]
  }

  /// Encodes a file of tensors.
  ///
  /// - Parameters:
  ///   - tensors: by their names in PyTorch's state_dict.
  ///   - metadata: kept in a safetensors file; the other formats have no place for it.
  ///   - title: the name that lists of models show.
  ///   - side: height and width of the images in pixels.
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

  /// The tensors in such a file, read by this program's own readers.
  func tensors(_ bytes: [UInt8]) throws -> [String: StoredTensor] {
    switch self {
    case .safetensors: try SafetensorsFile(bytes: bytes).tensors
    case .npz: try TensorArchive.readNPZ(bytes)
    case .pth: try TorchFile(bytes).groups.first?.tensors ?? [:]
    }
  }
}

extension ONNXExportOptions.Storage {
  /// The type in a file of tensors; nil for 8 bits, which need factors beside them.
  public var tensorType: TensorType? {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .int8: nil
    }
  }
}

extension Network {
  /// The network with its kernels rounded to float16 or bfloat16 and back.
  func rounded(_ storage: ONNXExportOptions.Storage) -> Self {
    var result = self
    for index in layers.indices {
      let stored = StoredKernel(
        layers[index].kernel, name: "", storage: storage, outputAxis: Self.kind.outputAxis)
      // A kernel with a value that float16 cannot hold stays float32.
      if stored.restored.values.allSatisfy(\.isFinite) {
        result.layers[index].kernel = stored.restored
      }
    }
    return result
  }
}
