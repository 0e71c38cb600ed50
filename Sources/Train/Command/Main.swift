import ArgumentParser
import BollyGANModel
import BollyGANTerminal

// The entry point of `bollygan-train`.

@main
enum Main {
  static func main() async { await launch(TrainCommand.self) }
}

struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bollygan-train",
    abstract: "Train a DCGAN on a folder of images.",
    version: bollyganVersion,
    subcommands: [
      Train.self, SweepCommand.self, RunsCommand.self, ReportCommand.self, Check.self,
      DrawFaces.self,
    ],
    defaultSubcommand: Train.self)
}
