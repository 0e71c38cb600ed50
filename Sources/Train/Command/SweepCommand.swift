import ArgumentParser
import BollyGANModel
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

/// Tries settings one after another.
struct SweepCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Try a list of settings one after another, and rank them.",
    discussion: """
      What to try stands in a file of JSON. Names are those of training's options, without dashes:

        {
          "data": "faces",
          "epochs": 6,
          "options": {"width": 32},
          "grid": {"lr": [0.0001, 0.0002, 0.0004], "batch": [64, 128]},
          "settings": [{"name": "hinge", "loss": "hinge"}, {"mirror": false}],
          "hopeless": 1.5,
          "patience": 2
        }

        bollygan-train sweep what.json --out sweeps/first

      grid gives every combination, settings are listed one by one, options hold for all. A setting \
      whose figure is "hopeless" times the best one at equal epochs is given up after "patience" \
      epochs, one that diverges by the guard. Each is a run of its own in the sweep's folder, which \
      can be gone on with for longer. Stop the sweep, or let the power fail, and give the same \
      command again: it goes on where it was.

      The table of all, best first, comes on standard output; sweep.html shows curves and faces.
      """)

  @Argument(
    help: ArgumentHelp("What to try.", valueName: "spec.json"),
    completion: .file(extensions: ["json"]))
  var spec: String

  @Option(
    help: ArgumentHelp("Folder for the runs and the page; made where missing.", valueName: "dir"),
    completion: .directory)
  var out: String

  @Flag(help: "Write the ranking to standard output as one JSON object.")
  var json = false

  @Flag(name: [.short, .long], help: "Say nothing but warnings, errors and the ranking.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      "Seconds between two lines where standard error is no terminal.", valueName: "seconds"))
  var reportEvery: Double = 10

  func run() async throws {
    let path = self.spec
    let spec: SweepSpec = try CommandFailure.reading(path) { () throws in
      try SweepSpec(bytes: readFile(path, limit: SweepSpec.limit))
    }
    // Every setting is looked at before the first one trains.
    for setting in spec.settings { _ = try training(setting, spec) }
    Interruption.watch()
    try makeFolder(out)
    let sweep = Sweep(
      spec: spec, folder: out, title: RunReport.name(of: out),
      say: { line in if !quiet { printError(line) } })
    try sweep.writePage()
    for (index, setting) in spec.settings.enumerated() {
      let train = try training(setting, spec)
      guard try !sweep.isDone(setting, epochs: train.recipe.epochs) else { continue }
      if !quiet { printError("\(index + 1) of \(spec.settings.count): \(setting.name)") }
      try await sweep.carryOut(setting, train, output: output())
      try sweep.writePage()
    }
    let ranking = SweepRanking(try sweep.entries())
    if json { return try printJSON(ranking) }
    try StandardOutput.write(Self.table(ranking).map { $0 + "\n" }.joined())
    if ranking.figure == nil {
      printError(
        "no run has measured a sliced Wasserstein distance (events of quality in log.jsonl), so "
          + "nothing is ranked: the settings stand in the order of the file")
    }
  }

  /// The command line of a setting's run, new or gone on with.
  private func training(_ setting: SweepSpec.Setting, _ spec: SweepSpec) throws -> Train {
    let path = "\(out)/\(setting.folder)"
    // A run whose folder has no record yet was killed before it began.
    let hasBegun = try CommandFailure.reading(path) { try RunFolder.holdsRun(path) }
    let task = hasBegun ? ["--resume", path] : ["--out", path, "--force"]
    do {
      return try Train.parse([spec.data] + task + setting.arguments)
    } catch {
      throw CommandFailure(
        .badData, file: self.spec, "setting \(quoted(setting.name)): \(Train.message(for: error))")
    }
  }

  private func output() throws -> OutputOptions {
    try OutputOptions.parse(
      ["--report-every", "\(reportEvery)"] + (quiet ? ["--quiet"] : []))
  }

  private static func table(_ ranking: SweepRanking) -> [String] {
    func text(_ value: Double?, digits: Int = 2) -> String {
      value.map { fixed($0, digits) } ?? "-"
    }
    let equal = ranking.equalEpochs.map { "by epoch \($0)" } ?? "equal epochs"
    let header = [
      "setting", "state", "rank", "epoch", "best", "in epoch", equal, "loss D", "loss G",
      "pictures/s",
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

/// The runs of a sweep and what became of them.
private final class Sweep {
  let spec: SweepSpec
  let folder: String
  let title: String
  let say: (String) -> Void
  private var sheets: [String: SampleSheets] = [:]

  init(spec: SweepSpec, folder: String, title: String, say: @escaping (String) -> Void) {
    self.spec = spec
    self.folder = folder
    self.title = title
    self.say = say
  }

  private func path(of setting: SweepSpec.Setting) -> String { "\(folder)/\(setting.folder)" }

  /// How every setting has done so far.
  func entries() throws -> [SweepEntry] {
    let hopeless = try decisions()
    return try spec.settings.map { setting in
      let path = path(of: setting)
      return try CommandFailure.reading(path) { () throws in
        guard try RunFolder.holdsRun(path) else {
          return SweepEntry(setting: setting, state: .waiting, record: nil, history: RunHistory())
        }
        let record = try RunFolder.record(in: path)
        let history = RunHistory(log: try RunLog.bytes(in: path))
        let state = RunState(history.phase, isRunning: try RunFolder.isInUse(path))
        let isHopeless = hopeless.contains(setting.folder) && state == .stopped
        return SweepEntry(
          setting: setting,
          state: isHopeless ? .hopeless : SweepEntry.State(rawValue: state.rawValue)!,
          record: record, history: history)
      }
    }
  }

  /// Whether nothing is left to do for a setting that is to have so many epochs; nil for as many as
  /// its run was begun for.
  func isDone(_ setting: SweepSpec.Setting, epochs: Int?) throws -> Bool {
    guard let entry = try entries().first(where: { $0.setting == setting }) else { return false }
    let begun = entry.record?.definition.recipe.epochs ?? 0
    return switch entry.state {
    case .finished: begun >= epochs ?? begun
    case .diverged, .hopeless: true
    default: false
    }
  }

  /// Trains with a setting to its end, or until it is given up.
  func carryOut(_ setting: SweepSpec.Setting, _ train: Train, output: OutputOptions) async throws {
    let path = path(of: setting)
    let display = Display(output)
    var history = RunHistory(log: try CommandFailure.reading(path) { try RunLog.bytes(in: path) })
    let others = try entries().filter { $0.setting != setting }.map(\.history)
    let judge = spec.hopeless.map { SweepJudge(factor: $0, patience: spec.patience) }
    var verdict: SweepJudge.Verdict?
    display.listener = { line in
      guard let event = LogEvent(line: line.text.utf8) else { return }
      history.add(event)
      if event.event == "quality" { verdict = judge?.verdict(on: history, among: others) }
    }
    var session = Session(
      task: train.task, recipe: train.recipe, execution: train.execution, display: display)
    session.isStopRequested = { Interruption.status != nil || verdict != nil }
    let (run, end) = try await session.outcome()
    switch end {
    case .finished: break
    case .diverged(let divergence): say("\(setting.name): \(divergence)")
    case .stopped:
      guard let verdict else {
        throw CommandFailure(
          Interruption.status ?? .interrupted,
          "stopped and saved; the same command goes on with the sweep")
      }
      try decide(setting, verdict, step: run.step)
      say(
        "\(setting.name): given up in epoch \(verdict.epoch), \(verdict.figure) "
          + "\(fixed(verdict.value, 2)) where another setting had \(fixed(verdict.best, 2))")
    }
  }

  // MARK: - Files

  private var decisionsPath: String { "\(folder)/sweep.jsonl" }

  /// Folders of the settings that were given up.
  private func decisions() throws -> Set<String> {
    let bytes: [UInt8]
    do {
      bytes = try readFile(decisionsPath, limit: 64 << 20)
    } catch .missing {
      return []
    } catch {
      throw CommandFailure(.inputOutput, file: decisionsPath, "\(error)")
    }
    let lines = bytes.split(separator: UInt8(ascii: "\n")).compactMap { LogEvent(line: $0) }
    return Set(lines.filter { $0.event == "hopeless" }.compactMap { $0.text("run") })
  }

  private func decide(
    _ setting: SweepSpec.Setting, _ verdict: SweepJudge.Verdict, step: Int
  ) throws {
    var line = LogLine(event: "hopeless", step: step, epoch: verdict.epoch)
    line.add("run", setting.folder)
    line.add("figure", verdict.figure)
    line.add("value", verdict.value)
    line.add("best", verdict.best)
    do throws(FileError) {
      let before: [UInt8]
      do throws(FileError) {
        before = try readFile(decisionsPath, limit: 64 << 20)
      } catch .missing { before = [] }
      try writeFile(before + Array("\(line.text)\n".utf8), to: decisionsPath, durably: true)
    } catch { throw CommandFailure(writing: error) }
  }

  /// Remakes the page.
  func writePage() throws {
    var shown: [String: SampleSheets.Sheet] = [:]
    for setting in spec.settings {
      let path = path(of: setting)
      guard isFolder(path), let epoch = try? RunFolder.sampleEpochs(in: path).last else { continue }
      shown[setting.folder] =
        sheets[setting.folder, default: SampleSheets()].sheets(of: [epoch]) {
          try RunFolder.sample(epoch: $0, in: path)
        }.last
    }
    let page = SweepPage(
      title: title, ranking: SweepRanking(try entries()), sheets: shown, time: RunReport.now)
    do {
      try writeFile(Array(page.html.utf8), to: "\(folder)/\(SweepPage.name)")
    } catch { throw CommandFailure(writing: error) }
  }
}
