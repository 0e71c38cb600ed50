import ArgumentParser
import BollyGANModel
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Lists runs.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List runs with their progress and best metric.",
    discussion: """
      A run is running while a process trains in its folder. Otherwise it has finished, was \
      stopped, diverged or was killed. Stopped and killed runs can be resumed with --resume.

        bollygan-train runs runs
        bollygan-train runs --json | jq '.runs[] | select(.state == "killed").run'
      """)

  @Argument(
    help: ArgumentHelp("Run folder, or a folder that contains some.", valueName: "dir"),
    completion: .directory)
  var folder = "."

  @Flag(help: "Write one JSON object to standard output.")
  var json = false

  func run() throws {
    let runs = try CommandFailure.reading(folder) { () throws in
      try RunListing.all(in: folder) { path, problem in
        printError("skipped \(escaped(path)): \(problem)")
      }
    }
    if json { return try printJSON(Report(runs: runs)) }
    guard !runs.isEmpty else {
      throw CommandFailure(.missingInput, file: folder, "contains no runs")
    }
    let header = ["run", "state", "epoch", "step", "loss D", "loss G", "best", "images/s"]
    let rows = runs.map { run in
      [
        escaped(run.run), run.state.rawValue, "\(run.epoch)/\(run.epochs)",
        "\(run.step)/\(run.steps)", Self.text(run.lossD), Self.text(run.lossG),
        run.best.map { "\(escaped($0.name)) \(fixed($0.value, 2))" } ?? "-",
        Self.text(run.picturesPerSecond, digits: 0),
      ]
    }
    try StandardOutput.write(
      tableLines([header] + rows, left: 2).map { $0 + "\n" }.joined())
  }

  private static func text(_ value: Double?, digits: Int = 2) -> String {
    value.map { fixed($0, digits) } ?? "-"
  }

  private struct Report: Encodable {
    /// Increases when a field is removed or changes its meaning.
    let schema = 1
    let runs: [RunListing]

    private enum CodingKeys: CodingKey { case schema, runs }
  }
}

/// Writes a value to standard output as one line of JSON.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  try StandardOutput.writeLine(String(decoding: encoder.encode(value), as: UTF8.self))
}
