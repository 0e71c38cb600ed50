import BollyGANModel

// What a run saves and when, and how it handles failed writes.

extension TrainingRun {
  /// Checkpoint failures in a row that end the run: losing three intervals of work is enough.
  private static let failureLimit = 3

  /// Saves what the last step completed: at the end of an epoch its summary, samples and networks,
  /// and a checkpoint if one is due. The checkpoint comes last because it vouches for the rest.
  func saveWhatIsDue() throws {
    let finished = epoch.number
    var isBest = false
    if epoch.position == stepsPerEpoch {
      emit(
        .epoch(
          means: epoch.sums.map { $0 / Double(stepsPerEpoch) }, rates: learningRates,
          seconds: epoch.seconds, picturesPerSecond: epoch.picturesPerSecond))
      epoch = EpochProgress(number: finished + 1)
      attempt("samples") {
        if options.samplesEvery > 0 && finished % options.samplesEvery == 0 {
          try writeSamples(epoch: finished)
        }
      }
      attempt("networks") { try writeNetworks() }
      if measuresQuality(after: finished) { isBest = measureQuality() }
    }
    if isBest || options.checkpointEvery.isDue(step: step, epoch: finished, isEpochEnd: isEpochEnd)
    {
      try saveCheckpoint()
    }
    if isEpochEnd { writeReport(isRunning: true) }
  }

  /// Saves the final checkpoint and networks, which must not fail.
  func saveAll() throws {
    do {
      if !isEpochEnd && step > 0 {
        attempt("samples") { try writeSamples(epoch: epoch.number) }
      }
      if step > 0 { try writeNetworks() }
      if savedStep != step { try writeCheckpoint() }
    } catch let error as FileError {
      throw isFolderGone ? RunError.folderGone(folder.path) : RunError.cannotSave(error)
    }
  }

  /// Saves a checkpoint. A few failures are tolerated: a full disk may have room again later.
  private func saveCheckpoint() throws {
    do {
      try writeCheckpoint()
      failures = 0
    } catch let error as FileError {
      // Unlike space on a disk, a folder does not come back.
      if isFolderGone { throw RunError.folderGone(folder.path) }
      failures += 1
      guard failures < Self.failureLimit else { throw RunError.cannotSave(error) }
      warn(
        "\(error.path): \(error); training continues, the last checkpoint is from step "
          + "\(savedStep ?? 0) (failure \(failures) of \(Self.failureLimit))")
    }
  }

  private var isFolderGone: Bool { (try? FileSystem.exists(folder.path)) == false }

  /// Writes a checkpoint; once it is safely on disk, removes those that are no longer needed.
  func writeCheckpoint() throws {
    let start = ContinuousClock.now
    let bytes = try checkpoint().encoded()
    if savedStep == nil { try checkSpace(for: bytes.count, existing: 0) }
    // A log that ends before its checkpoint would miss steps for good.
    try log.flush()
    let name = RunFolder.checkpointName(step: step)
    try writeFile(bytes, to: folder.path(of: name), durably: true)
    savedStep = step
    emit(.checkpoint(file: name, seconds: seconds(since: start)))
    removeOldCheckpoints(
      by: CheckpointRetention(divergenceGuard, onDivergence: options.onDivergence))
  }

  /// Removes the checkpoints that a rule does not keep.
  func removeOldCheckpoints(by retention: CheckpointRetention) {
    attempt("old checkpoints") {
      let steps = try folder.checkpointSteps()
      let kept = retention.kept(of: steps, at: step, best: best?.step)
      for old in steps where !kept.contains(old) { try folder.removeCheckpoint(step: old) }
    }
  }

  private func checkpoint() -> Checkpoint {
    Checkpoint(
      state: engine.state(), average: average?.weights, random: stream.blob, step: step,
      epoch: epoch.number, position: epoch.position, order: epoch.order, sums: epoch.sums,
      guardMemory: divergenceGuard.memory, rollbacks: rollbacks.count, best: best,
      definition: parts.record.definition.hash, origin: origin)
  }

  /// Checks that the disk has room for all checkpoints that are kept, and the one being written.
  ///
  /// - Parameters:
  ///   - size: Size of a checkpoint in bytes.
  ///   - existing: Checkpoints already on disk.
  func checkSpace(for size: Int, existing: Int) throws {
    let kept = CheckpointRetention.limit + (options.qualityEvery ?? 0 > 0 ? 1 : 0)
    let needed = size * max(1, kept + 1 - existing)
    let available = try FileSystem.freeSpace(at: folder.path)
    guard available >= UInt64(needed) else {
      throw RunError.noSpace(folder: folder.path, needed: needed, available: available)
    }
  }
}
