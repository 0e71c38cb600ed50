import ArgumentParser
import BollyGANInfer
import BollyGANModel
import BollyGANTerminal

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension InstructionSet: ExpressibleByArgument {}

/// What of the processor is used; nothing here changes a picture.
struct ProcessorOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Threads to use; they never change the result. (default: the processors this process may use)",
      valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Instruction set: \(InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")). "
        + "(default: the best this processor has, \(InstructionSet.best.rawValue))",
      valueName: "set"))
  var kernels: InstructionSet?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads) is not in 1...1024.")
    }
    if let kernels, !InstructionSet.available.contains(kernels) {
      let available = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
      throw ValidationError(
        "This processor cannot run --kernels \(kernels.rawValue); it can run \(available).")
    }
  }

  var threadCount: Int { threads ?? Generator.processors }

  func generator(_ weights: GeneratorWeights) -> Generator {
    Generator(weights, instructionSet: kernels ?? .best, threads: threadCount)
  }
}

/// How long something is measured, and in which form the figures are printed.
struct MeasuringOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Time for each figure, in seconds.", valueName: "seconds"))
  var seconds: Double = 0.3

  @Flag(help: "Print one JSON object on standard output.")
  var json = false

  func validate() throws {
    if !(0.001...60).contains(seconds) {
      throw ValidationError("--seconds \(seconds) is not in 0.001...60.")
    }
  }

  /// Prints a report as JSON, or as lines for people.
  func print(_ report: some Encodable, _ lines: [String]) throws {
    guard json else {
      for line in lines { try StandardOutput.writeLine(line) }
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try StandardOutput.writeLine(String(decoding: encoder.encode(report), as: UTF8.self))
  }
}
