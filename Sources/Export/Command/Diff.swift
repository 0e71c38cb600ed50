import ArgumentParser
import BollyGANExport
import BollyGANTerminal

/// Says how two files differ.
struct Diff: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say how two files of weights differ; status 1 where they do.",
    discussion: """
      Two generators, of whatever formats, are compared by what they do: their weights with \
      normalisations folded in, and four faces of each. Other files are compared tensor by tensor.

      EXAMPLES

        Is this file that generator?
          bollygan-export diff generator.safetensors model.onnx

        Does half precision change faces by less than a step of 8 bits?
          bollygan-export diff --tolerance 0.0078 generator.safetensors half.onnx
      """)

  @Argument(help: ArgumentHelp("One file.", valueName: "a"))
  var first: String

  @Argument(help: ArgumentHelp("The other.", valueName: "b"))
  var second: String

  @Option(
    help: ArgumentHelp(
      "Largest difference that counts as none: of faces' numbers in -1...1 for two generators, of "
        + "tensors' numbers otherwise. 0 compares weights exactly.",
      valueName: "x"))
  var tolerance = 0.0

  @OptionGroup var report: ReportOptions

  func validate() throws {
    guard tolerance >= 0, tolerance.isFinite else {
      throw ValidationError("--tolerance \(tolerance) is not 0 or more.")
    }
    guard first != "-" || second != "-" else {
      throw ValidationError("Standard input is one file only.")
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
    // The status says it, and what differs has been said.
    if !same { throw CommandFailure(.notSo, "") }
  }

  private func text(_ difference: FileDifference, same: Bool) -> String {
    var lines: [String] = []
    if let generators = difference.generators {
      lines.append(
        "two generators: folded weights differ by up to \(generators.foldedWeights), "
          + "\(generators.count) faces by up to \(generators.faces)")
    }
    // Of another format, a generator's tensors have other names; what they do was compared.
    if difference.generators != nil, !difference.onlyFirst.isEmpty || !difference.onlySecond.isEmpty
    {
      return (lines + [verdict(same)]).joined(separator: "\n") + "\n"
    }
    lines += difference.onlyFirst.map { "only in \(escaped(first)): \(escaped($0))" }
    lines += difference.onlySecond.map { "only in \(escaped(second)): \(escaped($0))" }
    lines += difference.otherShape.map { "of another shape or type: \(escaped($0))" }
    lines += difference.tensors.map {
      "\(escaped($0.name)): \($0.count) numbers differ"
        + ($0.largest.map { ", by up to \(Float($0))" } ?? ", some not finite")
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
