import BollyGANModel
import BollyGANTraining

extension TrainingRun {
  /// Begins a run in an empty folder.
  ///
  /// `run.json`, the fixed latents and a checkpoint of step 0 are on disk when this returns, so
  /// whatever happens next can be resumed.
  ///
  /// - Throws: ``RunError``.
  package static func begin(_ parts: Parts) throws -> TrainingRun {
    do {
      // First what says that a run is here: a folder that holds anything else is not begun in again.
      try writeRecord(parts)
      try FileSystem.makeFolder(parts.folder.path(of: RunFolder.samplesName))
      let run = try TrainingRun(parts, at: nil)
      run.noteStart()
      try run.writeLatents()
      try run.writeCheckpoint()
      return run
    } catch let error as FileError {
      throw RunError.cannotSave(error)
    }
  }

  /// Goes on from the newest checkpoint that is whole, or from the beginning where the run was
  /// stopped before there was one.
  ///
  /// - Parameter isForced: Whether a checkpoint of another definition is taken all the same.
  /// - Throws: ``RunError``; ``RunError/cannotRead(_:)`` where a checkpoint is there and the system
  ///   does not give it: to take an older one might lose work that is not lost.
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
        // Of a course that was given up by a process that was killed before it could remove this.
        let rollbacks = parts.record.rollbacks ?? []
        if checkpoint.rollbacks < rollbacks.count, step > rollbacks.last!.backTo {
          try folder.removeCheckpoint(step: step)
          continue
        }
        return try resume(parts, at: checkpoint, passing: damaged)
      } catch CheckpointError.damaged(let problem) {
        damaged.append((step, problem))
      } catch CheckpointError.otherDefinition {
        throw RunError.changed(["\(RunFolder.recordName) was edited since the run began"])
      } catch let error as FileError {
        throw RunError.cannotRead(error)
      }
    }
    // A run has a checkpoint before it has a step. Steps without one are a loss, and to begin
    // anew would hide it.
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
    _ parts: Parts, at checkpoint: Checkpoint, passing damaged: [(step: Int, problem: String)]
  ) throws -> TrainingRun {
    do {
      for (step, _) in damaged { try parts.folder.setAside(step: step) }
      try writeRecord(parts)
      let run = try TrainingRun(parts, at: checkpoint)
      for (step, problem) in damaged {
        run.warn(
          "\(RunFolder.checkpointName(step: step)) is damaged (\(problem)) and was set aside; "
            + "going on from the one before, step \(checkpoint.step)")
      }
      run.noteResume(checkpoint)
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

  private func noteStart() {
    note("start") { line in
      line.add("schema", LogLine.schema)
      line.add("version", bollyganVersion)
      line.add("recipe", recipe.name)
      line.add("seed", Int(parts.record.definition.seed))
      line.add("pictures", training.count)
      if heldOut.count > 0 { line.add("held_out", heldOut.count) }
      line.add("skipped", parts.pictures.skipped.count)
      line.add("steps_per_epoch", stepsPerEpoch)
      addRates(to: &line)
      line.add("engine", options.engine)
      line.add("kernels", options.kernels)
      line.add("threads", options.threads)
    }
    for skipped in parts.pictures.skipped {
      note("skipped") { line in
        line.add("file", "\(skipped.name)")
        line.add("reason", skipped.reason)
      }
    }
    for remark in parts.pictures.remarks {
      note("remark") { line in
        line.add("file", "\(remark.name)")
        line.add("text", remark.text)
      }
    }
  }

  private func noteResume(_ checkpoint: Checkpoint) {
    note("resume") { line in
      line.add("schema", LogLine.schema)
      line.add("file", RunFolder.checkpointName(step: checkpoint.step))
      line.add("steps_per_epoch", stepsPerEpoch)
      addRates(to: &line)
      line.add("version", bollyganVersion)
      line.add("engine", options.engine)
      line.add("kernels", options.kernels)
      line.add("threads", options.threads)
      if !rollbacks.isEmpty {
        line.add("rollbacks", rollbacks.count)
        line.add("rate_factor", rollbackFactor)
      }
    }
    for key in ["version", "engine", "kernels"] {
      let (was, now) = (checkpoint.origin["bollygan.\(key)"], origin["bollygan.\(key)"])
      if let was, let now, was != now {
        warn(
          "\(key) \(now), where the checkpoint was made with \(was): from here on the weights may "
            + "differ in their last digits from those of an unbroken run")
      }
    }
  }

  /// What made a checkpoint.
  var origin: [String: String] {
    [
      "bollygan.version": bollyganVersion, "bollygan.engine": options.engine,
      "bollygan.kernels": options.kernels, "bollygan.threads": "\(options.threads)",
    ]
  }
}
