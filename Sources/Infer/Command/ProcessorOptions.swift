import ArgumentParser
import BollyGANInfer
import BollyGANModel
import BollyGANTerminal

// `--threads` and `--kernels`.

extension InstructionSet: ExpressibleByArgument {}

/// Options for the use of the processor. None of them changes the result.
struct ProcessorOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Number of threads. Does not change the result. (default: all available processors)",
      valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Instruction set: \(InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")). "
        + "(default: the best of this processor, \(InstructionSet.best.rawValue))",
      valueName: "set"))
  var kernels: InstructionSet?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1 to 1024, not \(threads).")
    }
    if let kernels, !InstructionSet.available.contains(kernels) {
      let available = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
      throw ValidationError(
        "This processor cannot run --kernels \(kernels.rawValue); it can run \(available).")
    }
  }

  /// The number of threads to use.
  var threadCount: Int { threads ?? Generator.processors }

  /// A generator with these options.
  func generator(_ weights: GeneratorWeights) -> Generator {
    Generator(weights, instructionSet: kernels ?? .best, threads: threadCount)
  }
}

/// How long to measure, and how to print the figures.
struct MeasuringOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Seconds to measure for each figure.", valueName: "seconds"))
  var seconds: Double = 0.3

  @Flag(help: "Print the figures as one JSON object.")
  var json = false

  func validate() throws {
    if !(0.001...60).contains(seconds) {
      throw ValidationError("--seconds must be 0.001 to 60, not \(seconds).")
    }
  }

  /// Prints a report as JSON if asked to, else as lines of text.
  func print(_ report: some Encodable, _ lines: [String]) throws {
    guard json else {
      for line in lines { try StandardOutput.writeLine(line) }
      return
    }
    try printJSON(report)
  }
}
