import ArgumentParser
import BollyGANExport
import BollyGANModel
import BollyGANTerminal

/// Which generator draws.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Generator to draw with: a .safetensors, .onnx or .pth file. (default: the one that came "
        + "with this program)",
      valueName: "file"))
  var model: String?

  // As StyleGAN's scripts and PyTorch's DCGAN example call it.
  @Option(name: .customLong("network"), help: .hidden)
  var network: String?
  @Option(name: .customLong("netG"), help: .hidden)
  var netG: String?

  func validate() throws {
    if [model, network, netG].compactMap({ $0 }).count > 1 {
      throw ValidationError("--model is given twice, perhaps once under another name.")
    }
  }

  /// Reads the generator.
  func load() throws -> LoadedModel {
    try LoadedModel(path: model ?? network ?? netG ?? ShippedModel.path())
  }
}

/// A generator and what names it.
struct LoadedModel {
  /// As the user named it.
  let path: String
  let weights: GeneratorWeights
  /// SHA-256 of the weights, in hexadecimal: what pictures carry.
  let id: String
  /// What the user should know about how the file was read.
  let notes: [String]

  init(path: String) throws(CommandFailure) {
    self.path = path
    let file = try CommandFailure.reading(path) { try GeneratorFile(path: path) }
    (weights, id, notes) = (file.weights, file.id, file.notes)
  }
}
