import ArgumentParser
import BollyGANExport
import BollyGANModel

// The formats that `bollygan-export` writes, and their names on the command line.

extension ONNXExportOptions.OutputRange: ExpressibleByArgument {}
extension ONNXExportOptions.Layout: ExpressibleByArgument {}
extension ONNXExportOptions.Storage: ExpressibleByArgument {}

/// The format of the file to write.
enum FileFormat: String, CaseIterable, ExpressibleByArgument {
  case onnx, safetensors, npz, pth, c, html

  /// The format for a file's extension; ONNX if the extension is unknown.
  init(ending name: String) {
    let endings: [(String, FileFormat)] = [
      (".safetensors", .safetensors), (".npz", .npz), (".pth", .pth), (".pt", .pth), (".h", .c),
      (".html", .html),
    ]
    self = endings.first { name.hasSuffix($0.0) }?.1 ?? .onnx
  }

  /// How the format can store weights.
  var storages: [ONNXExportOptions.Storage] {
    switch self {
    case .onnx: ONNXExportOptions.Storage.allCases
    case .c: [.f32]
    case .html: ExplorerPage.storages
    case .safetensors, .npz, .pth: TensorFormat(rawValue: rawValue)!.storages
    }
  }

  /// How the format stores weights by default. Pages travel over networks, so they use half the
  /// bytes.
  var usualStorage: ONNXExportOptions.Storage { self == .html ? .f16 : .f32 }
}

/// `dynamic`, or a fixed number of faces per call.
enum BatchSize: Equatable, ExpressibleByArgument, CustomStringConvertible {
  case dynamic
  case fixed(Int)

  init?(argument: String) {
    if argument == "dynamic" {
      self = .dynamic
    } else if let count = Int(argument) {
      self = .fixed(count)
    } else {
      return nil
    }
  }

  var description: String {
    switch self {
    case .dynamic: "dynamic"
    case .fixed(let count): "\(count)"
    }
  }

  var defaultValueDescription: String { description }
}

extension NetworkKind {
  /// A network's sizes in a few words.
  func summary(_ shape: DCGANShape) -> String {
    let image = "\(shape.side)x\(shape.side) \(shape.channels == 1 ? "gray" : "RGB")"
    return switch self {
    case .generator: "\(image), latent \(shape.latent), width \(width(shape))"
    case .discriminator: "discriminator of \(image), width \(width(shape))"
    }
  }
}

extension NetworkFile {
  /// The file's metadata about weights; an ONNX file also has metadata about its graph.
  var weightsMetadata: [String: String] {
    metadata.filter {
      format == .safetensors || $0.key.hasPrefix("bollygan.") || $0.key.hasPrefix("modelspec.")
    }
  }
}

/// A number of bytes with one decimal and a unit.
func size(_ bytes: Int) -> String {
  guard bytes >= 1000 else { return "\(bytes) bytes" }
  let (unit, name) = bytes < 1_000_000 ? (1e3, "kB") : (1e6, "MB")
  return "\((Double(bytes) / unit * 10).rounded() / 10) \(name)"
}
