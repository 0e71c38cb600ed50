internal import ArgumentParser

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The options of a command that say how it reports its work.
package struct ReportOptions: ParsableArguments {
  @Flag(help: "Print a summary as one JSON object on standard output.")
  package var json = false

  @Flag(name: .shortAndLong, help: "Print no summary and no notes.")
  package var quiet = false

  package init() {}

  /// Checks that at most one kind of output goes to standard output, and no binary data to a
  /// terminal.
  ///
  /// - Parameter out: the file that the command writes; `-` is standard output.
  package func checkStandardOutput(out: String) throws {
    guard out == "-" else { return }
    if json { throw ValidationError("--json and - both write to standard output.") }
    if StandardOutput.isTerminal {
      throw ValidationError(
        "- would fill this terminal with binary data; redirect it to a file or a program.")
    }
  }

  /// Prints what a user should know about a file that was read, unless `--quiet` is set.
  package func printNotes(_ notes: [String], about path: String) {
    guard !quiet else { return }
    for note in notes { printError("\(escaped(path)): note: \(note)") }
  }

  /// Prints a line of the summary on standard error, unless `--quiet` or `--json` is set.
  package func printSummary(_ line: String) {
    guard !quiet, !json else { return }
    writeToStandardError(line + "\n")
  }

  /// Prints the summary for programs, one line on standard output, if `--json` is set.
  package func printJSON(_ report: some Encodable) throws {
    if json { try writeJSON(report) }
  }
}

/// Writes an object as one line of JSON on standard output.
package func writeJSON(_ report: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  // JSON cannot express these, but a file may contain them.
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  try StandardOutput.writeLine(String(decoding: encoder.encode(report), as: UTF8.self))
}
