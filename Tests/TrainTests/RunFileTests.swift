import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Files of a run")
struct RunFileTests {
  @Test("a line of the log is JSON, whatever stands in it")
  func logLine() throws {
    var line = LogLine(event: "skipped", step: 3, epoch: 1)
    line.add("file", "a\"b\\c\n\t\u{1}\u{7F} é😀.png")
    line.add("loss_d", 1.25e-7)
    line.add("loss_g", Double.nan)
    line.add("count", 7)
    #expect(line.text.hasPrefix("{\"event\":\"skipped\",\"step\":3,\"epoch\":1,"))
    #expect(!line.text.contains("\n"))
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(line.text.utf8)) as? [String: Any])
    #expect(object["file"] as? String == "a\"b\\c\n\t\u{1}\u{7F} é😀.png")
    #expect(object["loss_d"] as? Double == 1.25e-7)
    #expect(object["loss_g"] is NSNull)
    #expect(object["count"] as? Int == 7)
  }

  @Test("a log is cut at the first line that is torn or of a later step")
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

  @Test("how often is written as a number of epochs or of steps")
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

  @Test("run.json reads back as it was, and says what is wrong with another")
  func runRecord() throws {
    let bytes = try record.encoded()
    #expect(try RunRecord(bytes: bytes, path: "run.json") == record)
    let text = String(decoding: bytes, as: UTF8.self)
    for (old, new, complaint) in [
      ("\"schema\" : 1", "\"schema\" : 2", "schema 2"),
      ("\"seed\" : -7", "\"seed\" : \"x\"", "definition.seed is of the wrong kind"),
      ("\"side\" : 64", "\"side\" : 65", "side 65"),
      ("\"batch\" : 128", "\"batch\" : 0", "batch is 0"),
      ("\"seed\" :", "\"sead\" :", "definition.seed is missing"),
      ("4 steps", "4 weeks", "options.checkpointEvery"),
      ("{", "", "no JSON"),
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

  @Test("a definition's differences are named, epochs are none")
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

  @Test("a second process, or a second hand in this one, cannot have a run's folder")
  func lock() throws {
    let scratch = try Scratch()
    let first = try RunFolder(path: scratch / "run", isNew: true)
    #expect(throws: RunError.self) { try RunFolder(path: scratch / "run", isNew: false) }
    withExtendedLifetime(first) {}
  }

  @Test("a folder that holds anything is not begun in")
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
    #expect(complaint()?.contains("holds no run") == true)
    try scratch.write([1], to: "run/run.json")
    #expect(complaint()?.contains("--resume") == true)
    #expect(complaint(true) == nil)
  }

  @Test("replacing a run removes what is the run's and nothing else")
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
    var watch = DivergenceGuard(stepsPerEpoch: 6)
    for step in 1...3 {
      _ = watch.observe(
        StepLosses(
          lossD: Double(step), lossG: 1, dX: 0.5, dGz1: 0.25, dGz2: 0.5,
          gradientD: step == 2 ? nil : Double(step)))
    }
    _ = watch.observe(DivergenceGuard.Look(pictures: [0, 1, 1, 1], count: 2), usual: 0)
    let checkpoint = Checkpoint(
      state: engine.state(), average: stream.initialGenerator, random: stream.blob, step: 1,
      epoch: 1, position: 1, order: order, sums: [1, 2, 3, 0.1, 5], guardMemory: watch.memory,
      rollbacks: 2,
      definition: "cafe", origin: ["bollygan.kernels": "avx2"])
    return (checkpoint, shape)
  }

  @Test("reads back as it was")
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

  @Test("no flipped bit passes, nor a missing or an added byte")
  func damage() throws {
    let (checkpoint, shape) = try Self.checkpoint()
    let bytes = try checkpoint.encoded()
    let header = 8 + Int(bytes[0]) + Int(bytes[1]) << 8 + Int(bytes[2]) << 16
    #expect(header < bytes.count / 2)
    var random = SystemRandomNumberGenerator()
    // Reading stops at the first thing that is wrong; a bit of the body costs a whole hash.
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

  @Test("what is not finite is never written", arguments: [Float.nan, .infinity, -.infinity])
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
