/// The state of a run.
package enum RunState: String, Sendable, CaseIterable, Encodable {
  /// A process is training in its folder.
  case running
  /// All of its steps were made.
  case finished
  /// The user stopped it. It can be resumed.
  case stopped
  /// The divergence guard ended it.
  case diverged
  /// Its process ended without a final event: it was killed, or the power failed. It can be
  /// resumed.
  case killed

  /// Combines what the log says with whether the folder is locked.
  package init(_ phase: RunHistory.Phase, isRunning: Bool) {
    self =
      switch phase {
      case _ where isRunning: .running
      case .finished: .finished
      case .stopped: .stopped
      case .diverged: .diverged
      case .underWay: .killed
      }
  }
}
