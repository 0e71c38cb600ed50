import ArgumentParser
import BollyGANModel

@main
struct Train: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bollygan-train", abstract: "", version: bollyganVersion)
}
