import ArgumentParser
import BollyGANExport
import BollyGANModel
import BollyGANTerminal

/// The option that names the generator.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The generator: a .safetensors, .onnx or .pth file. (default: the one installed with this "
        + "program)",
      valueName: "file"))
  var model: String?

  // The names in StyleGAN's scripts and in PyTorch's DCGAN example.
  @Option(name: .customLong("network"), help: .hidden)
  var network: String?
  @Option(name: .customLong("netG"), help: .hidden)
  var netG: String?

  func validate() throws {
    if [model, network, netG].compactMap({ $0 }).count > 1 {
      throw ValidationError(
        "--model is given more than once (--network and --netG are other names for it).")
    }
  }

  /// Reads the generator.
  ///
  /// - Throws: `CommandFailure` if there is no such file or it holds no usable generator.
  func load() throws -> LoadedModel {
    try LoadedModel(path: model ?? network ?? netG ?? ShippedModel.path())
  }
}

/// A generator that has been read, and how it is identified.
struct LoadedModel {
  /// The file, as the user named it.
  let path: String
  let weights: GeneratorWeights
  /// The SHA-256 of the weights in hexadecimal, which image files record.
  let id: String
  /// Remarks on how the file was read, for the user.
  let notes: [String]

  init(path: String) throws(CommandFailure) {
    self.path = path
    let file = try CommandFailure.reading(path) { try GeneratorFile(path: path) }
    (weights, id, notes) = (file.weights, file.id, file.notes)
  }
}
