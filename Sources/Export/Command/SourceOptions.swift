import ArgumentParser
import BollyGANExport
import BollyGANModel
import BollyGANTerminal

/// The option that names the network to write.
struct SourceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Generator to write: a .safetensors, .onnx or .pth file, or - for standard input. "
        + "(default: the bundled model)",
      valueName: "file"))
  var model: String?

  // The names in StyleGAN's scripts and PyTorch's DCGAN example.
  @Option(name: .customLong("network"), help: .hidden)
  var network: String?
  @Option(name: .customLong("netG"), help: .hidden)
  var netG: String?

  func validate() throws {
    if [model, network, netG].compactMap({ $0 }).count > 1 {
      throw ValidationError("--model is given twice, perhaps once as --network or --netG.")
    }
  }

  /// Whether a file was named.
  var isGiven: Bool { model ?? network ?? netG != nil }

  /// The file to read.
  func path() throws -> String { try model ?? network ?? netG ?? ShippedModel.path() }
}

/// Reads a network; every error names the file.
func load<N: Network>(_: N.Type, from path: String) throws(CommandFailure) -> NetworkFile<N> {
  try CommandFailure.reading(path) { try NetworkFile<N>(path: path) }
}
