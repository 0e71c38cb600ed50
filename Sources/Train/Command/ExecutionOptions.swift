import ArgumentParser
import BollyGANInfer
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

// Options that say how a run is executed; they do not change its weights.

extension InstructionSet: ExpressibleByArgument {
  var isAvailable: Bool { InstructionSet.available.contains(self) }
}

extension Cadence: ExpressibleByArgument {
  /// In the form that ``Cadence/init(_:)`` reads.
  public init?(argument: String) { self.init(argument) }
}

extension RunOptions.SampleStatistics: ExpressibleByArgument {}
extension EngineName: ExpressibleByArgument {}
extension DivergenceAction: ExpressibleByArgument {}

/// Options that change no weight: how far to train, how often to save, how fast to compute.
struct ExecutionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Stop after this many steps, even within an epoch.", valueName: "n"))
  var maxSteps: Int?

  @Option(
    help: ArgumentHelp(
      "Write a checkpoint every n epochs, or every n steps if written as 200steps. (default: 1)",
      valueName: "n"))
  var checkpointEvery: Cadence?

  @Option(
    help: ArgumentHelp(
      "Write a sample sheet every n epochs; 0 for none. (default: 1)", valueName: "n"))
  var samplesEvery: Int?

  @Option(
    help: ArgumentHelp(
      "Measure quality every n epochs and after the last one; 0 for never. The best generator and "
        + "its checkpoint are kept. (default: \(Self.qualityEvery))",
      valueName: "n"))
  var qualityEvery: Int?

  @Option(
    help: ArgumentHelp(
      "Batch norm statistics for samples: running, as when the weights are used later, or batch, "
        + "those of the sheet itself, as in the notebooks. (default: running; batch in tutorial "
        + "and article)",
      valueName: "statistics"))
  var sampleBn: RunOptions.SampleStatistics?

  @Option(
    help: ArgumentHelp(
      "Number of threads; it does not affect the weights. "
        + "(default: the processors available to this process)", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Instruction set: \(InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")). "
        + "(default: the best one this processor supports, \(InstructionSet.best.rawValue))",
      valueName: "set"))
  var kernels: InstructionSet?

  @Option(
    help: ArgumentHelp(
      "Training engine: fast, or plain (simple loops for comparison, very slow). "
        + "(default: \(EngineName.standard.rawValue))", valueName: "engine"))
  var engine: EngineName?

  @Option(
    name: .customLong("guard"),
    help: ArgumentHelp(
      "What to do when training diverges: stop (status 3), rollback (return to a checkpoint from "
        + "before the failure and continue with half the learning rates, at most "
        + "\(Rollbacks.limit) times), or off, which disables every check except NaN/Inf. "
        + "(default: stop)",
      valueName: "action"))
  var onDivergence: DivergenceAction?

  @Flag(help: "Stop with status 65 at the first unreadable image instead of skipping it.")
  var strict = false

  /// Often enough to find a good generator, rarely enough for its cost not to matter.
  private static let qualityEvery = 5

  func validate() throws {
    if let maxSteps, maxSteps < 1 {
      throw ValidationError("--max-steps must be at least 1, got \(maxSteps).")
    }
    if let samplesEvery, samplesEvery < 0 {
      throw ValidationError("--samples-every must not be negative, got \(samplesEvery).")
    }
    if let qualityEvery, qualityEvery < 0 {
      throw ValidationError("--quality-every must not be negative, got \(qualityEvery).")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1 to 1024, got \(threads).")
    }
    if let kernels, !kernels.isAvailable {
      let available = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
      throw ValidationError(
        "This processor does not support --kernels \(kernels.rawValue), only \(available).")
    }
  }

  /// The options of a run: those it had before (`base`), or the defaults, with what the user
  /// changed.
  func applied(to base: RunOptions?, recipe: Recipe, endsByEpochs: Bool) -> RunOptions {
    var options =
      base
      ?? RunOptions(
        qualityEvery: Self.qualityEvery,
        sampleStatistics: ["tutorial", "article"].contains(recipe.name) ? .batch : .running)
    // A new number of epochs replaces an earlier --max-steps.
    if maxSteps != nil || endsByEpochs { options.maximumSteps = maxSteps }
    options.checkpointEvery = checkpointEvery ?? options.checkpointEvery
    options.samplesEvery = samplesEvery ?? options.samplesEvery
    options.qualityEvery = qualityEvery ?? options.qualityEvery
    options.sampleStatistics = sampleBn ?? options.sampleStatistics
    options.onDivergence = onDivergence ?? options.onDivergence
    options.threads = threads ?? processorCount
    let engine = engine ?? base.flatMap { EngineName(rawValue: $0.engine) } ?? .standard
    options.engine = engine.rawValue
    // The instruction set that the run began with, if this processor supports it.
    let begun = base.flatMap { InstructionSet(rawValue: $0.kernels) }
    options.kernels = (kernels ?? (begun?.isAvailable == true ? begun : nil) ?? .best).rawValue
    return options
  }
}

/// Options for what the command prints.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Write every event to standard output as a line of JSON, as in log.jsonl.")
  var json = false

  @Flag(name: [.short, .long], help: "Print only warnings and errors.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      "Seconds between progress lines if standard error is not a terminal.", valueName: "seconds"))
  var reportEvery: Double = 10

  func validate() throws {
    guard reportEvery >= 0 else {
      throw ValidationError("--report-every must not be negative, got \(reportEvery).")
    }
  }
}
