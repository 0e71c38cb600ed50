import BollyGANModel

// Returns to an earlier checkpoint after training has failed.

extension TrainingRun {
  /// Returns to a checkpoint from before a failure, if the user asked for it and it may still help.
  ///
  /// The outcome must not depend on when the process is killed. So `run.json` first records the
  /// target of the rollback, and every checkpoint stores the number of rollbacks before it: a
  /// resumed run skips the checkpoints of a course that was abandoned.
  ///
  /// - Returns: Whether the run continues.
  /// - Throws: ``RunError/cannotSave(_:)``, because a rollback that is not recorded cannot be
  ///   repeated.
  func rollBack(from divergence: Divergence) throws -> Bool {
    guard options.onDivergence == .rollback, rollbacks.count < Rollbacks.limit else {
      return false
    }
    let steps = try folder.checkpointSteps()
    let targets = Rollbacks.targets(
      among: steps, failedAt: step, window: divergenceGuard.window(of: divergence.diagnosis))
    for target in targets {
      let path = folder.path(of: RunFolder.checkpointName(step: target))
      guard let checkpoint = try? Checkpoint(path: path, shape: shape, definition: nil) else {
        continue
      }
      parts.record.rollbacks =
        rollbacks.made
        + [RunRecord.Rollback(step: step, backTo: target, diagnosis: divergence.diagnosis)]
      do {
        try Self.writeRecord(parts)
        for later in steps where later > target { try folder.removeCheckpoint(step: later) }
        try restore(checkpoint)
        try log.truncate(afterStep: target)
        tensorBoard = EventFile(folder: folder.path, resumedAt: target)
        history = RunHistory(log: try RunLog.bytes(in: folder.path))
      } catch let error as FileError { throw RunError.cannotSave(error) }
      epoch.restartClock()
      emit(.rollback(divergence, rollbacks: rollbacks))
      parts.observer?.warned(
        "training diverged at step \(divergence.step): \(divergence.finding). Continuing from the "
          + "checkpoint of step \(target) with \(rollbacks.rateFactor) times the learning rates "
          + "(rollback \(rollbacks.count) of \(Rollbacks.limit))")
      return true
    }
    return false
  }
}
