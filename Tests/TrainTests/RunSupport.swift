import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import BollyGANRuns
import BollyGANTraining
import Foundation

/// A temporary folder that is deleted with the value.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "bollygan-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  static func / (folder: Scratch, name: String) -> String { "\(folder.path)/\(name)" }

  /// Writes a file, creating its folder if necessary.
  func write(_ bytes: [UInt8], to name: String) throws {
    let url = URL(filePath: self / name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: self / name)))
  }
}

/// An image of coloured stripes, different for every number.
func stripes(_ number: Int, width: Int = 32, height: Int = 32, channels: Int = 3) -> Picture {
  let pixels = (0..<width * height * channels).map { index in
    let (x, y) = (index / channels % width, index / channels / width)
    let slope = x * (number % 7 + 1) + y * (number % 5) * 3
    return UInt8(truncatingIfNeeded: slope * 5 + number * 37)
  }
  return Picture(width: width, height: height, channels: channels, pixels: pixels)
}

/// Fills a data folder with striped images.
func drawStripes(_ count: Int, in folder: Scratch) throws {
  for number in 0..<count {
    let name = "data/\(number % 3)/picture-\(number).png"
    try folder.write(stripes(number).encodePNG(), to: name)
  }
}

/// Thrown by a scripted engine to simulate a power failure.
struct PowerCut: Error {}

/// The fast trainer with a hook before each step, or with invented losses.
final class ScriptedEngine: TrainingEngine {
  private let engine: FastTrainer
  private var steps = 0
  var beforeStep: (Int) throws -> Void = { _ in }
  /// The losses of a step, given its number and the factor on its learning rates.
  var losses: ((Int, Double) -> StepLosses)?

  init(
    _ configuration: TrainingConfiguration, _ generator: GeneratorWeights,
    _ discriminator: DiscriminatorWeights, threads: Int
  ) {
    engine = FastTrainer(
      configuration: configuration, generator: generator, discriminator: discriminator,
      threads: threads)
  }

  var configuration: TrainingConfiguration { engine.configuration }

  func step(_ batch: TrainingBatch) throws -> StepLosses {
    steps = engine.state().discriminatorOptimizer.step + 1
    try beforeStep(steps)
    let found = try engine.step(batch)
    return losses?(steps, batch.rateFactor) ?? found
  }

  func state() -> TrainingState { engine.state() }
  func restore(_ state: TrainingState) { engine.restore(state) }
  func generate(latents: [Float], batchStatistics: Bool) -> [Float] {
    engine.generate(latents: latents, batchStatistics: batchStatistics)
  }
}

/// Records what a run reports.
final class Notes: RunObserver {
  var steps: [Int] = []
  var lines: [String] = []
  var warnings: [String] = []

  func madeStep(_ report: StepReport) { steps.append(report.step) }
  func logged(_ event: LogEvent) { lines.append(event.json) }
  func warned(_ message: String) { warnings.append(message) }
}

/// Tiny runs on 20 images: five batches of four per epoch.
struct TinyRun {
  let scratch: Scratch
  var recipe: Recipe
  var options = RunOptions(checkpointEvery: .steps(2), threads: 1)
  var notes = Notes()
  var threads = 1
  var beforeStep: (Int) throws -> Void = { _ in }
  var losses: ((Int, Double) -> StepLosses)?
  var isStopRequested: () -> Bool = { false }

  init(epochs: Int = 3) async throws {
    scratch = try Scratch()
    try drawStripes(20, in: scratch)
    recipe = Recipe.bollygan
    recipe.batch = 4
    recipe.latent = 6
    recipe.epochs = epochs
  }

  func pictures() async throws -> PictureSet {
    try await PictureSet.load(
      folder: scratch / "data", format: .init(side: 32, channels: 3, rules: .asDisplayed),
      threads: 2)
  }

  func record() async throws -> RunRecord {
    RunRecord(
      date: "2026-11-23",
      definition: RunDefinition(
        recipe: recipe, seed: 5, side: 32, generatorWidth: 3, discriminatorWidth: 3,
        pictures: try await pictures().fingerprint),
      options: options, data: .init(folder: scratch / "data", pictures: 20, skipped: 0))
  }

  func parts(_ name: String, isNew: Bool) async throws -> TrainingRun.Parts {
    let (beforeStep, losses, threads) = (beforeStep, losses, threads)
    var record = try await record()
    // Like the command, take the rollbacks from the record on disk.
    if !isNew, let bytes = try? scratch.bytes("\(name)/run.json") {
      record.rollbacks = try RunRecord(bytes: bytes, path: name).rollbacks
    }
    return TrainingRun.Parts(
      folder: try RunFolder(path: scratch / name, isNew: isNew), record: record,
      pictures: try await pictures(),
      makeEngine: { configuration, generator, discriminator in
        let engine = ScriptedEngine(configuration, generator, discriminator, threads: threads)
        engine.beforeStep = beforeStep
        engine.losses = losses
        return engine
      }, isStopRequested: isStopRequested, observer: notes)
  }

  func begin(_ name: String) async throws -> RunEnd {
    try TrainingRun.begin(await parts(name, isNew: true)).run()
  }

  func resume(_ name: String, isForced: Bool = false) async throws -> RunEnd {
    try TrainingRun.resume(await parts(name, isNew: false), isForced: isForced).run()
  }

  /// The results of a run that must not depend on how often it was interrupted.
  func outcome(_ name: String) throws -> Outcome {
    let lines = String(decoding: try scratch.bytes("\(name)/log.jsonl"), as: UTF8.self)
      .split(separator: "\n")
    return Outcome(
      generator: try scratch.bytes("\(name)/generator.safetensors"),
      discriminator: try scratch.bytes("\(name)/discriminator.safetensors"),
      samples: try scratch.bytes("\(name)/samples/epoch-0003.png"),
      steps: lines.filter { $0.contains("\"event\":\"step\"") }.map(String.init))
  }

  struct Outcome: Equatable {
    var generator: [UInt8]
    var discriminator: [UInt8]
    var samples: [UInt8]
    var steps: [String]
  }

  /// The names in a run folder, including temporary files, but not TensorBoard's files.
  func names(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: scratch / name)
      .filter { !$0.hasPrefix("events.out.tfevents.") }.sorted()
  }

  /// The names of TensorBoard's files, in the order in which it reads them.
  func eventFiles(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: scratch / name)
      .filter { $0.hasPrefix("events.out.tfevents.") }.sorted()
  }
}
