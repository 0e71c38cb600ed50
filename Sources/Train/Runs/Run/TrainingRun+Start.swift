import BollyGANModel

// Starts and resumes runs.

extension TrainingRun {
  /// Starts a run in an empty folder.
  ///
  /// When this returns, `run.json`, the fixed latents and a checkpoint of step 0 are on disk, so
  /// the run can be resumed whatever happens next.
  ///
  /// - Throws: ``RunError``.
  package static func begin(_ parts: Parts) throws -> TrainingRun {
    do {
      // run.json first: without it, a folder with other files would not be accepted a second time.
      try writeRecord(parts)
      try Folder.create(parts.folder.path(of: RunFolder.samplesName))
      let run = try TrainingRun(parts, at: nil)
      run.reportStart()
      try run.writeLatents()
      try run.writeCheckpoint()
      return run
    } catch let error as FileError {
      throw RunError.cannotSave(error)
    }
  }

  /// Resumes from the newest intact checkpoint, or from the beginning if the run was killed before
  /// its first one.
  ///
  /// - Parameter isForced: Whether to accept a checkpoint with another definition.
  /// - Throws: ``RunError``. It is ``RunError/cannotRead(_:)`` if the system refuses to read an
  ///   existing checkpoint: falling back to an older one might discard work that is not lost.
  package static func resume(_ parts: Parts, isForced: Bool = false) throws -> TrainingRun {
    let folder = parts.folder
    try folder.removeLeftovers()
    var damaged: [(step: Int, problem: String)] = []
    for step in try folder.checkpointSteps() {
      do {
        let checkpoint = try Checkpoint(
          path: folder.path(of: RunFolder.checkpointName(step: step)),
          shape: parts.record.definition.shape(),
          definition: isForced ? nil : parts.record.definition.hash)
        if Rollbacks(made: parts.record.rollbacks ?? []).discarded(checkpoint) {
          try folder.removeCheckpoint(step: step)
          continue
        }
        return try resume(parts, at: checkpoint, skipping: damaged)
      } catch CheckpointError.damaged(let problem) {
        damaged.append((step, problem))
      } catch CheckpointError.otherDefinition {
        throw RunError.changed(["\(RunFolder.recordName) was edited after the run began"])
      } catch let error as FileError {
        throw RunError.cannotRead(error)
      }
    }
    // A run has a checkpoint before its first step. If steps were made but no checkpoint is left,
    // work was lost, and silently starting over would hide that.
    guard try damaged.isEmpty && !folder.holdsSteps() else {
      throw RunError.noUsableCheckpoint(
        folder.path,
        reasons: damaged.map {
          "\(RunFolder.checkpointName(step: $0.step)) is damaged (\($0.problem))"
        })
    }
    return try begin(parts)
  }

  private static func resume(
    _ parts: Parts, at checkpoint: Checkpoint, skipping damaged: [(step: Int, problem: String)]
  ) throws -> TrainingRun {
    do {
      for (step, _) in damaged { try parts.folder.setAside(step: step) }
      try writeRecord(parts)
      let run = try TrainingRun(parts, at: checkpoint)
      for (step, problem) in damaged {
        run.warn(
          "\(RunFolder.checkpointName(step: step)) is damaged (\(problem)) and was set aside; "
            + "resuming from the one before it, step \(checkpoint.step)")
      }
      run.reportResume(checkpoint)
      try run.checkSpace(
        for: FileSystem.size(
          of: parts.folder.path(of: RunFolder.checkpointName(step: checkpoint.step))),
        existing: parts.folder.checkpointSteps().count)
      return run
    } catch let error as FileError {
      throw RunError.cannotSave(error)
    }
  }

  static func writeRecord(_ parts: Parts) throws {
    let bytes = try parts.record.encoded()
    let path = parts.folder.path(of: RunFolder.recordName)
    if try FileSystem.exists(path), try readFile(path, limit: RunRecord.limit) == bytes { return }
    try writeFile(bytes, to: path, durably: true)
  }

  private func reportStart() {
    emit(
      .start(
        recipe: recipe.name, seed: parts.record.definition.seed, pictures: training.count,
        heldOut: heldOut.count, skipped: parts.pictures.skipped.count,
        stepsPerEpoch: stepsPerEpoch, rates: learningRates, options: options))
    for skipped in parts.pictures.skipped { emit(.skipped(skipped)) }
    for remark in parts.pictures.remarks { emit(.remark(remark)) }
  }

  private func reportResume(_ checkpoint: Checkpoint) {
    emit(
      .resume(
        checkpoint: RunFolder.checkpointName(step: checkpoint.step), stepsPerEpoch: stepsPerEpoch,
        rates: learningRates, options: options, rollbacks: rollbacks))
    for key in ["version", "engine", "kernels"] {
      let (was, now) = (checkpoint.origin["bollygan.\(key)"], origin["bollygan.\(key)"])
      if let was, let now, was != now {
        warn(
          "\(key) \(now), but the checkpoint was written with \(was): from here on the weights may "
            + "differ in their last digits from those of an uninterrupted run")
      }
    }
  }

  /// The program and machine that write a checkpoint, for its metadata.
  var origin: [String: String] {
    [
      "bollygan.version": bollyganVersion, "bollygan.engine": options.engine,
      "bollygan.kernels": options.kernels, "bollygan.threads": "\(options.threads)",
    ]
  }
}
