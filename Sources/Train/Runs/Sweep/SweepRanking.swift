/// The settings of a sweep, best first.
package struct SweepRanking: Sendable, Encodable {
  /// A setting as it is listed.
  package struct Row: Sendable, Encodable {
    /// 1 for the best; nil for a setting that diverged or was not measured.
    package let rank: Int?
    /// The name of the setting.
    package let setting: String
    /// The run's folder within the sweep's folder.
    package let run: String
    /// How far it is.
    package let state: SweepEntry.State
    /// The latest epoch, counted from 1.
    package let epoch: Int
    /// Epochs in the whole run; nil before it begins.
    package let epochs: Int?
    /// The best value of the metric, and its epoch.
    package let best: Double?
    package let bestEpoch: Int?
    /// The best value by ``SweepRanking/equalEpochs``.
    package let atEqualEpochs: Double?
    /// Mean losses of the last epoch.
    package let lossD: Double?
    package let lossG: Double?
    /// Training speed in the last epoch, in images per second.
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

  /// Raised when a field is removed or changes its meaning.
  package let schema = 1
  /// The metric of the ranking; nil if no run has measured one.
  package let metric: String?
  /// The last epoch by which all ranked settings were measured.
  package let equalEpochs: Int?
  /// One row per setting, best first.
  package let rows: [Row]
  /// The entries in the order of the rows.
  package let entries: [SweepEntry]

  private enum CodingKeys: String, CodingKey {
    case schema, rows
    case metric = "figure"
    case equalEpochs = "equal_epochs"
  }

  package init(_ all: [SweepEntry]) {
    let metric = all.lazy.compactMap { BestMetric.name(among: $0.history.quality.names) }.first
    self.metric = metric
    func measured(_ entry: SweepEntry) -> [(epoch: Int, value: Double)] {
      metric.map { SweepEntry.measurements(of: $0, in: entry.history) } ?? []
    }
    func best(_ entry: SweepEntry) -> (epoch: Int, value: Double)? {
      measured(entry).min { $0.value < $1.value }
    }
    // A diverged run may have been good before, but its weights are of no use.
    let ranked = all.filter { $0.state != .diverged && best($0) != nil }
      .sorted { best($0)!.value < best($1)!.value }
    let rankedFolders = Set(ranked.map(\.setting.folder))
    entries = ranked + all.filter { !rankedFolders.contains($0.setting.folder) }
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
          ? metric.flatMap { name in
            equal.flatMap { SweepEntry.best(of: name, in: history, through: $0) }
          } : nil,
        lossD: latest("loss_d"), lossG: latest("loss_g"),
        picturesPerSecond: history.epochs["pictures_per_second"]?.latest)
    }
  }
}
