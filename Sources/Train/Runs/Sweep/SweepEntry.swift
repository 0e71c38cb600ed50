/// The state of one setting of a sweep.
package struct SweepEntry: Sendable {
  /// The state of a run, or of a setting without one.
  package enum State: String, Sendable, Encodable {
    case waiting, running, finished, stopped, diverged, killed
    /// Ended early by the sweep because its metric was far worse than the best.
    case pruned = "hopeless"
  }

  /// The setting itself.
  package let setting: SweepSpec.Setting
  /// How far it is.
  package let state: State
  /// Nil if the run has not begun.
  package let record: RunRecord?
  /// The course of its run; empty if that has not begun.
  package let history: RunHistory

  package init(
    setting: SweepSpec.Setting, state: State, record: RunRecord?, history: RunHistory
  ) {
    self.setting = setting
    self.state = state
    self.record = record
    self.history = history
  }

  /// All measurements of a metric, with their epochs.
  package static func measurements(
    of name: String, in history: RunHistory
  ) -> [(epoch: Int, value: Double)] {
    guard let curve = history.quality[name], let steps = history.stepsPerEpoch else { return [] }
    return curve.points.map { (($0.last + steps - 1) / steps, $0.low) }
  }

  /// The lowest value up to an epoch; nil if there is none yet.
  package static func best(
    of name: String, in history: RunHistory, through epoch: Int
  ) -> Double? {
    measurements(of: name, in: history).filter { $0.epoch <= epoch }.map(\.value).min()
  }
}
