/// Decides when a setting is no longer worth its time.
package struct SweepPruner: Equatable, Sendable {
  /// A setting is pruned once its metric exceeds the best one at equal epochs by this factor.
  package let factor: Double
  /// Epochs before which nothing is pruned.
  package let patience: Int

  package init(factor: Double, patience: Int) {
    self.factor = factor
    self.patience = patience
  }

  /// Why a setting is pruned.
  package struct Reason: Equatable, Sendable {
    /// The metric that was compared.
    package let metric: String
    /// The epoch of the comparison.
    package let epoch: Int
    /// The best value of the pruned setting so far.
    package let value: Double
    /// The best value of all others by the same epoch.
    package let best: Double
  }

  /// Compares a run with others by the best value of each up to the run's own epoch: what longer
  /// runs achieved later does not count against it.
  ///
  /// - Returns: Why to prune the run; nil to let it continue.
  package func reason(toPrune history: RunHistory, comparedWith others: [RunHistory]) -> Reason? {
    guard let metric = BestMetric.name(among: history.quality.names),
      let last = SweepEntry.measurements(of: metric, in: history).last?.epoch, last >= patience,
      let value = SweepEntry.best(of: metric, in: history, through: last),
      let best = others.compactMap({ SweepEntry.best(of: metric, in: $0, through: last) }).min(),
      best >= 0, value > factor * best
    else { return nil }
    return Reason(metric: metric, epoch: last, value: value, best: best)
  }
}
