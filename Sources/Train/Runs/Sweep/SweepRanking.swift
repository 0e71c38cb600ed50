import BollyGANTraining

/// How one setting of a sweep has done so far.
package struct SweepEntry: Sendable {
  /// What became of a setting, or what will.
  package enum State: String, Sendable, Encodable {
    case waiting, running, finished, stopped, diverged, killed
    /// Given up by the sweep, for its figure was far behind.
    case hopeless
  }

  package let setting: SweepSpec.Setting
  package let state: State
  package let record: RunRecord?
  package let history: RunHistory

  package init(
    setting: SweepSpec.Setting, state: State, record: RunRecord?, history: RunHistory
  ) {
    self.setting = setting
    self.state = state
    self.record = record
    self.history = history
  }

  /// Values of a figure that was measured now and again, by epoch.
  package static func measurements(
    of name: String, in history: RunHistory
  ) -> [(epoch: Int, value: Double)] {
    guard let curve = history.quality[name], let steps = history.stepsPerEpoch else { return [] }
    return curve.points.map { (($0.last + steps - 1) / steps, $0.low) }
  }

  /// The lowest value up to an epoch; nil where there is none yet.
  package static func best(
    of name: String, in history: RunHistory, through epoch: Int
  ) -> Double? {
    measurements(of: name, in: history).filter { $0.epoch <= epoch }.map(\.value).min()
  }
}

/// Decides when a setting is not worth its time any more.
package struct SweepJudge: Equatable, Sendable {
  /// How many times the best figure at equal epochs is hopeless.
  package let factor: Double
  /// Epochs before which nothing is judged.
  package let patience: Int

  package init(factor: Double, patience: Int) {
    self.factor = factor
    self.patience = patience
  }

  /// Why a run is given up.
  package struct Verdict: Equatable, Sendable {
    package let figure: String
    package let epoch: Int
    /// The run's best so far.
    package let value: Double
    /// The best of the others, by the same epoch.
    package let best: Double
  }

  /// Compares a run with others by the best that each has had up to the run's own epoch: runs that
  /// have come farther are held against it only as far as it has come itself.
  package func verdict(on history: RunHistory, among others: [RunHistory]) -> Verdict? {
    guard let figure = BestFigure.name(among: history.quality.names),
      let last = SweepEntry.measurements(of: figure, in: history).last?.epoch, last >= patience,
      let value = SweepEntry.best(of: figure, in: history, through: last),
      let best = others.compactMap({ SweepEntry.best(of: figure, in: $0, through: last) }).min(),
      best >= 0, value > factor * best
    else { return nil }
    return Verdict(figure: figure, epoch: last, value: value, best: best)
  }
}

/// The settings of a sweep, the best first.
package struct SweepRanking: Sendable, Encodable {
  package struct Row: Sendable, Encodable {
    /// 1 for the best; nil for one without a figure, or diverged.
    package let rank: Int?
    package let setting: String
    /// The run's folder within the sweep's.
    package let run: String
    package let state: SweepEntry.State
    package let epoch: Int
    package let epochs: Int?
    /// The figure at its best, and the epoch of that.
    package let best: Double?
    package let bestEpoch: Int?
    /// Its best by the last epoch that all ranked settings have been measured in.
    package let atEqualEpochs: Double?
    package let lossD: Double?
    package let lossG: Double?
    package let picturesPerSecond: Double?

    private enum CodingKeys: String, CodingKey {
      case rank, setting, run, state, epoch, epochs, best
      case bestEpoch = "best_epoch"
      case atEqualEpochs = "at_equal_epochs"
      case lossD = "loss_d"
      case lossG = "loss_g"
      case picturesPerSecond = "pictures_per_second"
    }
  }

  /// Grows when a field changes its meaning or goes away.
  package let schema = 1
  /// What the settings are ranked by; nil where no run has measured it.
  package let figure: String?
  /// The last epoch in which all ranked settings were measured.
  package let equalEpochs: Int?
  package let rows: [Row]
  /// The entries in the rows' order.
  package let entries: [SweepEntry]

  private enum CodingKeys: String, CodingKey {
    case schema, figure, rows
    case equalEpochs = "equal_epochs"
  }

  package init(_ all: [SweepEntry]) {
    let figure = all.lazy.compactMap { BestFigure.name(among: $0.history.quality.names) }.first
    self.figure = figure
    func measured(_ entry: SweepEntry) -> [(epoch: Int, value: Double)] {
      figure.map { SweepEntry.measurements(of: $0, in: entry.history) } ?? []
    }
    func best(_ entry: SweepEntry) -> (epoch: Int, value: Double)? {
      measured(entry).min { $0.value < $1.value }
    }
    // What diverged may have been good before; nobody wants its weights.
    let ranked = all.filter { $0.state != .diverged && best($0) != nil }
      .sorted { best($0)!.value < best($1)!.value }
    let places = Set(ranked.map(\.setting.folder))
    entries = ranked + all.filter { !places.contains($0.setting.folder) }
    let equal = ranked.compactMap { measured($0).last?.epoch }.min()
    equalEpochs = equal
    rows = entries.enumerated().map { index, entry in
      let history = entry.history
      func latest(_ key: String) -> Double? {
        history.epochs[key]?.latest ?? history.steps[key]?.latest
      }
      let isRanked = index < ranked.count
      return Row(
        rank: isRanked ? index + 1 : nil, setting: entry.setting.name, run: entry.setting.folder,
        state: entry.state, epoch: history.epoch, epochs: entry.record?.definition.recipe.epochs,
        best: best(entry)?.value, bestEpoch: best(entry)?.epoch,
        atEqualEpochs: isRanked
          ? figure.flatMap { name in
            equal.flatMap { SweepEntry.best(of: name, in: history, through: $0) }
          } : nil,
        lossD: latest("loss_d"), lossG: latest("loss_g"),
        picturesPerSecond: history.epochs["pictures_per_second"]?.latest)
    }
  }
}
