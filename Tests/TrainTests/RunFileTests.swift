import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Run files")
struct RunFileTests {
  @Test("a line of the log is valid JSON, whatever its values")
  func logLine() throws {
    let line = LogEvent(
      "skipped", step: 3, epoch: 1,
      [
        .init("file", "a\"b\\c\n\t\u{1}\u{7F} é😀.png"), .init("loss_d", 1.25e-7),
        .init("loss_g", Double.nan), .init("count", 7),
      ]
    ).json
    #expect(line.hasPrefix("{\"event\":\"skipped\",\"step\":3,\"epoch\":1,"))
    #expect(!line.contains("\n"))
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["file"] as? String == "a\"b\\c\n\t\u{1}\u{7F} é😀.png")
    #expect(object["loss_d"] as? Double == 1.25e-7)
    #expect(object["loss_g"] is NSNull)
    #expect(object["count"] as? Int == 7)
  }

  @Test("a log is cut at the first line that is torn or belongs to a later step")
  func logLength() {
    let lines = [(0, "start"), (1, "step"), (2, "step"), (2, "epoch"), (3, "step")].map {
      "{\"event\":\"\($1)\",\"step\":\($0)}\n"
    }
    let log = Array(lines.joined().utf8)
    func kept(_ bytes: [UInt8], _ step: Int) -> String {
      String(decoding: bytes.prefix(RunLog.length(of: bytes, throughStep: step)), as: UTF8.self)
    }
    #expect(kept(log, 2) == lines[...3].joined())
    #expect(kept(log, 3) == lines.joined())
    #expect(kept(log, 0) == lines[0])
    #expect(kept(log.dropLast(), 3) == lines[...3].joined())
    #expect(kept(Array(lines[0].utf8) + [0, 0, 10] + Array(lines[1].utf8), 3) == lines[0])
    #expect(kept([], 3) == "")
  }

  @Test("a cadence is a number of epochs or of steps")
  func cadence() {
    #expect(Cadence("3") == .epochs(3))
    #expect(Cadence("1 epoch") == .epochs(1))
    #expect(Cadence("200steps") == .steps(200))
    for bad in ["", "0", "-1", "2weeks", "steps", "1.5", "99999999999999999999"] {
      #expect(Cadence(bad) == nil, "\(bad)")
    }
    #expect(Cadence(Cadence.steps(12).description) == .steps(12))
  }

  private var record: RunRecord {
    RunRecord(
      date: "2026-11-23",
      definition: RunDefinition(recipe: .article, seed: -7, pictures: "abc"),
      options: RunOptions(maximumSteps: 9, checkpointEvery: .steps(4)),
      data: .init(folder: "/pictures", pictures: 12, skipped: 1))
  }

  @Test("run.json survives a round trip, and a faulty one is rejected with the reason")
  func runRecord() throws {
    let bytes = try record.encoded()
    #expect(try RunRecord(bytes: bytes, path: "run.json") == record)
    let text = String(decoding: bytes, as: UTF8.self)
    for (old, new, complaint) in [
      ("\"schema\" : 1", "\"schema\" : 2", "schema 2"),
      ("\"seed\" : -7", "\"seed\" : \"x\"", "definition.seed has the wrong type"),
      ("\"side\" : 64", "\"side\" : 65", "side 65"),
      ("\"batch\" : 128", "\"batch\" : 0", "batch must be 1 to 65536, got 0"),
      ("\"seed\" :", "\"sead\" :", "definition.seed is missing"),
      ("4 steps", "4 weeks", "options.checkpointEvery"),
      ("{", "", "not valid JSON"),
    ] {
      let damaged = text.replacingOccurrences(of: old, with: new)
      #expect(damaged != text)
      do {
        _ = try RunRecord(bytes: Array(damaged.utf8), path: "run.json")
        Issue.record("\(new) was accepted")
      } catch {
        #expect("\(error)".contains(complaint), "\(error)")
      }
    }
  }

  @Test("differences between definitions are named; the number of epochs is not one")
  func differences() {
    let begun = record.definition
    var other = begun
    other.recipe.epochs += 10
    #expect(other.differences(from: begun).isEmpty && other.hash == begun.hash)
    other.recipe.generatorRate = 0.005
    other.seed = 8
    other.initialGenerator = "f00"
    #expect(
      other.differences(from: begun) == [
        "recipe.generatorRate: 0.005, not 0.0002", "seed: 8, not -7",
        "initialGenerator: f00, not nothing",
      ])
    #expect(other.hash != begun.hash)
  }

  /// A definition as in the runs below.
  private func definition(
    _ recipe: Recipe, seed: Int64 = 0, _ change: (inout RunDefinition) -> Void = { _ in }
  ) -> RunDefinition {
    var definition = RunDefinition(
      recipe: recipe, seed: seed, side: 32, generatorWidth: 4, discriminatorWidth: 4,
      pictures: "6184381e5580e37bd7e26e4d4aa54cb4501ccfe0e1da1ef9380d101c267ab488")
    change(&definition)
    return definition
  }

  /// The hashes are from the checkpoints of runs on 40 cartoon faces (`draw-faces --count 40 --seed
  /// 3 --side 32`), made before the fields were listed explicitly. If one changes, the runs that
  /// users have on disk can no longer be resumed.
  @Test("the hash of each recipe equals that of existing runs")
  func recipeHashes() {
    let bollygan = definition(.bollygan)
    #expect(
      bollygan.hash == "a00c55a4eb3608c2300162b22568169891750cdeb481d0cdce37f4160dfc6dc5")
    let tutorial = definition(.tutorial, seed: 7) { $0.recipe.batch = 8 }
    #expect(
      tutorial.hash == "7b08cc7e0af261cd69c1d2e32b7e0ae35de1efcc9a64cc3be63de07b4a799382")
    let article = definition(.article, seed: -7) { $0.recipe.batch = 8 }
    #expect(
      article.hash == "91eaff2ae4e4dc87e13512dc0cbf5d6600d1a7fee3261ea4e53c288f85f8dbd6")
  }

  @Test("the hash of a run with every technique equals that of existing runs")
  func techniqueHashes() {
    let generator = "70cb7688ebc470fee15df6db38e83980145f4dcb0b9fd4ec55c574a661b8976a"
    func everyTechnique(_ definition: inout RunDefinition) {
      definition.discriminatorWidth = 2
      definition.recipe.latent = 16
      definition.recipe.batch = 8
      definition.recipe.generatorRate = 0.0001
      definition.recipe.discriminatorRate = 0.0004
      definition.recipe.beta1 = 0.4
      definition.recipe.beta2 = 0.99
      definition.recipe.preview = true
      definition.recipe.mirror = false
      definition.recipe.pictureRules = .pillow
      definition.recipe.generatorAverage = 0.99
      definition.recipe.holdout = 0.1
      definition.recipe.techniques.augmentation = [.color, .translation, .cutout]
      definition.recipe.techniques.instanceNoise = 0.1
      definition.recipe.techniques.noiseFloor = 0.05
      definition.recipe.techniques.rateDecay = 0.5
      definition.recipe.techniques.discriminatorNorm = .spectral
      definition.recipe.techniques.r1 = 1
      definition.recipe.techniques.r1Every = 4
    }
    let hinge = definition(.bollygan, seed: 999) {
      everyTechnique(&$0)
      $0.recipe.techniques.loss = .hinge
      $0.recipe.techniques.labelSmoothing = 0
    }
    #expect(hinge.hash == "704ec98ae4be0c261d277f1d09d4a88aaea78f0f3185146b59c528b1163fa6cf")
    let logistic = definition(.bollygan, seed: 999) {
      everyTechnique(&$0)
      $0.initialGenerator = generator
      $0.initialDiscriminator = "e047a8f52da9da03bcbade5877ff52512d984ab84e412375c3601287695e3990"
      $0.recipe.techniques.loss = .logistic
      $0.recipe.techniques.labelSmoothing = 0.2
    }
    #expect(
      logistic.hash == "dfc92fd80500b78a09b21de8309aa3f6babc9852e1f0e8adeecab9e776cb2119")
    let started = definition(.bollygan) {
      $0.initialGenerator = generator
      $0.recipe.latent = 16
      $0.recipe.generatorAverage = nil
      $0.recipe.techniques.labelSmoothing = 0.2
    }
    #expect(
      started.hash == "15d032b65602dfd04040a4155b6747deb9a3ae787b7f8c4758362ae5800b840c")
  }

  @Test("a run folder can be locked only once, even within a process")
  func lock() throws {
    let scratch = try Scratch()
    let first = try RunFolder(path: scratch / "run", isNew: true)
    #expect(throws: RunError.self) { try RunFolder(path: scratch / "run", isNew: false) }
    withExtendedLifetime(first) {}
  }

  @Test("a run does not start in a folder that is not empty")
  func vacancy() throws {
    let scratch = try Scratch()
    func complaint(_ isForced: Bool = false) -> String? {
      do {
        try RunFolder(path: scratch / "run", isNew: true).checkVacant(isForced: isForced)
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(complaint() == nil)
    try scratch.write([1], to: "run/letter.txt")
    #expect(complaint()?.contains("not a run folder") == true)
    try scratch.write([1], to: "run/run.json")
    #expect(complaint()?.contains("--resume") == true)
    #expect(complaint(true) == nil)
  }

  @Test("replacing a run removes its own files and nothing else")
  func clear() throws {
    let scratch = try Scratch()
    let mine = [
      "run.json", "log.jsonl", "generator.safetensors", "checkpoint-000001.safetensors",
      "checkpoint-000002.safetensors.damaged", "samples/epoch-0001.png",
    ]
    let theirs = ["letter.txt", "samples/photo.png", "checkpoint-best.safetensors"]
    for name in mine + theirs { try scratch.write([1], to: "run/" + name) }
    try RunFolder(path: scratch / "run", isNew: false).clear()
    for name in mine { #expect(!FileManager.default.fileExists(atPath: scratch / "run/\(name)")) }
    for name in theirs { #expect(FileManager.default.fileExists(atPath: scratch / "run/\(name)")) }
  }
}

@Suite("Checkpoint")
struct CheckpointTests {
  private static func checkpoint() throws -> (checkpoint: Checkpoint, shape: DCGANShape) {
    let shape = try DCGANShape(latent: 5, generatorWidth: 2, discriminatorWidth: 1, side: 32)
    var recipe = Recipe.bollygan
    recipe.latent = 5
    var stream = TrainingStream(recipe: recipe, shape: shape, seed: 3, pictureCount: 6)
    let engine = FastTrainer(
      configuration: recipe.configuration(for: shape), generator: stream.initialGenerator,
      discriminator: stream.initialDiscriminator, threads: 1)
    let order = stream.epochOrder()
    let draw = stream.draw(pictureCount: 3)
    _ = try engine.step(
      TrainingBatch(
        pixels: (0..<3).flatMap { stripes($0).pixels }, latents: draw.latents,
        generatorLatents: draw.generatorLatents))
    var divergenceGuard = DivergenceGuard(stepsPerEpoch: 6)
    for step in 1...3 {
      _ = divergenceGuard.observe(
        StepLosses(
          lossD: Double(step), lossG: 1, dX: 0.5, dGz1: 0.25, dGz2: 0.5,
          gradientD: step == 2 ? nil : Double(step)))
    }
    _ = divergenceGuard.observe(
      DivergenceGuard.SampleInspection(pictures: [0, 1, 1, 1], count: 2), usual: 0)
    let checkpoint = Checkpoint(
      state: engine.state(), average: stream.initialGenerator, random: stream.blob, step: 1,
      epoch: 1, position: 1, order: order, sums: [1, 2, 3, 0.1, 5],
      guardMemory: divergenceGuard.memory,
      rollbacks: 2,
      definition: "cafe", origin: ["bollygan.kernels": "avx2"])
    return (checkpoint, shape)
  }

  @Test("survives a round trip")
  func roundTrip() throws {
    let (checkpoint, shape) = try Self.checkpoint()
    let bytes = try checkpoint.encoded()
    #expect(try Checkpoint(bytes: bytes, shape: shape, definition: "cafe") == checkpoint)
    #expect(try checkpoint.encoded() == bytes)
    #expect(throws: CheckpointError.otherDefinition) {
      try Checkpoint(bytes: bytes, shape: shape, definition: "beef")
    }
    let other = try DCGANShape(latent: 5, generatorWidth: 3, discriminatorWidth: 1, side: 32)
    #expect(throws: CheckpointError.self) {
      try Checkpoint(bytes: bytes, shape: other, definition: nil)
    }
  }

  @Test("a flipped bit, a missing byte or an extra byte is detected")
  func damage() throws {
    let (checkpoint, shape) = try Self.checkpoint()
    let bytes = try checkpoint.encoded()
    let header = 8 + Int(bytes[0]) + Int(bytes[1]) << 8 + Int(bytes[2]) << 16
    #expect(header < bytes.count / 2)
    var random = SystemRandomNumberGenerator()
    // A damaged header is rejected quickly; a damaged body costs a hash of the whole file.
    let places =
      Array(stride(from: 0, to: header, by: 3))
      + (0..<300).map { _ in Int.random(in: header..<bytes.count, using: &random) }
    var passed: [Int] = []
    for place in places {
      var damaged = bytes
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      if (try? Checkpoint(bytes: damaged, shape: shape, definition: nil)) != nil {
        passed.append(place)
      }
    }
    #expect(passed.isEmpty)
    for length in [0, 7, header - 1, header, bytes.count / 2, bytes.count - 1] {
      #expect(throws: CheckpointError.self) {
        try Checkpoint(bytes: Array(bytes.prefix(length)), shape: shape, definition: nil)
      }
    }
    #expect(throws: CheckpointError.self) {
      try Checkpoint(bytes: bytes + [0], shape: shape, definition: nil)
    }
  }

  @Test(
    "a value that is not finite is never written", arguments: [Float.nan, .infinity, -.infinity])
  func notFinite(value: Float) throws {
    var (checkpoint, _) = try Self.checkpoint()
    let name = "main.0.weight"
    checkpoint.state.generatorOptimizer.secondMoments[name]?.values[40] = value
    #expect(throws: CheckpointError.notFinite("opt_g.exp_avg_sq.\(name)")) {
      try checkpoint.encoded()
    }
    checkpoint.state.generatorOptimizer.secondMoments[name]?.values[40] =
      .greatestFiniteMagnitude
    #expect(throws: Never.self) { try checkpoint.encoded() }
  }
}
