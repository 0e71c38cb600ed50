/// The rollbacks of a run, and their effect on its learning rates.
package struct Rollbacks {
  /// Largest number of rollbacks in a run. The learning rates are then an eighth.
  package static let limit = 3

  /// All rollbacks so far, in order.
  let made: [RunRecord.Rollback]

  var count: Int { made.count }

  /// The factor on both learning rates: every rollback halves them.
  var rateFactor: Double { made.reduce(1) { factor, _ in factor / 2 } }

  /// Whether a rollback discarded a checkpoint: it is from after the step that the run returned to,
  /// and its process was killed before it could delete it.
  func discarded(_ checkpoint: Checkpoint) -> Bool {
    guard let last = made.last else { return false }
    return checkpoint.rollbacks < count && checkpoint.step > last.backTo
  }

  /// The checkpoints from before a failure, in the order in which to try them; the oldest
  /// checkpoint if none is old enough.
  ///
  /// - Parameters:
  ///   - steps: Steps of all checkpoints, the newest first.
  ///   - step: The step at which the failure was found.
  ///   - window: How many steps earlier it may have begun.
  static func targets(among steps: [Int], failedAt step: Int, window: Int) -> [Int] {
    let before = steps.filter { $0 <= step - window }
    return before.isEmpty ? Array(steps.suffix(1)) : before
  }
}
