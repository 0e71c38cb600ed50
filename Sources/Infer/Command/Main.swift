import ArgumentParser
import BollyGANModel
import BollyGANTerminal

@main
enum Main {
  static func main() async {
    await launch(Infer.self)
  }
}

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

      The faces come from the model that came with the program, or from --model FILE, or from the \
      file that the environment variable BOLLYGAN_MODEL names. All options: \
      'bollygan-infer help generate'.
      """,
    version: bollyganVersion,
    subcommands: [Generate.self, Interpolate.self, PlanCommand.self, Bench.self],
    defaultSubcommand: Generate.self)
}
