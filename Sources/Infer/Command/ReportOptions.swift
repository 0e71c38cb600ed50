import ArgumentParser
import BollyGANTerminal

/// Options for what to print and what to save besides the faces.
struct ReportOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Also save the latents, after --trunc: float32 [N, nz].",
      valueName: "file.npy"))
  var saveLatents: String?

  @Flag(help: "Print a report as one JSON object on standard output.")
  var json = false

  @Flag(name: .shortAndLong, help: "Hide the progress bar and notes.")
  var quiet = false

  func validate() throws {
    if let saveLatents, !saveLatents.lowercased().hasSuffix(".npy") {
      throw ValidationError(
        "--save-latents needs a file name that ends with .npy, not \(escaped(saveLatents)).")
    }
  }

  /// Checks that at most one thing is written to standard output, and that binary data does not go
  /// to a terminal.
  func checkStandardOutput(out: String) throws {
    guard out == "-" else { return }
    if json { throw ValidationError("--json and --out - cannot both write to standard output.") }
    if StandardOutput.isTerminal {
      throw ValidationError(
        "--out - would print binary data on the terminal. Redirect it to a file or a program.")
    }
  }

  /// Prints remarks on the model file that was read.
  func printNotes(_ model: LoadedModel) {
    guard !quiet else { return }
    for note in model.notes { printError("\(escaped(model.path)): note: \(note)") }
  }
}
