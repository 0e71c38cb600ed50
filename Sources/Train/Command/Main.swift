import ArgumentParser
import BollyGANModel
import BollyGANTerminal

@main
enum Main {
  static func main() async { await launch(TrainCommand.self) }
}

struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bollygan-train",
    abstract: "Train a DCGAN: from a folder of pictures to weights that draw new ones.",
    version: bollyganVersion,
    subcommands: [
      Train.self, SweepCommand.self, RunsCommand.self, ReportCommand.self, Check.self,
      DrawFaces.self,
    ],
    defaultSubcommand: Train.self)
}
