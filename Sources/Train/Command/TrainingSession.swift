import ArgumentParser
import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// One training command: from its options to the end of the run.
struct TrainingSession {
  let task: TaskOptions
  let recipe: RecipeOptions
  let execution: ExecutionOptions
  let display: Display
  /// Asked before every step whether to stop.
  var isStopRequested: () -> Bool = { Interruption.status != nil }

  /// Executes the run.
  ///
  /// - Returns: The run, and how it ended.
  func outcome() async throws -> (run: TrainingRun, end: RunEnd) {
    let run: TrainingRun
    if let path = task.resume { run = try await resume(path) } else { run = try await begin() }
    display.begin(run)
    defer { display.finish() }
    return (run, try run.run())
  }

  /// Executes the run and tells the user how it ended.
  func run() async throws {
    let (run, end) = try await outcome()
    switch end {
    case .finished:
      display.say(run.summary)
    case .stopped:
      display.say("stopped and saved; continue with: bollygan-train --resume \(run.folder.path)")
      throw ExitCode((Interruption.status ?? .interrupted).rawValue)
    case .diverged(let divergence):
      throw CommandFailure(.diverged, "\(divergence)")
    }
  }

  // MARK: - A new run

  private func begin() async throws -> TrainingRun {
    let path = task.out!
    let origin = try task.from.map(readRecord)
    let generator = try initialGenerator(recipe.initGenerator ?? origin?.data.initialGenerator)
    var definition = try definition(origin?.definition, generator)
    let discriminator = try initialDiscriminator(
      recipe.initDiscriminator ?? origin?.data.initialDiscriminator, for: definition)
    definition.initialGenerator = generator?.hash
    definition.initialDiscriminator = discriminator?.hash

    // Check an existing folder before reading the images, but create a new one afterwards. Errors
    // then show early, and a failed command leaves nothing behind.
    var folder: RunFolder?
    if Folder.exists(path) { folder = try vacantFolder(path) }
    let data = try dataFolder(task.data ?? origin!.data.folder)
    let excluded = try task.exclude.map(readExclusions) ?? exclusions(of: origin)
    let pictures = try await pictures(in: data, for: definition, excluding: excluded)
    definition.pictures = pictures.fingerprint
    if let origin, task.data == nil, origin.definition.pictures != pictures.fingerprint {
      throw RunError.otherPictures(
        folder: data, begunWith: origin.data.pictures, found: pictures.count)
    }
    let locked = try folder ?? vacantFolder(path)
    try locked.clear()
    let record = RunRecord(
      date: origin.flatMap { $0.definition == definition ? $0.date : nil } ?? today(),
      definition: definition,
      options: execution.applied(
        to: origin?.options, recipe: definition.recipe, endsByEpochs: recipe.epochs != nil),
      data: RunRecord.DataSource(
        folder: data, pictures: pictures.count,
        heldOut: heldOutCount(of: pictures, by: definition.recipe),
        skipped: pictures.skipped.count,
        excluded: excluded.lines.isEmpty ? nil : excluded.lines,
        initialGenerator: generator?.path, initialDiscriminator: discriminator?.path))
    return try TrainingRun.begin(
      parts(
        locked, record, pictures, generator?.weights, discriminator?.weights))
  }

  private func vacantFolder(_ path: String) throws -> RunFolder {
    let folder = try RunFolder(path: path, isNew: true)
    try folder.checkVacant(isForced: task.force)
    try folder.removeLeftovers()
    return folder
  }

  /// The definition according to options and files. The sizes of an initial generator override the
  /// recipe's; options that contradict them are rejected.
  private func definition(
    _ base: RunDefinition?, _ generator: Initial<GeneratorWeights>?
  ) throws -> RunDefinition {
    var definition = try recipe.applied(to: base)
    guard let generator else { return definition }
    let shape = generator.weights.shape
    func take(
      _ name: String, _ place: WritableKeyPath<RunDefinition, Int>, _ found: Int, _ asked: Int?
    ) throws {
      if let asked, asked != found {
        throw CommandFailure(
          .badData, file: generator.path, "\(name) is \(found), not \(asked)")
      }
      definition[keyPath: place] = found
    }
    try take("latent size", \.recipe.latent, shape.latent, recipe.latent)
    try take("side", \.side, shape.side, recipe.side)
    try take("number of channels", \.channels, shape.channels, recipe.channels)
    let width = definition.generatorWidth
    try take("width", \.generatorWidth, shape.generatorWidth, recipe.width)
    if recipe.discriminatorWidth == nil && definition.discriminatorWidth == width && base == nil {
      definition.discriminatorWidth = shape.generatorWidth
    }
    return definition
  }

  // MARK: - Resuming

  private func resume(_ path: String) async throws -> TrainingRun {
    let folder = try RunFolder(path: path, isNew: false)
    guard try folder.holdsRun() else { throw RunError.noRun(path) }
    var record = try readRecord(folder.path(of: RunFolder.recordName))
    let begun = record.definition
    record.definition = try recipe.applied(to: begun)
    if let file = recipe.initGenerator {
      record.definition.initialGenerator = try initialGenerator(file)?.hash
    }
    if let file = recipe.initDiscriminator {
      record.definition.initialDiscriminator =
        try initialDiscriminator(file, for: record.definition)?.hash
    }
    let differences = record.definition.differences(from: begun)
    guard differences.isEmpty || task.forceResume else { throw RunError.changed(differences) }
    record.options = execution.applied(
      to: record.options, recipe: record.definition.recipe, endsByEpochs: recipe.epochs != nil)

    let data = try dataFolder(task.data ?? record.data.folder)
    let pictures = try await pictures(
      in: data, for: record.definition, excluding: exclusions(of: record))
    guard pictures.fingerprint == begun.pictures || task.forceResume else {
      throw RunError.otherPictures(
        folder: data, begunWith: record.data.pictures, found: pictures.count)
    }
    record.definition.pictures = pictures.fingerprint
    record.data.folder = data
    record.data.pictures = pictures.count
    record.data.heldOut = heldOutCount(of: pictures, by: record.definition.recipe)
    record.data.skipped = pictures.skipped.count
    // Needed only if the run was killed before its first checkpoint.
    let isUnbegun = try folder.checkpointSteps().isEmpty
    let generator = try isUnbegun ? initialGenerator(record.data.initialGenerator) : nil
    let discriminator =
      try isUnbegun
      ? initialDiscriminator(record.data.initialDiscriminator, for: record.definition) : nil
    return try TrainingRun.resume(
      parts(folder, record, pictures, generator?.weights, discriminator?.weights),
      isForced: task.forceResume)
  }

  private func readRecord(_ path: String) throws -> RunRecord {
    let path = Folder.exists(path) ? path + "/" + RunFolder.recordName : path
    let bytes = try CommandFailure.reading(path) { () throws(FileError) in
      try readFile(path, limit: RunRecord.limit)
    }
    return try RunRecord(bytes: bytes, path: path)
  }

  private func readExclusions(_ path: String) throws -> ExclusionList {
    try CommandFailure.reading(path) { () throws in
      try ExclusionList(bytes: readFile(path, limit: RunRecord.limit / 2))
    }
  }

  private func exclusions(of record: RunRecord?) throws -> ExclusionList {
    try CommandFailure.about(RunFolder.recordName) { () throws(ExclusionListError) in
      try ExclusionList(lines: record?.data.excluded ?? [])
    }
  }

  // MARK: - The parts of a run

  private func parts(
    _ folder: RunFolder, _ record: RunRecord, _ pictures: PictureSet,
    _ generator: GeneratorWeights?, _ discriminator: DiscriminatorWeights?
  ) throws -> TrainingRun.Parts {
    guard let engine = EngineName(rawValue: record.options.engine) else {
      throw CommandFailure(
        .badData, file: RunFolder.recordName, "unknown engine '\(record.options.engine)'")
    }
    return TrainingRun.Parts(
      folder: folder, record: record, pictures: pictures, initialGenerator: generator,
      initialDiscriminator: discriminator, makeEngine: engine.maker(record.options),
      isStopRequested: isStopRequested, observer: display)
  }

  private func pictures(
    in folder: String, for definition: RunDefinition, excluding excluded: ExclusionList
  ) async throws -> PictureSet {
    let rules = PictureRules(rawValue: definition.recipe.pictureRules.rawValue) ?? .asDisplayed
    let progress = display.readingProgress()
    defer { progress.finish() }
    let pictures = try await PictureSet.load(
      folder: folder,
      format: .init(side: definition.side, channels: definition.channels, rules: rules),
      excluding: excluded.names, isStrict: execution.strict,
      threads: execution.threads ?? processorCount,
      isCancelled: { Interruption.status != nil },
      progress: { done, total in progress.update(done: done, total: total) })
    progress.finish()
    display.describe(pictures, from: folder)
    let absent = excluded.names.count - pictures.excluded
    if absent > 0 {
      printError("\(absent) of the \(excluded.names.count) excluded images do not exist")
    }
    let trained = pictures.count - pictures.heldOut(share: definition.recipe.holdout).count
    guard trained >= definition.recipe.batch else {
      throw DataFolderError.tooFew(
        folder: folder, usable: trained, skipped: pictures.skipped.count,
        needed: definition.recipe.batch)
    }
    return pictures
  }

  /// The number of held-out images; nil for none.
  private func heldOutCount(of pictures: PictureSet, by recipe: Recipe) -> Int? {
    let kept = pictures.heldOut(share: recipe.holdout)
    return kept.isEmpty ? nil : kept.count
  }

  /// The absolute path of a data folder, so that the run can be resumed from anywhere.
  private func dataFolder(_ path: String) throws -> String {
    guard Folder.exists(path) else {
      throw CommandFailure(.missingInput, file: path, "no such folder")
    }
    return absolutePath(path)
  }

  /// Today's date in UTC, such as `2026-11-23`.
  private func today() -> String {
    Date.now.formatted(Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day())
  }
}

/// A network to start from.
private struct Initial<Weights> {
  let path: String
  let weights: Weights
  let hash: String
}

extension TrainingSession {
  /// Largest accepted file of weights in bytes.
  private static var weightsLimit: Int { 1 << 30 }

  private func initialGenerator(_ path: String?) throws -> Initial<GeneratorWeights>? {
    try path.map { path in
      try CommandFailure.reading(path) { () throws in
        let file = try SafetensorsFile(bytes: readFile(path, limit: Self.weightsLimit))
        let loaded = try GeneratorWeights.load(file)
        display.printRemarks(loaded.notes, about: path)
        if let difference = loaded.weights.untrainable {
          throw CommandFailure(
            .badData, file: path, "\(difference), which training does not support")
        }
        return Initial(
          path: absolutePath(path), weights: loaded.weights, hash: loaded.weights.file().tensorHash)
      }
    }
  }

  private func initialDiscriminator(
    _ path: String?, for definition: RunDefinition
  ) throws -> Initial<DiscriminatorWeights>? {
    try path.map { path in
      try CommandFailure.reading(path) { () throws in
        let file = try SafetensorsFile(bytes: readFile(path, limit: Self.weightsLimit))
        let loaded = try DiscriminatorWeights.load(file.tensors)
        display.printRemarks(loaded.notes, about: path)
        let shape = try definition.shape()
        let weights = loaded.weights
        guard weights.shape.discriminatorChannels == shape.discriminatorChannels else {
          throw CommandFailure(
            .badData, file: path,
            "has channels \(weights.shape.discriminatorChannels), but the run needs "
              + "\(shape.discriminatorChannels)")
        }
        let configuration = definition.recipe.configuration(for: shape)
        let normalises = definition.recipe.techniques.discriminatorNorm == .batch
        guard weights.normalises == normalises else {
          throw CommandFailure(
            .badData, file: path,
            "has \(weights.normalises ? "" : "no ")batch normalisation, unlike the run's "
              + "discriminator (--discriminator-norm)")
        }
        guard weights.normalisesFirst == configuration.normalisesFirst else {
          throw CommandFailure(
            .badData, file: path,
            "its first convolution is \(weights.normalisesFirst ? "" : "not ")followed by batch "
              + "normalisation, unlike in recipe \(definition.recipe.name)")
        }
        return Initial(path: absolutePath(path), weights: weights, hash: weights.file().tensorHash)
      }
    }
  }
}
