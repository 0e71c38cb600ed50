import ArgumentParser
import BollyGANTerminal

/// What is said about the work, and what else is kept of it.
struct ReportOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Also write the latents as the network gets them, after --trunc: float32 [N, nz].",
      valueName: "file.npy"))
  var saveLatents: String?

  @Flag(help: "Say on standard output, as one JSON object, what was made.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress bar, no notes.")
  var quiet = false

  func validate() throws {
    if let saveLatents, !saveLatents.lowercased().hasSuffix(".npy") {
      throw ValidationError("--save-latents \(escaped(saveLatents)) must end with .npy.")
    }
  }

  /// Checks that standard output is asked for once, and by something that can use it.
  func checkStandardOutput(out: String) throws {
    guard out == "-" else { return }
    if json { throw ValidationError("--json and --out - both write to standard output.") }
    if StandardOutput.isTerminal {
      throw ValidationError(
        "--out - would fill this terminal with binary data; send it to a file or a program.")
    }
  }

  /// What a file that was read asks the user to know.
  func printNotes(_ model: LoadedModel) {
    guard !quiet else { return }
    for note in model.notes { printError("\(escaped(model.path)): note: \(note)") }
  }
}
