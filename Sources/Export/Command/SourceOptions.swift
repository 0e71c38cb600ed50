import ArgumentParser
import BollyGANExport
import BollyGANModel
import BollyGANTerminal

/// Which generator is written.
struct SourceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Generator to write: a .safetensors, .onnx or .pth file, or - for standard input. "
        + "(default: the one that came with this program)",
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

  /// Whether a file was named.
  var isGiven: Bool { model ?? network ?? netG != nil }

  /// The file that is read.
  func path() throws -> String { try model ?? network ?? netG ?? ShippedModel.path() }

  /// Reads the generator.
  func load() throws -> (path: String, file: GeneratorFile) {
    let path = try path()
    return (path, try loadGenerator(path))
  }
}

/// Reads a generator; every error names the file.
func loadGenerator(_ path: String) throws(CommandFailure) -> GeneratorFile {
  try CommandFailure.reading(path) { try GeneratorFile(path: path) }
}
