/// Decides which checkpoints of a run stay on disk.
///
/// The newest ones always stay, and the one with the best quality. A failure is found only some
/// steps after it began, so a checkpoint from before any failure that may still come to light stays
/// as well.
struct CheckpointRetention {
  /// Newest checkpoints that are always kept.
  static let newest = 2
  /// Largest number of checkpoints of a run that stops when it diverges, without the best one: the
  /// newest, one from before a failure, and its successor.
  static let limit = newest + 2

  /// For each kind of failure, the steps between its beginning and its discovery.
  private let windows: [Int]

  /// The rule while training.
  init(_ divergenceGuard: DivergenceGuard, onDivergence: DivergenceAction) {
    let diagnoses: [DivergenceGuard.Diagnosis] =
      switch onDivergence {
      case .off: []
      // A long failure in the newest checkpoints does no harm to a run that only stops.
      case .stop: [.discriminatorLost]
      case .rollback: DivergenceGuard.Diagnosis.allCases
      }
    windows = diagnoses.map(divergenceGuard.window)
  }

  private init(windows: [Int]) { self.windows = windows }

  /// The rule for a finished run, which cannot fail any more.
  static let finished = CheckpointRetention(windows: [])

  /// The checkpoints to keep.
  ///
  /// - Parameters:
  ///   - steps: Steps of all checkpoints, the newest first.
  ///   - step: The current step.
  ///   - best: Step of the checkpoint with the best quality, if any.
  func kept(of steps: [Int], at step: Int, best: Int?) -> Set<Int> {
    var kept = Set(steps.prefix(Self.newest))
    if let best { kept.insert(best) }
    for window in windows {
      let latest = step - window
      guard let settled = steps.first(where: { $0 <= latest }) ?? steps.last else { continue }
      kept.insert(settled)
      // Its successor takes over once it is old enough. Without it there would never be another.
      if let next = steps.last(where: { $0 > max(latest, settled) }) { kept.insert(next) }
    }
    return kept
  }
}
