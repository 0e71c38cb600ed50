import BollyGANModel
import BollyGANTraining

/// A run from its current step to its end: training steps, log, samples and checkpoints.
package final class TrainingRun {
  /// What a run is made of.
  package struct Parts {
    /// The locked folder of the run.
    package var folder: RunFolder
    /// The run's settings and data, as in `run.json`.
    package var record: RunRecord
    /// All images, including the held-out ones.
    package var pictures: PictureSet
    /// Networks to start from instead of random ones.
    package var initialGenerator: GeneratorWeights?
    package var initialDiscriminator: DiscriminatorWeights?
    /// Makes the training engine, and engines to draw samples with.
    package var makeEngine: EngineMaker
    /// Asked before every step whether to stop.
    package var isStopRequested: () -> Bool
    /// Informed of everything that happens.
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

  /// Makes an engine that starts from the given networks.
  package typealias EngineMaker = (
    TrainingConfiguration, GeneratorWeights, DiscriminatorWeights
  ) throws -> any TrainingEngine

  var parts: Parts
  let shape: DCGANShape
  let engine: any TrainingEngine
  let log: RunLog
  /// What the log says so far, for the report.
  var history: RunHistory
  var tensorBoard: EventFile
  /// The sample sheets in the report.
  var sheets = SampleSheets()
  /// The images to train on, and those that only quality is measured with.
  let training: PictureSet
  let heldOut: PictureSet
  /// Measures quality; created for the first measurement.
  var meter: QualityMeter?
  /// The best measurement so far.
  var best: BestQuality?
  /// Batches per epoch.
  package let stepsPerEpoch: Int
  let fixedLatents: [Float]

  private(set) var stream: TrainingStream
  private(set) var average: MovingAverage?
  private(set) var divergenceGuard: DivergenceGuard
  /// Steps made.
  package private(set) var step = 0
  var epoch = EpochProgress()

  /// Step of the newest checkpoint on disk.
  var savedStep: Int?
  /// Checkpoints in a row that could not be written.
  var failures = 0

  var recipe: Recipe { parts.record.definition.recipe }
  var options: RunOptions { parts.record.options }
  /// The locked folder of the run.
  package var folder: RunFolder { parts.folder }
  var rollbacks: Rollbacks { Rollbacks(made: parts.record.rollbacks ?? []) }

  /// Steps that the run will have made at its end.
  package var totalSteps: Int {
    min(options.maximumSteps ?? .max, recipe.epochs * stepsPerEpoch)
  }

  private var isComplete: Bool { step >= totalSteps }

  /// Whether the last step completed an epoch.
  var isEpochEnd: Bool { epoch.position == 0 && step > 0 }

  /// A run at a checkpoint, or at its beginning. Writes nothing; only cuts the log at the
  /// checkpoint.
  ///
  /// - Precondition: the record describes a possible run with at least one batch per epoch.
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
    precondition(stepsPerEpoch > 0, "\(training.count) images do not make a batch")
    stream = TrainingStream(
      recipe: recipe, shape: shape, seed: definition.seed, pictureCount: training.count)
    fixedLatents = stream.fixedLatents
    engine = try parts.makeEngine(
      recipe.configuration(for: shape), parts.initialGenerator ?? stream.initialGenerator,
      parts.initialDiscriminator ?? stream.initialDiscriminator)
    log = try RunLog(
      path: parts.folder.path(of: RunFolder.logName), throughStep: checkpoint?.step)
    tensorBoard = EventFile(folder: parts.folder.path, resumedAt: checkpoint?.step)
    history = RunHistory(log: try RunLog.bytes(in: parts.folder.path))
    divergenceGuard = DivergenceGuard(stepsPerEpoch: stepsPerEpoch, techniques: recipe.techniques)
    if let decay = recipe.generatorAverage {
      average = MovingAverage(engine.generatorWeights(), decay: decay, engine: engine)
    }
    if let checkpoint { try restore(checkpoint) }
  }

  /// Puts the run into the state of a checkpoint.
  func restore(_ checkpoint: Checkpoint) throws {
    // Only --force-resume can bring other networks, and not even that can make them fit.
    guard checkpoint.state.tensorShapes == engine.state().tensorShapes else {
      throw RunError.changed(["the networks in the checkpoint have other tensors"])
    }
    engine.restore(checkpoint.state)
    if let decay = recipe.generatorAverage {
      average = MovingAverage(
        checkpoint.average ?? engine.generatorWeights(), decay: decay, engine: engine)
    }
    try stream.resume(checkpoint.random)
    divergenceGuard = DivergenceGuard(
      stepsPerEpoch: stepsPerEpoch, techniques: recipe.techniques,
      memory: checkpoint.guardMemory)
    step = checkpoint.step
    savedStep = step
    best = checkpoint.best
    epoch.number = checkpoint.epoch
    epoch.sums = checkpoint.sums
    // --force-resume may bring other images; the epoch then starts over.
    let isSameSet = checkpoint.order.isEmpty || checkpoint.order.count == training.count
    epoch.position = isSameSet ? checkpoint.position : 0
    epoch.order = isSameSet ? checkpoint.order : []
  }

  // MARK: The loop

  /// Trains until all steps are made, the user asks to stop, or training fails.
  ///
  /// When this returns, everything worth keeping is on disk. When it throws, the last checkpoint
  /// is.
  ///
  /// - Throws: ``RunError/cannotSave(_:)`` if checkpoints could not be written,
  ///   ``RunError/folderGone(_:)`` if the run folder no longer exists.
  package func run() throws -> RunEnd {
    epoch.restartClock()
    writeReport(isRunning: true)
    defer { writeReport(isRunning: false) }
    while !isComplete {
      if parts.isStopRequested() {
        try saveAll()
        emit(.stop)
        return .stopped
      }
      if let divergence = try advance(), try !rollBack(from: divergence) {
        emit(.diverged(divergence))
        return .diverged(divergence)
      }
    }
    try saveAll()
    removeOldCheckpoints(by: .finished)
    emit(.end)
    return .finished
  }

  /// Makes a step and saves what it completes.
  ///
  /// - Returns: Why training failed, if it did.
  private func advance() throws -> Divergence? {
    do {
      if let diagnosis = try makeStep(),
        diagnosis == .notFinite || options.onDivergence != .off
      {
        return divergence(diagnosis)
      }
      try saveWhatIsDue()
      return nil
    } catch let error as NonFiniteError {
      return divergence(.notFinite, place: error.place)
    }
  }

  private func makeStep() throws -> DivergenceGuard.Diagnosis? {
    let (batch, count) = nextBatch()
    let losses = try engine.step(batch)
    step += 1
    epoch.add(losses, pictures: count)
    average?.update(step: step)
    emit(.step(losses))
    parts.observer?.madeStep(
      StepReport(
        step: step, totalSteps: totalSteps, epoch: epoch.number, totalEpochs: recipe.epochs,
        pictures: count, losses: losses))
    return divergenceGuard.observe(losses) ?? inspectSamples()
  }

  private func nextBatch() -> (batch: TrainingBatch, count: Int) {
    if epoch.order.isEmpty { epoch.order = stream.epochOrder() }
    let start = epoch.position * recipe.batch
    let indices = epoch.order[start..<min(start + recipe.batch, epoch.order.count)]
    let draw = stream.draw(pictureCount: indices.count)
    let techniques = recipe.techniques
    // Schedules span all epochs, so that a run cut short by --max-steps takes the same steps.
    let total = recipe.epochs * stepsPerEpoch
    let batch = TrainingBatch(
      pixels: training.batch(indices, mirrored: draw.mirrored), latents: draw.latents,
      generatorLatents: draw.generatorLatents, changes: draw.changes,
      noise: draw.noiseSeed.map {
        InstanceNoise(deviation: techniques.noiseDeviation(step: step, of: total), seed: $0)
      },
      rateFactor: techniques.rateFactor(step: step, of: total) * rollbacks.rateFactor,
      slopePenalty: techniques.slopePenalty(step: step))
    return (batch, indices.count)
  }

  /// The learning rates of the last step, or of the first step before it is made.
  var learningRates: RunEvent.LearningRates {
    let factor =
      recipe.techniques.rateFactor(
        step: max(0, step - 1), of: recipe.epochs * stepsPerEpoch) * rollbacks.rateFactor
    return .init(
      generator: engine.configuration.generatorRate * factor,
      discriminator: engine.configuration.discriminatorRate * factor)
  }

  // MARK: The guard

  /// Shows the guard some generated images, if it is time.
  private func inspectSamples() -> DivergenceGuard.Diagnosis? {
    guard divergenceGuard.inspectsSamples(after: step) else { return nil }
    // With this step's generator. Its moving average would show a failure epochs later.
    let inspection = DivergenceGuard.SampleInspection(
      pictures: engine.generate(latents: fixedLatents, batchStatistics: false),
      count: fixedLatents.count / shape.latent)
    emit(.inspection(inspection))
    let (diagnosis, isSaturated) = divergenceGuard.observe(inspection, usual: saturatedInData)
    if isSaturated {
      warn(
        "\(percent(inspection.saturated)) of the generated values are fully black or white, "
          + "against \(percent(saturatedInData)) in the data; training may be failing, check the "
          + "samples")
    }
    return diagnosis
  }

  /// Share of the values in the data that are fully black or white.
  private lazy var saturatedInData: Double = {
    let pixels = parts.pictures.pixels
    let extremes = pixels.count { $0 == 0 || $0 == 255 }
    return Double(extremes) / Double(max(1, pixels.count))
  }()

  /// A diagnosis with the numbers of this run.
  private func divergence(
    _ diagnosis: DivergenceGuard.Diagnosis, place: String? = nil
  ) -> Divergence {
    let checkpoint = Rollbacks.targets(
      among: (try? folder.checkpointSteps()) ?? [], failedAt: step,
      window: divergenceGuard.window(of: diagnosis)
    ).first
    return Divergence(
      diagnosis, place: place, step: step, divergenceGuard: divergenceGuard, recipe: recipe,
      rateFactor: rollbacks.rateFactor,
      checkpoint: checkpoint.map { folder.path(of: RunFolder.checkpointName(step: $0)) })
  }
}

// MARK: - Events

extension TrainingRun {
  /// Reports an event to history, TensorBoard, log and observer. A log that cannot be written does
  /// not stop the run.
  func emit(_ event: RunEvent) {
    let logged = event.logged(step: step, epoch: isEpochEnd ? epoch.number - 1 : epoch.number)
    history.add(logged)
    var shown = EventTags.scalars(of: logged)
    if case .start = event { shown.append(EventTags.configuration(parts.record.definition)) }
    addToTensorBoard(shown)
    if let error = log.append(logged) {
      parts.observer?.warned("\(error.path): \(error); log lines are kept in memory until it works")
    }
    parts.observer?.logged(logged)
  }

  /// Shows values in TensorBoard.
  func addToTensorBoard(_ values: [(tag: String, value: EventMessage.Value)]) {
    guard let error = tensorBoard.add(step: step, values) else { return }
    warn("\(error.path): \(error); training continues, TensorBoard's values are kept in memory")
  }

  /// Logs and shows something that the user should know.
  func warn(_ message: String) {
    emit(.warning(message))
    parts.observer?.warned(message)
  }

  /// Does something that the run can continue without.
  func attempt(_ what: String, _ body: () throws -> Void) {
    do {
      try body()
    } catch let error as FileError {
      warn("\(error.path): \(error); training continues")
    } catch {
      warn("\(what): \(error); training continues")
    }
  }
}

extension TrainingState {
  /// The shape of every tensor, by network and name.
  fileprivate var tensorShapes: [String: [Int]] {
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

/// A share as `7.5 %`.
private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
