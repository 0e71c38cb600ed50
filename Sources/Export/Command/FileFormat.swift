import ArgumentParser
import BollyGANExport
import BollyGANModel

/// What kind of file is written.
enum FileFormat: String, CaseIterable, ExpressibleByArgument {
  case onnx, safetensors, npz, pth, c

  /// The format that the ending of a file's name stands for.
  init(ending name: String) {
    let endings: [(String, FileFormat)] = [
      (".safetensors", .safetensors), (".npz", .npz), (".pth", .pth), (".pt", .pth), (".h", .c),
    ]
    self = endings.first { name.hasSuffix($0.0) }?.1 ?? .onnx
  }

  /// How weights may be stored in it.
  var storages: [ONNXExportOptions.Storage] {
    switch self {
    case .onnx: ONNXExportOptions.Storage.allCases
    case .c: [.f32]
    case .safetensors, .npz, .pth: TensorFormat(rawValue: rawValue)!.storages
    }
  }
}

/// One of the two networks, and the file that it came from.
enum Network {
  case generator(_ path: String, GeneratorFile)
  case discriminator(_ path: String, DiscriminatorFile)

  var path: String {
    switch self {
    case .generator(let path, _), .discriminator(let path, _): path
    }
  }

  var format: GeneratorFile.Format {
    switch self {
    case .generator(_, let file): file.format
    case .discriminator(_, let file): file.format
    }
  }

  var notes: [String] {
    switch self {
    case .generator(_, let file): file.notes
    case .discriminator(_, let file): file.notes
    }
  }

  var metadata: [String: String] {
    switch self {
    case .generator(_, let file): file.metadata
    case .discriminator(_, let file): file.metadata
    }
  }

  var id: String {
    switch self {
    case .generator(_, let file): file.id
    case .discriminator(_, let file): file.id
    }
  }

  var shape: DCGANShape {
    switch self {
    case .generator(_, let file): file.weights.shape
    case .discriminator(_, let file): file.weights.shape
    }
  }

  /// Slope of a generator's activations.
  var slope: Float? {
    if case .generator(_, let file) = self { file.weights.slope } else { nil }
  }

  /// Sizes in a few words.
  var summary: String {
    switch self {
    case .generator: shape.summary
    case .discriminator:
      "discriminator of \(shape.side)x\(shape.side) \(shape.channels == 1 ? "gray" : "RGB"), width "
        + "\(shape.discriminatorWidth)"
    }
  }

  var title: String {
    switch self {
    case .generator: "DCGAN generator"
    case .discriminator: "DCGAN discriminator"
    }
  }

  /// What goes along into a file of tensors: of an ONNX file's metadata only what is about weights.
  var tensorMetadata: [String: String] {
    var kept = metadata.filter {
      format == .safetensors || $0.key.hasPrefix("bollygan.") || $0.key.hasPrefix("modelspec.")
    }
    if case .generator(_, let file) = self {
      kept.merge(file.weights.file().metadata.filter { $0.key != "format" }) { $1 }
    }
    return kept
  }

  func tensors(_ type: TensorType) -> [String: StoredTensor] {
    switch self {
    case .generator(_, let file): file.weights.storedTensors(type: type)
    case .discriminator(_, let file): file.weights.storedTensors(type: type)
    }
  }

  func onnxModel(
    _ options: ONNXExportOptions, metadata: [String: String]
  ) throws(ONNXError) -> ONNXModel {
    switch self {
    case .generator(_, let file): try file.weights.onnxModel(options, metadata: metadata)
    case .discriminator(_, let file): try file.weights.onnxModel(options, metadata: metadata)
    }
  }

  func testData(_ options: ONNXExportOptions) -> ONNXTestData {
    switch self {
    case .generator(_, let file): ONNXTestData(file.weights, options: options)
    case .discriminator(_, let file): ONNXTestData(file.weights, options: options)
    }
  }

  func check(
    _ bytes: [UInt8], _ options: ONNXExportOptions, data: (location: String, bytes: [UInt8])?
  ) throws(ONNXError) -> ExportCheck {
    switch self {
    case .generator(_, let file):
      try ExportCheck(bytes, madeFrom: file.weights, options: options, data: data)
    case .discriminator(_, let file):
      try ExportCheck(bytes, madeFrom: file.weights, options: options, data: data)
    }
  }

  func check(
    _ bytes: [UInt8], _ format: TensorFormat, storage: ONNXExportOptions.Storage
  ) throws -> ExportCheck {
    switch self {
    case .generator(_, let file):
      try ExportCheck(bytes, format, madeFrom: file.weights, storage: storage)
    case .discriminator(_, let file):
      try ExportCheck(bytes, format, madeFrom: file.weights, storage: storage)
    }
  }
}

extension DCGANShape {
  /// A generator's sizes in a few words.
  var summary: String {
    "\(side)x\(side) \(channels == 1 ? "gray" : "RGB"), latent \(latent), width \(generatorWidth)"
  }
}
