import ArgumentParser
import BollyGANModel
import BollyGANTerminal

// The entry point of `bollygan-infer`.

@main
enum Main {
  static func main() async {
    await launch(Infer.self)
  }
}

/// The command `bollygan-infer`: its subcommands, and the help that introduces them.
struct Infer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bollygan-infer",
    abstract: "Draw faces from a trained generator.",
    discussion: """
      Without a subcommand, `generate` runs:

        bollygan-infer                              64 faces of seed 0 in faces.png
        bollygan-infer --seed 42 --count 16 --out grid.png
        bollygan-infer --seeds 0,7,20-23 --out faces/
        bollygan-infer interpolate --seeds 3,14,15 --loop --out walk.webp

      Faces are drawn by the model that was installed with the program, by --model FILE, or by the \
      file that the environment variable BOLLYGAN_MODEL names. For all options see \
      'bollygan-infer help generate'.
      """,
    version: bollyganVersion,
    subcommands: [Generate.self, Interpolate.self, PlanCommand.self, Bench.self],
    defaultSubcommand: Generate.self)
}
