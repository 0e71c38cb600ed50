import ArgumentParser
import BollyGANModel
import BollyGANTerminal

@main
enum Main {
  static func main() async {
    await launch(Export.self)
  }
}

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bollygan-export",
    abstract: "Write a generator for other runtimes, and read other people's.",
    discussion: """
      Without a subcommand, `write` runs:

        bollygan-export model.onnx
        bollygan-export --model runs/x/generator.safetensors x.onnx
        bollygan-export --dtype f16 --output-range u8 --layout nhwc web.onnx

      The generator is the one that came with this program, or --model's, or the one that the \
      environment variable BOLLYGAN_MODEL names. A file is read back and drawn with before it takes \
      its name, so what is there was checked.
      """,
    version: bollyganVersion,
    subcommands: [Write.self, Import.self, Inspect.self, Diff.self],
    defaultSubcommand: Write.self)
}
