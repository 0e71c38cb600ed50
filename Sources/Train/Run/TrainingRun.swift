import BollyGANModel

/// A run from where it stands to its end: steps, log, samples, checkpoints.
package final class TrainingRun {
  /// What a run is made of.
  package struct Parts {
    package var folder: RunFolder
    package var record: RunRecord
    package var pictures: PictureSet
    /// Networks to begin with in place of drawn ones.
    package var initialGenerator: GeneratorWeights?
    package var initialDiscriminator: DiscriminatorWeights?
    /// Makes the engine that computes the steps.
    package var makeEngine: EngineMaker
    /// Asked between steps whether to end.
    package var isStopRequested: () -> Bool
    package var observer: (any RunObserver)?

    package init(
      folder: RunFolder, record: RunRecord, pictures: PictureSet,
      initialGenerator: GeneratorWeights? = nil, initialDiscriminator: DiscriminatorWeights? = nil,
      makeEngine: @escaping EngineMaker,
      isStopRequested: @escaping () -> Bool = { false },
      observer: (any RunObserver)? = nil
    ) {
      self.folder = folder
      self.record = record
      self.pictures = pictures
      self.initialGenerator = initialGenerator
      self.initialDiscriminator = initialDiscriminator
      self.makeEngine = makeEngine
      self.isStopRequested = isStopRequested
      self.observer = observer
    }
  }

  package typealias EngineMaker = (
    TrainingConfiguration, GeneratorWeights, DiscriminatorWeights
  ) throws -> any TrainingEngine

  package let parts: Parts
  let shape: DCGANShape
  let engine: any TrainingEngine
  let log: RunLog
  /// What the log says so far, for the report.
  var history: RunHistory
  /// What TensorBoard reads.
  let events: EventFile
  /// The sheets that the report shows.
  var sheets = SampleSheets()
  /// The pictures that are trained on, and those that only quality is measured with.
  let training: PictureSet
  let heldOut: PictureSet
  /// Measures quality; made when it is first wanted.
  var meter: QualityMeter?
  /// The best measurement so far.
  var best: BestQuality?
  package let stepsPerEpoch: Int
  let fixedLatents: [Float]

  private var stream: TrainingStream
  private(set) var average: MovingAverage?
  private var watch: DivergenceGuard
  /// Steps made.
  package private(set) var step = 0
  /// The epoch that goes on, counted from 1.
  private(set) var epoch = 1
  /// Batches of it that are done.
  private var position = 0
  /// The pictures in this epoch's order; empty where it has not begun.
  private var order: [Int] = []
  /// Sums of the figures over this epoch's steps.
  private var sums = [Double](repeating: 0, count: 5)

  /// Step of the newest checkpoint that is safe.
  private var savedStep: Int?
  /// Checkpoints that could not be written, in a row.
  private var failures = 0
  /// When this process began the epoch that goes on, and the pictures that it has seen since.
  private var clock = (start: ContinuousClock.now, pictures: 0)

  /// Failures in a row that end the run: the work of that many intervals is enough to lose.
  static let tolerance = 3
  /// Checkpoints that are kept.
  static let generations = 2
  /// Bytes that a checkpoint may have to be read.
  static let checkpointLimit = 4 << 30

  var recipe: Recipe { parts.record.definition.recipe }
  var options: RunOptions { parts.record.options }
  package var folder: RunFolder { parts.folder }

  /// A run at a checkpoint, or at its beginning; writes nothing but the log's end.
  ///
  /// - Precondition: the record describes a possible run, and there is at least one batch.
  init(_ parts: Parts, at checkpoint: Checkpoint?) throws {
    let definition = parts.record.definition
    let recipe = definition.recipe
    self.parts = parts
    shape = try definition.shape()
    let kept = parts.pictures.heldOut(share: recipe.holdout)
    heldOut = parts.pictures.selecting(kept)
    training =
      kept.isEmpty
      ? parts.pictures
      : parts.pictures.selecting(
        Set(parts.pictures.names.indices).subtracting(kept).sorted())
    stepsPerEpoch = recipe.stepsPerEpoch(pictureCount: training.count)
    precondition(stepsPerEpoch > 0, "no batch can be made of \(training.count) pictures")
    stream = TrainingStream(
      recipe: recipe, shape: shape, seed: definition.seed, pictureCount: training.count)
    fixedLatents = stream.fixedLatents
    engine = try parts.makeEngine(
      recipe.configuration(for: shape), parts.initialGenerator ?? stream.initialGenerator,
      parts.initialDiscriminator ?? stream.initialDiscriminator)
    log = try RunLog(
      path: parts.folder.path(of: RunFolder.logName), throughStep: checkpoint?.step)
    events = EventFile(folder: parts.folder.path, resumedAt: checkpoint?.step)
    history = RunHistory(log: try RunLog.bytes(in: parts.folder.path))
    watch = DivergenceGuard(
      stepsPerEpoch: stepsPerEpoch, counts: checkpoint?.guardCounts ?? .init())
    if let checkpoint {
      // Only --force-resume can come with other networks, and not even it can mend that.
      guard checkpoint.state.form == engine.state().form else {
        throw RunError.changed(["the networks in the checkpoint have other tensors"])
      }
      engine.restore(checkpoint.state)
      try stream.resume(checkpoint.random)
      step = checkpoint.step
      epoch = checkpoint.epoch
      savedStep = step
      best = checkpoint.best
      sums = checkpoint.sums
      // With --force-resume the pictures may be others: their epoch begins anew.
      if checkpoint.order.isEmpty || checkpoint.order.count == training.count {
        position = checkpoint.position
        order = checkpoint.order
      }
    }
    if let decay = recipe.generatorAverage {
      average = MovingAverage(
        checkpoint?.average ?? engine.generatorWeights(), decay: decay)
    }
  }

  /// Makes steps until all are made, somebody asks for an end, or training fails.
  ///
  /// Everything worth keeping is on disk when this returns. Where it throws, the last checkpoint is.
  ///
  /// - Throws: ``RunError/cannotSave(_:)`` where checkpoints could not be written.
  package func run() throws -> RunEnd {
    clock = (.now, 0)
    writeReport(isRunning: true)
    defer { writeReport(isRunning: false) }
    while !isComplete {
      if parts.isStopRequested() {
        try saveAll()
        note("stop")
        return .stopped
      }
      do {
        if let diagnosis = try makeStep() { return diverged(diagnosis) }
        try saveWhatIsDue()
      } catch let error as NonFiniteError {
        return diverged(.notFinite, place: error.place)
      }
    }
    try saveAll()
    try writeDiscriminator()
    note("end")
    return .finished
  }

  /// Steps that the run will have made at its end.
  package var totalSteps: Int {
    min(options.maximumSteps ?? .max, recipe.epochs * stepsPerEpoch)
  }

  private var isComplete: Bool { step >= totalSteps }
  /// Whether the last step was the last of its epoch.
  private var isEpochEnd: Bool { position == 0 && step > 0 }

  /// One batch through the engine, and everything that is said about it.
  private func makeStep() throws -> DivergenceGuard.Diagnosis? {
    let (batch, count) = nextBatch()
    let losses = try engine.step(batch)
    step += 1
    position += 1
    clock.pictures += count
    average?.update(with: engine.generatorWeights(), step: step)
    for (index, value) in losses.named.map(\.value).enumerated() { sums[index] += value }
    note("step") { line in
      for (name, value) in losses.named { line.add(name, value) }
      if let r1 = losses.r1 { line.add("r1", r1) }
    }
    parts.observer?.madeStep(
      StepReport(
        step: step, totalSteps: totalSteps, epoch: epoch, totalEpochs: recipe.epochs,
        pictures: count, losses: losses))
    return watch.observe(losses, leastLoss: recipe.techniques.leastLoss)
  }

  private func nextBatch() -> (batch: TrainingBatch, count: Int) {
    if order.isEmpty { order = stream.epochOrder() }
    let start = position * recipe.batch
    let indices = order[start..<min(start + recipe.batch, order.count)]
    let draw = stream.draw(pictureCount: indices.count)
    let techniques = recipe.techniques
    // Of all epochs, even where fewer steps are asked for: a run that is cut short goes the same way.
    let total = recipe.epochs * stepsPerEpoch
    let batch = TrainingBatch(
      pixels: training.batch(indices, mirrored: draw.mirrored), latents: draw.latents,
      generatorLatents: draw.generatorLatents, changes: draw.changes,
      noise: draw.noiseSeed.map {
        InstanceNoise(deviation: techniques.noiseDeviation(step: step, of: total), seed: $0)
      },
      rateFactor: techniques.rateFactor(step: step, of: total),
      slopePenalty: techniques.slopePenalty(step: step))
    return (batch, indices.count)
  }

  /// What the end of a step brings: of an epoch its summary, samples and generator; a checkpoint
  /// where it is time for one. The checkpoint comes last, for it vouches for the rest.
  private func saveWhatIsDue() throws {
    let finished = epoch
    var isBest = false
    if position == stepsPerEpoch {
      noteEpoch()
      order = []
      position = 0
      epoch += 1
      sums = [Double](repeating: 0, count: 5)
      clock = (.now, 0)
      attempt("samples") {
        if options.samplesEvery > 0 && finished % options.samplesEvery == 0 {
          try writeSamples(epoch: finished)
        }
      }
      attempt("generator") { try writeGenerator() }
      if measuresQuality(after: finished) { isBest = measureQuality() }
    }
    if isBest || options.checkpointEvery.isDue(step: step, epoch: finished, isEpochEnd: isEpochEnd)
    {
      try saveCheckpoint()
    }
    if isEpochEnd { writeReport(isRunning: true) }
  }

  /// The last checkpoint and generator, which must not fail.
  private func saveAll() throws {
    do {
      if !isEpochEnd && step > 0 {
        attempt("samples") { try writeSamples(epoch: epoch) }
      }
      if step > 0 { try writeGenerator() }
      if savedStep != step { try writeCheckpoint() }
    } catch let error as FileError {
      throw RunError.cannotSave(error)
    }
  }

  /// A checkpoint that may fail now and again: a disk that is full today has room tomorrow.
  private func saveCheckpoint() throws {
    do {
      try writeCheckpoint()
      failures = 0
    } catch let error as FileError {
      failures += 1
      guard failures < Self.tolerance else { throw RunError.cannotSave(error) }
      warn(
        "\(error.path): \(error); training goes on, the last checkpoint is that of step "
          + "\(savedStep ?? 0) (failure \(failures) of \(Self.tolerance))")
    }
  }

  /// Writes a checkpoint and removes the oldest once the new one is safe.
  func writeCheckpoint() throws {
    let start = ContinuousClock.now
    let bytes = try checkpoint().encoded()
    if savedStep == nil { try checkSpace(for: bytes.count, existing: 0) }
    // A log that is behind its checkpoint would lack steps for ever.
    try log.flush()
    let name = RunFolder.checkpointName(step: step)
    try writeFile(bytes, to: folder.path(of: name), durably: true)
    savedStep = step
    note("checkpoint") { line in
      line.add("file", name)
      line.add("seconds", seconds(since: start))
    }
    attempt("old checkpoints") {
      for old in try folder.checkpointSteps().dropFirst(Self.generations) where old != best?.step {
        try folder.removeCheckpoint(step: old)
      }
    }
  }

  private func checkpoint() -> Checkpoint {
    Checkpoint(
      state: engine.state(), average: average?.weights, random: stream.blob, step: step,
      epoch: epoch, position: position, order: order, sums: sums, guardCounts: watch.counts,
      best: best,
      definition: parts.record.definition.hash, origin: origin)
  }

  /// Two checkpoints, and the best where quality is measured, are kept while another is written.
  func checkSpace(for size: Int, existing: Int) throws {
    let kept = Self.generations + (options.qualityEvery ?? 0 > 0 ? 1 : 0)
    let needed = size * max(1, kept + 1 - existing)
    let available = try FileSystem.freeSpace(at: folder.path)
    guard available >= UInt64(needed) else {
      throw RunError.noSpace(folder: folder.path, needed: needed, available: available)
    }
  }

  private func diverged(_ diagnosis: DivergenceGuard.Diagnosis, place: String? = nil) -> RunEnd {
    let divergence = Divergence(
      diagnosis, place: place, step: step, watch: watch, recipe: recipe,
      checkpoint: savedStep.map { folder.path(of: RunFolder.checkpointName(step: $0)) })
    note("diverged") { line in
      line.add("diagnosis", diagnosis.rawValue)
      line.add("finding", divergence.finding)
      line.add("advice", divergence.advice)
    }
    return .diverged(divergence)
  }

  /// The learning rates that Adam took the last step with, or will take the first one.
  func addRates(to line: inout LogLine) {
    let factor = recipe.techniques.rateFactor(
      step: max(0, step - 1), of: recipe.epochs * stepsPerEpoch)
    line.add("lr_g", engine.configuration.generatorRate * factor)
    line.add("lr_d", engine.configuration.discriminatorRate * factor)
  }

  private func noteEpoch() {
    let elapsed = seconds(since: clock.start)
    note("epoch") { line in
      for (name, sum) in zip(StepLosses.names, sums) { line.add(name, sum / Double(stepsPerEpoch)) }
      addRates(to: &line)
      line.add("seconds", elapsed)
      line.add("pictures_per_second", Double(clock.pictures) / max(elapsed, 1e-9))
    }
  }
}

// MARK: - Saying what happens

extension TrainingRun {
  /// Logs an event; a log that cannot be written to stops nothing.
  func note(_ event: String, _ fill: (inout LogLine) -> Void = { _ in }) {
    var line = LogLine(event: event, step: step, epoch: isEpochEnd ? epoch - 1 : epoch)
    fill(&line)
    if let event = LogEvent(line: line.text.utf8) {
      history.add(event)
      passOn(event)
    }
    if let error = log.append(line) {
      parts.observer?.warned("\(error.path): \(error); its lines wait in memory")
    }
    parts.observer?.logged(line)
  }

  /// Logs and shows something that a user should know.
  func warn(_ message: String) {
    note("warning") { $0.add("message", message) }
    parts.observer?.warned(message)
  }

  /// Does something without which the run can go on.
  func attempt(_ what: String, _ body: () throws -> Void) {
    do {
      try body()
    } catch let error as FileError {
      warn("\(error.path): \(error); training goes on")
    } catch {
      warn("\(what): \(error); training goes on")
    }
  }
}

extension TrainingState {
  /// The shape of every tensor by its place and name.
  fileprivate var form: [String: [Int]] {
    let parts: [(String, [String: [Int]])] = [
      ("generator", generator.storedTensors().mapValues(\.shape)),
      ("discriminator", discriminator.storedTensors().mapValues(\.shape)),
      ("opt_g.exp_avg", generatorOptimizer.firstMoments.mapValues(\.shape)),
      ("opt_g.exp_avg_sq", generatorOptimizer.secondMoments.mapValues(\.shape)),
      ("opt_d.exp_avg", discriminatorOptimizer.firstMoments.mapValues(\.shape)),
      ("opt_d.exp_avg_sq", discriminatorOptimizer.secondMoments.mapValues(\.shape)),
      ("spectral", spectral.mapValues { [$0.left.count, $0.right.count] }),
    ]
    return Dictionary(
      uniqueKeysWithValues: parts.flatMap { part, shapes in
        shapes.map { ("\(part).\($0)", $1) }
      })
  }
}

extension StepLosses {
  /// What the figures are called in the log.
  static let names = ["loss_d", "loss_g", "d_x", "d_gz1", "d_gz2"]

  /// The figures by those names.
  var named: [(name: String, value: Double)] {
    Array(zip(Self.names, [lossD, lossG, dX, dGz1, dGz2]).map { (name: $0, value: $1) })
  }
}

func seconds(since start: ContinuousClock.Instant) -> Double {
  (ContinuousClock.now - start) / .seconds(1)
}
