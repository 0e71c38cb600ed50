import ArgumentParser
import BollyGANModel
import BollyGANRuns
import BollyGANTerminal

/// Trains with one setting after another and ranks them.
struct SweepCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Try a list of hyperparameter settings and rank them.",
    discussion: """
      A JSON file lists the settings. Its keys are long option names of training, without dashes:

        {
          "data": "faces",
          "epochs": 6,
          "options": {"width": 32},
          "grid": {"lr": [0.0001, 0.0002, 0.0004], "batch": [64, 128]},
          "settings": [{"name": "hinge", "loss": "hinge"}, {"mirror": false}],
          "hopeless": 1.5,
          "patience": 2
        }

        bollygan-train sweep settings.json --out sweeps/first

      "grid" stands for every combination of its values, "settings" are listed one by one, and \
      "options" apply to all. A setting whose metric is "hopeless" times the best one at equal \
      epochs is pruned after "patience" epochs; one that diverges is ended by the guard. Every \
      setting is a run in the sweep's folder that can be resumed for more epochs. To continue an \
      interrupted sweep, repeat the command.

      The ranking, best first, is written to standard output; sweep.html shows curves and faces.
      """)

  @Argument(
    help: ArgumentHelp("The settings to try.", valueName: "spec.json"),
    completion: .file(extensions: ["json"]))
  var spec: String

  @Option(
    help: ArgumentHelp("Folder for the runs and the page, created if necessary.", valueName: "dir"),
    completion: .directory)
  var out: String

  @Flag(help: "Write the ranking to standard output as one JSON object.")
  var json = false

  @Flag(name: [.short, .long], help: "Print only warnings, errors and the ranking.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      "Seconds between progress lines if standard error is not a terminal.", valueName: "seconds"))
  var reportEvery: Double = 10

  func run() async throws {
    let spec: SweepSpec = try CommandFailure.reading(self.spec) { () throws in
      try SweepSpec(bytes: readFile(self.spec, limit: SweepSpec.limit))
    }
    let trainer = SettingTrainer(command: self, spec: spec)
    // Check every setting before the first one trains.
    for setting in spec.settings { _ = try trainer.parse(setting) }
    Interruption.watch()
    try makeFolder(out)
    let ranking: SweepRanking
    do {
      let sweep = Sweep(spec: spec, folder: out)
      try await sweep.run(trainer, say: { line in if !quiet { printError(line) } })
      ranking = SweepRanking(try sweep.entries())
    } catch let failure as SweepFailure {
      throw Self.commandFailure(failure)
    }
    if json { return try printJSON(ranking) }
    try StandardOutput.write(Self.table(ranking).map { $0 + "\n" }.joined())
    if ranking.metric == nil {
      printError(
        "not ranked, because no run has measured a sliced Wasserstein distance; the settings are "
          + "in the order of the file")
    }
  }

  private static func commandFailure(_ failure: SweepFailure) -> any Error {
    switch failure {
    case .cannotRead(let path, let error):
      do {
        return try CommandFailure.reading(path) { () throws -> any Error in throw error }
      } catch { return error }
    case .cannotWrite(let error): return CommandFailure(writing: error)
    case .interrupted:
      return CommandFailure(
        Interruption.status ?? .interrupted,
        "stopped and saved; repeat the command to continue the sweep")
    }
  }

  private static func table(_ ranking: SweepRanking) -> [String] {
    func text(_ value: Double?, digits: Int = 2) -> String {
      value.map { fixed($0, digits) } ?? "-"
    }
    let equal = ranking.equalEpochs.map { "by epoch \($0)" } ?? "equal epochs"
    let header = [
      "setting", "state", "rank", "epoch", "best", "in epoch", equal, "loss D", "loss G",
      "images/s",
    ]
    let rows = ranking.rows.map { row in
      [
        escaped(row.setting), row.state.rawValue, row.rank.map { "\($0)" } ?? "-",
        "\(row.epoch)\(row.epochs.map { "/\($0)" } ?? "")", text(row.best),
        row.bestEpoch.map { "\($0)" } ?? "-", text(row.atEqualEpochs), text(row.lossD),
        text(row.lossG), text(row.picturesPerSecond, digits: 0),
      ]
    }
    return tableLines([header] + rows, left: 2)
  }
}

/// Turns the settings of a sweep into training commands and executes them.
private struct SettingTrainer: SweepTrainer {
  let command: SweepCommand
  let spec: SweepSpec

  /// The training command for a setting: for a new run, or to resume the one in its folder.
  func parse(_ setting: SweepSpec.Setting) throws -> Train {
    let path = "\(command.out)/\(setting.folder)"
    // A folder without run.json is from a process that was killed before its run began.
    let hasBegun = try CommandFailure.reading(path) { try RunFolder.holdsRun(path) }
    let task = hasBegun ? ["--resume", path] : ["--out", path, "--force"]
    do {
      return try Train.parse([spec.data] + task + setting.arguments)
    } catch {
      throw CommandFailure(
        .badData, file: command.spec,
        "setting \(quoted(setting.name)): \(Train.message(for: error))")
    }
  }

  func epochs(of setting: SweepSpec.Setting) throws -> Int? { try parse(setting).recipe.epochs }

  func train(
    _ setting: SweepSpec.Setting, logged: @escaping (LogEvent) -> Void,
    isStopRequested: @escaping () -> Bool
  ) async throws -> (step: Int, end: RunEnd) {
    let train = try parse(setting)
    let display = Display(
      try OutputOptions.parse(
        ["--report-every", "\(command.reportEvery)"] + (command.quiet ? ["--quiet"] : [])))
    display.listener = logged
    let session = TrainingSession(
      task: train.task, recipe: train.recipe, execution: train.execution, display: display,
      isStopRequested: { Interruption.status != nil || isStopRequested() })
    let (run, end) = try await session.outcome()
    return (run.step, end)
  }
}
