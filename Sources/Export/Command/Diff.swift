import ArgumentParser
import BollyGANExport
import BollyGANTerminal

/// Compares two files of weights.
struct Diff: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two files of weights; exit status 1 if they differ.",
    discussion: """
      Two generators, of any formats, are compared by their weights with normalisations folded \
      in, and by four faces of each. Other files are compared tensor by tensor.

      EXAMPLES

        Does model.onnx contain this generator?
          bollygan-export diff generator.safetensors model.onnx

        Does half precision change a pixel by less than 1/255 of its range?
          bollygan-export diff --tolerance 0.0078 generator.safetensors half.onnx
      """)

  @Argument(help: ArgumentHelp("The first file.", valueName: "a"))
  var first: String

  @Argument(help: ArgumentHelp("The second file.", valueName: "b"))
  var second: String

  @Option(
    help: ArgumentHelp(
      "Largest difference that counts as equal: between faces in -1...1 for two generators, "
        + "otherwise between tensors. 0 compares weights exactly.",
      valueName: "x"))
  var tolerance = 0.0

  @OptionGroup var report: ReportOptions

  func validate() throws {
    guard tolerance >= 0, tolerance.isFinite else {
      throw ValidationError("--tolerance \(tolerance) is not a number of at least 0.")
    }
    guard first != "-" || second != "-" else {
      throw ValidationError("Only one of the files can be standard input.")
    }
  }

  func run() async throws {
    let a = try CommandFailure.reading(first) { try FileContents(path: first) }
    let b = try CommandFailure.reading(second) { try FileContents(path: second) }
    let difference = FileDifference(a, b)
    let same = difference.isWithin(tolerance)
    if report.json {
      try report.printJSON(
        Summary(a: first, b: second, tolerance: tolerance, same: same, difference: difference))
    } else if !report.quiet {
      try StandardOutput.write(text(difference, same: same))
    }
    // The differences have been printed; only the status is left.
    if !same { throw CommandFailure(.checkFailed, "") }
  }

  private func text(_ difference: FileDifference, same: Bool) -> String {
    var lines: [String] = []
    if let generators = difference.generators {
      lines.append(
        "two generators: folded weights differ by up to \(generators.foldedWeights), "
          + "\(generators.count) faces by up to \(generators.faces)")
    }
    // In another format a generator's tensors have other names; the line above compares their
    // effect.
    if difference.generators != nil, !difference.onlyFirst.isEmpty || !difference.onlySecond.isEmpty
    {
      return (lines + [verdict(same)]).joined(separator: "\n") + "\n"
    }
    lines += difference.onlyFirst.map { "only in \(escaped(first)): \(escaped($0))" }
    lines += difference.onlySecond.map { "only in \(escaped(second)): \(escaped($0))" }
    lines += difference.otherShape.map { "different shape or type: \(escaped($0))" }
    lines += difference.tensors.map {
      "\(escaped($0.name)): \($0.count) values differ"
        + ($0.largest.map { ", by up to \(Float($0))" } ?? ", not all finite")
    }
    if difference.equal > 0 { lines.append("\(difference.equal) tensors are equal") }
    lines.append(verdict(same))
    return lines.joined(separator: "\n") + "\n"
  }

  private func verdict(_ same: Bool) -> String {
    guard same else { return "different" }
    return tolerance > 0 ? "the same within \(tolerance)" : "the same"
  }

  private struct Summary: Encodable {
    let schema = 1
    let command = "diff"
    let a, b: String
    let tolerance: Double
    let same: Bool
    let difference: FileDifference
  }
}
