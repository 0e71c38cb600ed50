import BollyGANModel
import BollyGANTraining

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

  package private(set) var parts: Parts
  let shape: DCGANShape
  let engine: any TrainingEngine
  let log: RunLog
  /// What the log says so far, for the report.
  var history: RunHistory
  /// What TensorBoard reads.
  private(set) var events: EventFile
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
  private(set) var watch: DivergenceGuard
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
  /// Newest checkpoints that are kept.
  static let generations = 2
  /// Checkpoints that are kept in all, those for the guard included, where it only stops.
  static let mostKept = 4
  /// Times that a run may go back; learning rates are then an eighth.
  package static let mostRollbacks = 3
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
    watch = DivergenceGuard(stepsPerEpoch: stepsPerEpoch, techniques: recipe.techniques)
    if let decay = recipe.generatorAverage {
      average = MovingAverage(engine.generatorWeights(), decay: decay, engine: engine)
    }
    if let checkpoint { try restore(checkpoint) }
  }

  /// Puts the run where a checkpoint was written.
  func restore(_ checkpoint: Checkpoint) throws {
    // Only --force-resume can come with other networks, and not even it can mend that.
    guard checkpoint.state.form == engine.state().form else {
      throw RunError.changed(["the networks in the checkpoint have other tensors"])
    }
    engine.restore(checkpoint.state)
    if let decay = recipe.generatorAverage {
      average = MovingAverage(
        checkpoint.average ?? engine.generatorWeights(), decay: decay, engine: engine)
    }
    try stream.resume(checkpoint.random)
    watch = DivergenceGuard(
      stepsPerEpoch: stepsPerEpoch, techniques: recipe.techniques,
      memory: checkpoint.guardMemory)
    step = checkpoint.step
    epoch = checkpoint.epoch
    savedStep = step
    best = checkpoint.best
    sums = checkpoint.sums
    // With --force-resume the pictures may be others: their epoch begins anew.
    let isSameSet = checkpoint.order.isEmpty || checkpoint.order.count == training.count
    position = isSameSet ? checkpoint.position : 0
    order = isSameSet ? checkpoint.order : []
  }

  /// Makes steps until all are made, somebody asks for an end, or training fails.
  ///
  /// Everything worth keeping is on disk when this returns. Where it throws, the last checkpoint is.
  ///
  /// - Throws: ``RunError/cannotSave(_:)`` where checkpoints could not be written,
  ///   ``RunError/folderGone(_:)`` where there is no place for them any more.
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
      var failure: (diagnosis: DivergenceGuard.Diagnosis, place: String?)?
      do {
        let diagnosis = try makeStep()
        if let diagnosis, diagnosis == .notFinite || options.onDivergence != .off {
          failure = (diagnosis, nil)
        } else {
          try saveWhatIsDue()
        }
      } catch let error as NonFiniteError {
        failure = (.notFinite, error.place)
      }
      if let failure, try !rollBack(failure.diagnosis, place: failure.place) {
        return diverged(failure.diagnosis, place: failure.place)
      }
    }
    try saveAll()
    removeOldCheckpoints(keepingForGuard: false)
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
    average?.update(step: step)
    for (index, value) in losses.named.map(\.value).enumerated() { sums[index] += value }
    note("step") { line in
      for (name, value) in losses.named { line.add(name, value) }
      if let r1 = losses.r1 { line.add("r1", r1) }
      if let norm = losses.gradientD { line.add("grad_d", norm) }
      if let norm = losses.gradientG { line.add("grad_g", norm) }
    }
    parts.observer?.madeStep(
      StepReport(
        step: step, totalSteps: totalSteps, epoch: epoch, totalEpochs: recipe.epochs,
        pictures: count, losses: losses))
    return watch.observe(losses) ?? look()
  }

  /// Shows the guard what the generator draws, where it is time.
  private func look() -> DivergenceGuard.Diagnosis? {
    guard watch.looks(after: step) else { return nil }
    // The generator of this step, not its average, which would show a failure epochs later.
    let look = DivergenceGuard.Look(
      pictures: engine.generate(latents: fixedLatents, batchStatistics: false),
      count: fixedLatents.count / shape.latent)
    note("look") { line in
      line.add("spread", look.spread)
      line.add("saturated", look.saturated)
    }
    let (diagnosis, isSaturated) = watch.observe(look, usual: saturatedInData)
    if isSaturated {
      warn(
        "\(percent(look.saturated)) of the drawn values are black or white to the full, in the data "
          + "\(percent(saturatedInData)): the generator may be losing its way; look at the samples")
    }
    return diagnosis
  }

  /// Share of the values in the data that are at either end.
  private lazy var saturatedInData: Double = {
    let pixels = parts.pictures.pixels
    let extremes = pixels.count { $0 == 0 || $0 == 255 }
    return Double(extremes) / Double(max(1, pixels.count))
  }()

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
      rateFactor: techniques.rateFactor(step: step, of: total) * rollbackFactor,
      slopePenalty: techniques.slopePenalty(step: step))
    return (batch, indices.count)
  }

  /// What the end of a step brings: of an epoch its summary, samples and networks; a checkpoint
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
      attempt("networks") { try writeNetworks() }
      if measuresQuality(after: finished) { isBest = measureQuality() }
    }
    if isBest || options.checkpointEvery.isDue(step: step, epoch: finished, isEpochEnd: isEpochEnd)
    {
      try saveCheckpoint()
    }
    if isEpochEnd { writeReport(isRunning: true) }
  }

  /// The last checkpoint and networks, which must not fail.
  private func saveAll() throws {
    do {
      if !isEpochEnd && step > 0 {
        attempt("samples") { try writeSamples(epoch: epoch) }
      }
      if step > 0 { try writeNetworks() }
      if savedStep != step { try writeCheckpoint() }
    } catch let error as FileError {
      throw isFolderGone ? RunError.folderGone(folder.path) : RunError.cannotSave(error)
    }
  }

  /// A checkpoint that may fail now and again: a disk that is full today has room tomorrow.
  private func saveCheckpoint() throws {
    do {
      try writeCheckpoint()
      failures = 0
    } catch let error as FileError {
      // A folder does not come back, as room on a disk does.
      if isFolderGone { throw RunError.folderGone(folder.path) }
      failures += 1
      guard failures < Self.tolerance else { throw RunError.cannotSave(error) }
      warn(
        "\(error.path): \(error); training goes on, the last checkpoint is that of step "
          + "\(savedStep ?? 0) (failure \(failures) of \(Self.tolerance))")
    }
  }

  private var isFolderGone: Bool { (try? FileSystem.exists(folder.path)) == false }

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
    removeOldCheckpoints(keepingForGuard: options.onDivergence != .off)
  }

  /// Removes checkpoints, but not the newest ones.
  ///
  /// - Parameter keepingForGuard: Whether one stays that is from before anything that the guard might
  ///   still find.
  private func removeOldCheckpoints(keepingForGuard: Bool) {
    attempt("old checkpoints") {
      let steps = try folder.checkpointSteps()
      var kept = Set(steps.prefix(Self.generations))
      if let best { kept.insert(best.step) }
      if keepingForGuard {
        for diagnosis in diagnosesToOutlast {
          let latest = step - watch.window(of: diagnosis)
          guard let settled = steps.first(where: { $0 <= latest }) ?? steps.last else { continue }
          // And the one that will be old enough next, or there would never be another.
          kept.insert(settled)
          if let next = steps.last(where: { $0 > max(latest, settled) }) { kept.insert(next) }
        }
      }
      for old in steps where !kept.contains(old) { try folder.removeCheckpoint(step: old) }
    }
  }

  /// A run that ends takes no harm where an old failure of many steps is in its newest checkpoints;
  /// one that is to go back does.
  private var diagnosesToOutlast: [DivergenceGuard.Diagnosis] {
    options.onDivergence == .rollback ? DivergenceGuard.Diagnosis.allCases : [.discriminatorLost]
  }

  private func checkpoint() -> Checkpoint {
    Checkpoint(
      state: engine.state(), average: average?.weights, random: stream.blob, step: step,
      epoch: epoch, position: position, order: order, sums: sums, guardMemory: watch.memory,
      rollbacks: rollbacks.count, best: best, definition: parts.record.definition.hash,
      origin: origin)
  }

  /// Those that are kept, that of the best measurement where there is one, and one that is being
  /// written.
  func checkSpace(for size: Int, existing: Int) throws {
    let kept = Self.mostKept + (options.qualityEvery ?? 0 > 0 ? 1 : 0)
    let needed = size * max(1, kept + 1 - existing)
    let available = try FileSystem.freeSpace(at: folder.path)
    guard available >= UInt64(needed) else {
      throw RunError.noSpace(folder: folder.path, needed: needed, available: available)
    }
  }

  private func diverged(_ diagnosis: DivergenceGuard.Diagnosis, place: String? = nil) -> RunEnd {
    let divergence = Divergence(
      diagnosis, place: place, step: step, watch: watch, recipe: recipe,
      rateFactor: rollbackFactor,
      checkpoint: checkpointBefore(diagnosis).map {
        folder.path(of: RunFolder.checkpointName(step: $0))
      })
    note("diverged") { line in
      line.add("diagnosis", diagnosis.rawValue)
      line.add("finding", divergence.finding)
      line.add("advice", divergence.advice)
    }
    return .diverged(divergence)
  }

  /// The learning rates that Adam took the last step with, or will take the first one.
  func addRates(to line: inout LogLine) {
    let factor =
      recipe.techniques.rateFactor(
        step: max(0, step - 1), of: recipe.epochs * stepsPerEpoch) * rollbackFactor
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

// MARK: - Going back

extension TrainingRun {
  /// Where this run went back, in order.
  var rollbacks: [RunRecord.Rollback] { parts.record.rollbacks ?? [] }

  /// What learning rates are multiplied by after that.
  var rollbackFactor: Double { rollbacks.reduce(1) { factor, _ in factor / 2 } }

  /// The newest checkpoint that is from before a failure; where there is none the oldest.
  private func checkpointBefore(_ diagnosis: DivergenceGuard.Diagnosis) -> Int? {
    let steps = (try? folder.checkpointSteps()) ?? []
    return steps.first { $0 <= step - watch.window(of: diagnosis) } ?? steps.last
  }

  /// Goes back to a checkpoint from before a failure, where that was asked for and may still help.
  ///
  /// What happens must not depend on when the process is killed: `run.json` says first where the run
  /// goes back to, and checkpoints know how often it had gone back when they were written, so that
  /// whoever resumes passes over those of a course that was given up.
  ///
  /// - Returns: Whether the run goes on.
  /// - Throws: ``RunError/cannotSave(_:)``: a return that is not recorded would not be repeated.
  private func rollBack(_ diagnosis: DivergenceGuard.Diagnosis, place: String?) throws -> Bool {
    guard options.onDivergence == .rollback, rollbacks.count < Self.mostRollbacks else {
      return false
    }
    let latest = step - watch.window(of: diagnosis)
    let steps = try folder.checkpointSteps()
    let candidates = steps.filter { $0 <= latest }
    for back in candidates.isEmpty ? Array(steps.suffix(1)) : candidates {
      guard
        let checkpoint = try? Checkpoint(
          path: folder.path(of: RunFolder.checkpointName(step: back)), shape: shape,
          definition: nil)
      else { continue }
      let found = Divergence(
        diagnosis, place: place, step: step, watch: watch, recipe: recipe,
        rateFactor: rollbackFactor, checkpoint: nil)
      parts.record.rollbacks =
        rollbacks + [RunRecord.Rollback(step: step, backTo: back, diagnosis: diagnosis)]
      do {
        try Self.writeRecord(parts)
        for later in steps where later > back { try folder.removeCheckpoint(step: later) }
        try restore(checkpoint)
        try log.cut(throughStep: back)
        events = EventFile(folder: folder.path, resumedAt: back)
        history = RunHistory(log: try RunLog.bytes(in: folder.path))
      } catch let error as FileError { throw RunError.cannotSave(error) }
      clock = (.now, 0)
      note("rollback") { line in
        line.add("diagnosis", diagnosis.rawValue)
        line.add("finding", found.finding)
        line.add("found_at", found.step)
        line.add("rollbacks", rollbacks.count)
        line.add("rate_factor", rollbackFactor)
      }
      parts.observer?.warned(
        "training diverged at step \(found.step): \(found.finding). Going on from the checkpoint of "
          + "step \(back) with \(rollbackFactor) times the learning rates "
          + "(\(rollbacks.count) of \(Self.mostRollbacks))")
      return true
    }
    return false
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

/// A share as `7.5 %`.
private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }

func seconds(since start: ContinuousClock.Instant) -> Double {
  (ContinuousClock.now - start) / .seconds(1)
}
