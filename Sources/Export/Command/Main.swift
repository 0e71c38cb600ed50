import ArgumentParser
import BollyGANModel

@main
struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bollygan-export", abstract: "", version: bollyganVersion)
}
