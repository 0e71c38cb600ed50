import ArgumentParser
import BollyGANModel
import BollyGANTerminal

// The entry point of `bollygan-export`.

@main
enum Main {
  static func main() async {
    await launch(Export.self)
  }
}

/// The command `bollygan-export`.
struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bollygan-export",
    abstract: "Export networks for other runtimes, and import generators from other programs.",
    discussion: """
      `write` is the default subcommand:

        bollygan-export model.onnx
        bollygan-export --model runs/x/generator.safetensors x.onnx
        bollygan-export --dtype f16 --output-range u8 --layout nhwc web.onnx

      The generator is the bundled one unless --model or the environment variable BOLLYGAN_MODEL \
      names another. Every file is read back and checked before it gets its name.
      """,
    version: bollyganVersion,
    subcommands: [Write.self, Import.self, Inspect.self, Diff.self],
    defaultSubcommand: Write.self)
}
