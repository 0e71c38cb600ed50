import ArgumentParser
import BollyGANTerminal

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What is said about the work.
struct ReportOptions: ParsableArguments {
  @Flag(help: "Say on standard output, as one JSON object, what was done.")
  var json = false

  @Flag(name: .shortAndLong, help: "No summary, no notes.")
  var quiet = false

  /// Checks that standard output is asked for once, and by something that can use it.
  func checkStandardOutput(out: String) throws {
    guard out == "-" else { return }
    if json { throw ValidationError("--json and - both write to standard output.") }
    if StandardOutput.isTerminal {
      throw ValidationError(
        "- would fill this terminal with binary data; send it to a file or a program.")
    }
  }

  /// What a file that was read asks the user to know.
  func printNotes(_ notes: [String], about path: String) {
    guard !quiet else { return }
    for note in notes { printError("\(escaped(path)): note: \(note)") }
  }

  /// A line for people, on standard error.
  func printSummary(_ line: String) {
    guard !quiet, !json else { return }
    writeToStandardError(line + "\n")
  }

  /// The same for programs, as one line on standard output.
  func printJSON(_ report: some Encodable) throws {
    if json { try writeJSON(report) }
  }
}

/// Writes one object as one line on standard output.
func writeJSON(_ report: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  // JSON has no word for them, and a file may hold them.
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  try StandardOutput.writeLine(String(decoding: encoder.encode(report), as: UTF8.self))
}
