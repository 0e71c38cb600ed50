import ArgumentParser
import BollyGANModel

@main
struct Infer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bollygan-infer", abstract: "", version: bollyganVersion)
}
