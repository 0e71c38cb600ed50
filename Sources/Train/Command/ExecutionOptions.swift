import ArgumentParser
import BollyGANInfer
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

extension InstructionSet: ExpressibleByArgument {
  var isAvailable: Bool { InstructionSet.available.contains(self) }
}

extension Cadence: ExpressibleByArgument {
  /// As ``Cadence/init(_:)`` reads it.
  public init?(argument: String) { self.init(argument) }
}

extension RunOptions.SampleStatistics: ExpressibleByArgument {}
extension EngineName: ExpressibleByArgument {}
extension DivergenceAction: ExpressibleByArgument {}

/// What changes no weight: how far, how often, how fast.
struct ExecutionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("End after this many steps, even within an epoch.", valueName: "n"))
  var maxSteps: Int?

  @Option(
    help: ArgumentHelp(
      "How often to write a checkpoint: a number of epochs, or of steps as in 200steps. "
        + "(default: 1)", valueName: "n"))
  var checkpointEvery: Cadence?

  @Option(
    help: ArgumentHelp(
      "Epochs between two sheets of samples; 0 for none. (default: 1)", valueName: "epochs"))
  var samplesEvery: Int?

  @Option(
    help: ArgumentHelp(
      "Epochs between two measurements of quality, one after the last epoch beside; 0 for none. "
        + "The best generator and its checkpoint are kept. (default: \(Self.qualityEvery))",
      valueName: "epochs"))
  var qualityEvery: Int?

  @Option(
    help: ArgumentHelp(
      "How samples are normalised: running, as whoever uses the weights does, or batch, by their "
        + "own statistics, as the notebooks do. (default: running; batch in tutorial and article)",
      valueName: "how"))
  var sampleBn: RunOptions.SampleStatistics?

  @Option(
    help: ArgumentHelp(
      "Threads to use; they never change a weight. "
        + "(default: the processors this process may use)", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Instruction set: \(InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")). "
        + "(default: the best this processor has, \(InstructionSet.best.rawValue))",
      valueName: "set"))
  var kernels: InstructionSet?

  @Option(
    help: ArgumentHelp(
      "What makes the steps: fast, or plain (clear loops to compare with, very slow). "
        + "(default: \(EngineName.best.rawValue))", valueName: "engine"))
  var engine: EngineName?

  @Option(
    name: .customLong("guard"),
    help: ArgumentHelp(
      "What to do when training has failed: stop (status 3), rollback (go on from a checkpoint "
        + "before it with half the learning rates, at most \(TrainingRun.mostRollbacks) times), or "
        + "off. (default: stop)", valueName: "action"))
  var onDivergence: DivergenceAction?

  @Flag(help: "End with status 65 at the first picture that cannot be read; do not skip it.")
  var strict = false

  /// Often enough to find a good generator, seldom enough that the time does not matter.
  private static let qualityEvery = 5

  func validate() throws {
    if let maxSteps, maxSteps < 1 {
      throw ValidationError("--max-steps \(maxSteps) is less than 1.")
    }
    if let samplesEvery, samplesEvery < 0 {
      throw ValidationError("--samples-every \(samplesEvery) is less than 0.")
    }
    if let qualityEvery, qualityEvery < 0 {
      throw ValidationError("--quality-every \(qualityEvery) is less than 0.")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads) is not in 1...1024.")
    }
    if let kernels, !kernels.isAvailable {
      let available = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
      throw ValidationError(
        "This processor cannot run --kernels \(kernels.rawValue); it can run \(available).")
    }
  }

  /// The options of a run that had these, or of a new one.
  func applied(to base: RunOptions?, recipe: Recipe, endsByEpochs: Bool) -> RunOptions {
    var options =
      base
      ?? RunOptions(
        qualityEvery: Self.qualityEvery,
        sampleStatistics: ["tutorial", "article"].contains(recipe.name) ? .batch : .running)
    // Who asks for epochs no longer means the steps that were asked for before.
    if maxSteps != nil || endsByEpochs { options.maximumSteps = maxSteps }
    options.checkpointEvery = checkpointEvery ?? options.checkpointEvery
    options.samplesEvery = samplesEvery ?? options.samplesEvery
    options.qualityEvery = qualityEvery ?? options.qualityEvery
    options.sampleStatistics = sampleBn ?? options.sampleStatistics
    options.onDivergence = onDivergence ?? options.onDivergence
    options.threads = threads ?? processorCount
    let engine = engine ?? base.flatMap { EngineName(rawValue: $0.engine) } ?? .best
    options.engine = engine.rawValue
    // What a run began with, where this processor has it.
    let begun = base.flatMap { InstructionSet(rawValue: $0.kernels) }
    options.kernels = (kernels ?? (begun?.isAvailable == true ? begun : nil) ?? .best).rawValue
    return options
  }
}

/// What the user wants to see.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Write every event to standard output as a line of JSON, as in log.jsonl.")
  var json = false

  @Flag(name: [.short, .long], help: "Say nothing but warnings and errors.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      "Seconds between two lines where standard error is no terminal.", valueName: "seconds"))
  var reportEvery: Double = 10

  func validate() throws {
    guard reportEvery >= 0 else {
      throw ValidationError("--report-every \(reportEvery) is less than 0.")
    }
  }
}
