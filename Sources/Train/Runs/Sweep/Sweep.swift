import BollyGANModel

/// A sweep in its folder: it trains with one setting after another and remembers which ones it
/// pruned.
///
/// Every setting has its own run in a subfolder. A sweep that was interrupted continues with the
/// first setting that is not done.
package final class Sweep {
  private let spec: SweepSpec
  private let folder: String
  /// Sample sheets that the page has shown before.
  private var sheets: [String: SampleSheets] = [:]

  package init(spec: SweepSpec, folder: String) {
    self.spec = spec
    self.folder = folder
  }

  /// Trains with every setting until it is finished, diverged or pruned.
  ///
  /// The page is rewritten after each.
  ///
  /// - Parameters:
  ///   - trainer: Executes the runs.
  ///   - say: Called with a line about the progress.
  /// - Throws: ``SweepFailure``, or what the trainer throws.
  package func run(_ trainer: some SweepTrainer, say: (String) -> Void) async throws {
    try writePage()
    for (index, setting) in spec.settings.enumerated() {
      guard try !isDone(setting, epochs: trainer.epochs(of: setting)) else { continue }
      say("\(index + 1) of \(spec.settings.count): \(setting.name)")
      try await train(setting, trainer, say: say)
      try writePage()
    }
  }

  /// The state of every setting.
  package func entries() throws(SweepFailure) -> [SweepEntry] {
    let pruned = try prunedRuns()
    var entries: [SweepEntry] = []
    for setting in spec.settings {
      let path = path(of: setting)
      do {
        entries.append(try entry(setting, path: path, isPruned: pruned.contains(setting.folder)))
      } catch { throw .cannotRead(path: path, error) }
    }
    return entries
  }

  private func entry(
    _ setting: SweepSpec.Setting, path: String, isPruned: Bool
  ) throws -> SweepEntry {
    guard try RunFolder.holdsRun(path) else {
      return SweepEntry(setting: setting, state: .waiting, record: nil, history: RunHistory())
    }
    let record = try RunFolder.record(in: path)
    let history = RunHistory(log: try RunLog.bytes(in: path))
    let state = RunState(history.phase, isRunning: try RunFolder.isInUse(path))
    return SweepEntry(
      setting: setting,
      state: isPruned && state == .stopped ? .pruned : SweepEntry.State(rawValue: state.rawValue)!,
      record: record, history: history)
  }

  private func path(of setting: SweepSpec.Setting) -> String { "\(folder)/\(setting.folder)" }

  /// Whether a setting needs no more training.
  ///
  /// - Parameter epochs: Epochs that it asks for; nil for the number that its run began with.
  private func isDone(_ setting: SweepSpec.Setting, epochs: Int?) throws(SweepFailure) -> Bool {
    guard let entry = try entries().first(where: { $0.setting == setting }) else { return false }
    let begun = entry.record?.definition.recipe.epochs ?? 0
    return switch entry.state {
    case .finished: begun >= epochs ?? begun
    case .diverged, .pruned: true
    default: false
    }
  }

  private func train(
    _ setting: SweepSpec.Setting, _ trainer: some SweepTrainer, say: (String) -> Void
  ) async throws {
    let all = try entries()
    var history = all.first { $0.setting == setting }?.history ?? RunHistory()
    let others = all.filter { $0.setting != setting }.map(\.history)
    let pruner = spec.hopeless.map { SweepPruner(factor: $0, patience: spec.patience) }
    var reason: SweepPruner.Reason?
    let (step, end) = try await trainer.train(
      setting,
      logged: { event in
        history.add(event)
        if event.event == "quality" {
          reason = pruner?.reason(toPrune: history, comparedWith: others)
        }
      }, isStopRequested: { reason != nil })
    switch end {
    case .finished: break
    case .diverged(let divergence): say("\(setting.name): \(divergence)")
    case .stopped:
      guard let reason else { throw SweepFailure.interrupted }
      try recordPruned(setting, reason, step: step)
      let (value, best) = (shortNumber(reason.value), shortNumber(reason.best))
      say(
        "\(setting.name): pruned in epoch \(reason.epoch), \(reason.metric) is \(value) against "
          + "\(best) for the best setting")
    }
  }

  // MARK: - Files

  /// Events of the sweep itself: which settings were pruned, and why.
  private var logPath: String { "\(folder)/sweep.jsonl" }
  /// Largest accepted size of that log in bytes.
  private static let logLimit = 64 << 20

  private func logBytes() throws(FileError) -> [UInt8] {
    do {
      return try readFile(logPath, limit: Self.logLimit)
    } catch .missing {
      return []
    }
  }

  /// Folders of the settings that were pruned.
  private func prunedRuns() throws(SweepFailure) -> Set<String> {
    let bytes: [UInt8]
    do { bytes = try logBytes() } catch { throw .cannotRead(path: logPath, error) }
    let events = bytes.split(separator: UInt8(ascii: "\n")).compactMap { LogEvent(line: $0) }
    return Set(events.filter { $0.event == "hopeless" }.compactMap { $0.text("run") })
  }

  private func recordPruned(
    _ setting: SweepSpec.Setting, _ reason: SweepPruner.Reason, step: Int
  ) throws(SweepFailure) {
    let event = LogEvent(
      "hopeless", step: step, epoch: reason.epoch,
      [
        .init("run", setting.folder), .init("figure", reason.metric),
        .init("value", reason.value), .init("best", reason.best),
      ])
    do {
      try writeFile(logBytes() + Array("\(event.json)\n".utf8), to: logPath, durably: true)
    } catch { throw .cannotWrite(error) }
  }

  /// Rewrites the page.
  private func writePage() throws(SweepFailure) {
    var shown: [String: SampleSheets.Sheet] = [:]
    for setting in spec.settings {
      let path = path(of: setting)
      guard let epoch = try? RunFolder.sampleEpochs(in: path).last else { continue }
      shown[setting.folder] =
        sheets[setting.folder, default: SampleSheets()].sheets(of: [epoch]) {
          try RunFolder.sample(epoch: $0, in: path)
        }.last
    }
    let page = SweepPage(
      title: RunReport.name(of: folder), ranking: SweepRanking(try entries()), sheets: shown,
      time: RunReport.now)
    do {
      try writeFile(Array(page.html.utf8), to: "\(folder)/\(SweepPage.name)")
    } catch { throw .cannotWrite(error) }
  }
}

/// Executes the runs of a sweep. The command implements it, because it turns options into runs.
package protocol SweepTrainer {
  /// The epochs that a setting asks for; nil to leave the number to its recipe.
  func epochs(of setting: SweepSpec.Setting) throws -> Int?

  /// Starts the run of a setting, or resumes it.
  ///
  /// - Parameters:
  ///   - setting: The setting to train with.
  ///   - logged: Called with every event of the run.
  ///   - isStopRequested: Asked before every step whether to stop.
  /// - Returns: Steps made, and how the run ended.
  func train(
    _ setting: SweepSpec.Setting, logged: @escaping (LogEvent) -> Void,
    isStopRequested: @escaping () -> Bool
  ) async throws -> (step: Int, end: RunEnd)
}

/// Why a sweep ends early.
package enum SweepFailure: Error {
  case cannotRead(path: String, any Error)
  case cannotWrite(FileError)
  /// The user interrupted it; everything is saved.
  case interrupted
}
