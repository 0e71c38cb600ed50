import BollyGANModel
import BollyGANPictures
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Run")
struct RunLoopTests {
  @Test("writes every file of a run folder")
  func wholeRun() async throws {
    let tiny = try await TinyRun()
    guard case .finished = try await tiny.begin("run") else {
      Issue.record("the run did not finish")
      return
    }
    #expect(
      try tiny.names(in: "run") == [
        "checkpoint-000014.safetensors", "checkpoint-000015.safetensors",
        "discriminator.safetensors", "generator.safetensors", "log.jsonl", "report.html",
        "run.json", "samples",
      ])
    #expect(
      try tiny.names(in: "run/samples") == [
        "epoch-0001.png", "epoch-0002.png", "epoch-0003.png", "latents.safetensors",
      ])
    #expect(tiny.notes.steps == Array(1...15) && tiny.notes.warnings.isEmpty)

    let log = String(decoding: try tiny.scratch.bytes("run/log.jsonl"), as: UTF8.self)
    let lines = try log.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(tiny.notes.lines.joined(separator: "\n") + "\n" == log)
    let steps = lines.filter { $0["event"] as? String == "step" }
    #expect(steps.map { $0["step"] as? Int } == Array(1...15))
    #expect(steps.map { $0["epoch"] as? Int } == (1...3).flatMap { [Int](repeating: $0, count: 5) })
    for key in ["loss_d", "loss_g", "d_x", "d_gz1", "d_gz2"] {
      let values = steps.compactMap { $0[key] as? Double }
      #expect(values.count == 15 && Set(values).count == 15)
      let means = lines.filter { $0["event"] as? String == "epoch" }.compactMap {
        $0[key] as? Double
      }
      // The log has all digits, so only the order of additions may differ.
      for epoch in 0..<3 {
        let mean = values[epoch * 5..<epoch * 5 + 5].reduce(0, +) / 5
        #expect(abs(means[epoch] - mean) < 1e-14)
      }
    }

    let file = try SafetensorsFile(bytes: tiny.scratch.bytes("run/generator.safetensors"))
    #expect(try GeneratorWeights(file).shape.generatorChannels == [6, 12, 6, 3, 3])
    #expect(file.metadata["bollygan.step"] == "15" && file.metadata["bollygan.epoch"] == "3")
    #expect(file.metadata["modelspec.date"] == "2026-11-23")
    #expect(file.metadata["modelspec.hash_sha256"] == "0x" + file.tensorHash)
    let sheet = try decodePicture(tiny.scratch.bytes("run/samples/epoch-0003.png")).picture
    // 8 by 8 faces of 32 pixels with borders of 2.
    #expect(sheet.width == 274 && sheet.height == 274)
  }

  @Test("every image is seen once per epoch, mirrored about half of the time")
  func batches() async throws {
    // Records what the engine receives, not what the run reports.
    final class Seen: TrainingEngine {
      let inner: ScriptedEngine
      var pictures: [[UInt8]] = []
      var configuration: TrainingConfiguration { inner.configuration }
      init(_ inner: ScriptedEngine) { self.inner = inner }
      func step(_ batch: TrainingBatch) throws -> StepLosses {
        let size = 32 * 32 * 3
        pictures += stride(from: 0, to: batch.pixels.count, by: size).map {
          Array(batch.pixels[$0..<$0 + size])
        }
        return try inner.step(batch)
      }
      func state() -> TrainingState { inner.state() }
      func restore(_ state: TrainingState) { inner.restore(state) }
      func generate(latents: [Float], batchStatistics: Bool) -> [Float] {
        inner.generate(latents: latents, batchStatistics: batchStatistics)
      }
    }
    let tiny = try await TinyRun()
    var parts = try await tiny.parts("run", isNew: true)
    var seen: Seen?
    parts.makeEngine = {
      let engine = Seen(ScriptedEngine($0, $1, $2, threads: 1))
      // Later engines only draw samples.
      seen = seen ?? engine
      return engine
    }
    _ = try TrainingRun.begin(parts).run()
    let pictures = try #require(seen).pictures
    #expect(pictures.count == 60)
    let plain = (0..<20).map { stripes($0).pixels }
    let mirrored = try await tiny.pictures().batch(
      ArraySlice(0..<20), mirrored: [Bool](repeating: true, count: 20))
    var turned = 0
    for epoch in 0..<3 {
      var found: Set<Int> = []
      for picture in pictures[epoch * 20..<epoch * 20 + 20] {
        if let number = plain.firstIndex(of: picture) {
          found.insert(number)
        } else {
          let place = stride(from: 0, to: mirrored.count, by: picture.count).first {
            Array(mirrored[$0..<$0 + picture.count]) == picture
          }
          // The set is ordered by folder: 0/picture-0, 0/picture-12, ...
          #expect(place != nil)
          turned += 1
          found.insert(1000 + (place ?? 0) / picture.count)
        }
      }
      #expect(found.count == 20)
    }
    // 60 coin tosses are outside of 15...45 for one seed in 20,000.
    #expect((15...45).contains(turned))
  }

  @Test("resumes after a power failure at any step with identical results", arguments: 1...15)
  func resumes(step: Int) async throws {
    var tiny = try await TinyRun()
    _ = try await tiny.begin("whole")
    tiny.beforeStep = { if $0 == step { throw PowerCut() } }
    await #expect(throws: PowerCut.self) { try await tiny.begin("cut") }
    // A power failure leaves half a line in the log, and partly written files.
    let log = try #require(FileHandle(forWritingAtPath: tiny.scratch / "cut/log.jsonl"))
    try log.seekToEnd()
    try log.write(contentsOf: Data("{\"event\":\"st".utf8))
    try tiny.scratch.write([1, 2, 3], to: "cut/.checkpoint-000099.safetensors.tmp.999999999")
    try tiny.scratch.write([1, 2, 3], to: "cut/samples/.epoch-0009.png.tmp.999999999")
    tiny.beforeStep = { _ in }
    tiny.threads = 2
    tiny.options.threads = 2
    _ = try await tiny.resume("cut")
    #expect(try tiny.outcome("cut") == tiny.outcome("whole"))
    #expect(try tiny.names(in: "cut") == tiny.names(in: "whole"))
    #expect(try tiny.names(in: "cut/samples") == tiny.names(in: "whole/samples"))
  }

  @Test("stops between two steps when asked, and resumes from there")
  func stops() async throws {
    var tiny = try await TinyRun()
    _ = try await tiny.begin("whole")
    let notes = tiny.notes
    notes.steps = []
    tiny.isStopRequested = { notes.steps.count == 7 }
    guard case .stopped = try await tiny.begin("cut") else {
      Issue.record("the run did not stop")
      return
    }
    #expect(try tiny.names(in: "cut").contains("checkpoint-000007.safetensors"))
    for name in ["generator", "discriminator"] {
      let file = try SafetensorsFile(bytes: tiny.scratch.bytes("cut/\(name).safetensors"))
      #expect(file.metadata["bollygan.step"] == "7", "\(name)")
    }
    tiny.isStopRequested = { false }
    notes.steps = []
    _ = try await tiny.resume("cut")
    #expect(notes.steps == Array(8...15))
    #expect(try tiny.outcome("cut") == tiny.outcome("whole"))
  }

  @Test("the two networks in a run folder are from the same step, even during training")
  func pair() async throws {
    var tiny = try await TinyRun()
    let scratch = tiny.scratch
    tiny.beforeStep = { step in
      // Epochs end after steps 5 and 10.
      let whole = step <= 5 ? nil : step <= 10 ? "5" : "10"
      for name in ["generator", "discriminator"] {
        let bytes = try? scratch.bytes("run/\(name).safetensors")
        let file = try bytes.map { try SafetensorsFile(bytes: $0) }
        #expect(file?.metadata["bollygan.step"] == whole, "\(name) before step \(step)")
      }
    }
    _ = try await tiny.begin("run")
    #expect(tiny.notes.steps == Array(1...15))
  }

  @Test("a finished run extended by more epochs equals a run of that length")
  func longer() async throws {
    var tiny = try await TinyRun()
    _ = try await tiny.begin("whole")
    tiny.recipe.epochs = 1
    _ = try await tiny.begin("short")
    tiny.recipe.epochs = 3
    tiny.options.checkpointEvery = .epochs(1)
    _ = try await tiny.resume("short")
    #expect(try tiny.outcome("short") == tiny.outcome("whole"))
  }

  @Test("a damaged checkpoint is skipped with a warning")
  func damaged() async throws {
    var tiny = try await TinyRun()
    _ = try await tiny.begin("whole")
    tiny.beforeStep = { if $0 == 10 { throw PowerCut() } }
    await #expect(throws: PowerCut.self) { try await tiny.begin("cut") }
    var bytes = try tiny.scratch.bytes("cut/checkpoint-000008.safetensors")
    bytes[bytes.count - 5000] ^= 4
    try tiny.scratch.write(bytes, to: "cut/checkpoint-000008.safetensors")
    tiny.beforeStep = { _ in }
    _ = try await tiny.resume("cut")
    #expect(try tiny.outcome("cut") == tiny.outcome("whole"))
    #expect(tiny.notes.warnings.contains { $0.contains("checkpoint-000008") })
    #expect(try tiny.names(in: "cut").contains("checkpoint-000008.safetensors.damaged"))
  }

  @Test("never silently starts over if checkpoints are lost or damaged")
  func lost() async throws {
    var tiny = try await TinyRun()
    tiny.beforeStep = { if $0 == 10 { throw PowerCut() } }
    await #expect(throws: PowerCut.self) { try await tiny.begin("cut") }
    tiny.beforeStep = { _ in }
    let log = try tiny.scratch.bytes("cut/log.jsonl")
    let names = try tiny.names(in: "cut").filter { $0.hasPrefix("checkpoint") }
    // The newest two, one from before any failure that the guard may still find, its successor.
    #expect(names.count == 4)
    for name in names { try tiny.scratch.write([9], to: "cut/\(name)") }
    await #expect(throws: RunError.self) { try await tiny.resume("cut") }
    for name in names { try FileManager.default.removeItem(atPath: tiny.scratch / "cut/\(name)") }
    await #expect(throws: RunError.self) { try await tiny.resume("cut") }
    #expect(try tiny.scratch.bytes("cut/log.jsonl") == log)
  }

  @Test("a checkpoint that the system cannot read is an error, not a reason to use an older one")
  func unreadable() async throws {
    var tiny = try await TinyRun()
    tiny.beforeStep = { if $0 == 10 { throw PowerCut() } }
    await #expect(throws: PowerCut.self) { try await tiny.begin("cut") }
    let name = tiny.scratch / "cut/checkpoint-000008.safetensors"
    try FileManager.default.removeItem(atPath: name)
    try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: false)
    tiny.beforeStep = { _ in }
    await #expect {
      try await tiny.resume("cut")
    } throws: { error in
      guard case RunError.cannotRead(.notRegular) = error else { return false }
      return true
    }
  }

  @Test("a run whose settings were edited does not resume unless forced")
  func edited() async throws {
    var tiny = try await TinyRun()
    tiny.beforeStep = { if $0 == 6 { throw PowerCut() } }
    await #expect(throws: PowerCut.self) { try await tiny.begin("cut") }
    tiny.beforeStep = { _ in }
    tiny.recipe.beta1 = 0.6
    await #expect(throws: RunError.self) { try await tiny.resume("cut") }
    guard case .finished = try await tiny.resume("cut", isForced: true) else {
      Issue.record("the forced run did not finish")
      return
    }
    tiny.recipe.normalisesFirst.toggle()
    tiny.recipe.epochs = 4
    await #expect(throws: RunError.self) { try await tiny.resume("cut", isForced: true) }
  }

  @Test("deleting the folder ends the run at the next checkpoint")
  func removed() async throws {
    var tiny = try await TinyRun()
    let (notes, folder) = (tiny.notes, tiny.scratch / "run")
    tiny.beforeStep = {
      if $0 == 5 { try FileManager.default.removeItem(atPath: folder) }
    }
    await #expect {
      try await tiny.begin("run")
    } throws: { error in
      guard case RunError.folderGone(let path) = error else { return false }
      return path == folder
    }
    // Not after three failures, as with a full disk: a folder does not come back.
    #expect(notes.steps == Array(1...6))
    let counted = notes.warnings.filter { $0.contains("of 3)") }
    #expect(counted.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  @Test("a checkpoint that fails once is followed by a good one")
  func recovers() async throws {
    var tiny = try await TinyRun()
    _ = try await tiny.begin("whole")
    let (notes, run) = (tiny.notes, tiny.scratch / "run")
    // A folder blocks the path of step 4's checkpoint.
    let obstacle = run + "/checkpoint-000004.safetensors"
    notes.warnings = []
    tiny.beforeStep = { step in
      if step == 4 {
        try FileManager.default.createDirectory(
          atPath: obstacle, withIntermediateDirectories: false)
      }
      if step == 6 {
        try FileManager.default.removeItem(atPath: obstacle)
        #expect(notes.warnings.count { $0.contains("of 3)") } == 1)
        #expect(
          try FileManager.default.contentsOfDirectory(atPath: run)
            .contains("checkpoint-000002.safetensors"))
      }
    }
    _ = try await tiny.begin("run")
    #expect(try tiny.outcome("run") == tiny.outcome("whole"))
  }

  @Test("the saved generator is the moving average, which follows the formula")
  func average() async throws {
    var tiny = try await TinyRun()
    tiny.options.checkpointEvery = .steps(1)
    tiny.recipe.generatorAverage = 0.3
    // Running statistics are averaged like weights.
    for name in ["main.3.weight", "main.4.running_mean", "main.4.running_var"] {
      try await expectAverage(of: name, in: tiny)
    }
  }

  private func expectAverage(of name: String, in tiny: TinyRun) async throws {
    var tiny = tiny
    var expected: [Float] = []
    var newest: [Float] = []
    let run = "run-\(name)"
    for steps in 0...6 {
      tiny.options.maximumSteps = max(steps, 1)
      if steps == 0 {
        _ = try await tiny.begin(run)
        continue
      }
      if steps > 1 { _ = try await tiny.resume(run) }
      let file = try SafetensorsFile(
        bytes: tiny.scratch.bytes("\(run)/\(RunFolder.checkpointName(step: steps))"))
      newest = try #require(file.tensors["generator.\(name)"]).floats()
      if steps == 1 {
        let start = try SafetensorsFile(
          bytes: tiny.scratch.bytes("\(run)/\(RunFolder.checkpointName(step: 0))"))
        expected = try #require(start.tensors["generator.\(name)"]).floats()
      }
      let share = 1 - min(0.3, Double(1 + steps) / Double(10 + steps))
      expected = zip(expected, newest).map { $0 + Float(share) * ($1 - $0) }
      #expect(try #require(file.tensors["average.\(name)"]).floats() == expected)
    }
    let given = try SafetensorsFile(bytes: tiny.scratch.bytes("\(run)/generator.safetensors"))
    #expect(try #require(given.tensors[name]).floats() == expected)
    #expect(expected != newest)
  }

  @Test("without a moving average, the generator itself is saved")
  func noAverage() async throws {
    var tiny = try await TinyRun()
    tiny.recipe.generatorAverage = nil
    tiny.options.maximumSteps = 3
    _ = try await tiny.begin("run")
    let checkpoint = try SafetensorsFile(
      bytes: tiny.scratch.bytes("run/\(RunFolder.checkpointName(step: 3))"))
    let given = try SafetensorsFile(bytes: tiny.scratch.bytes("run/generator.safetensors"))
    for (name, tensor) in given.tensors {
      #expect(checkpoint.tensors["generator.\(name)"] == tensor)
    }
    #expect(checkpoint.tensors.keys.allSatisfy { !$0.hasPrefix("average.") })
  }

  @Test("a discriminator that answers 1 to everything ends the run with a diagnosis")
  func diverges() async throws {
    var tiny = try await TinyRun(epochs: 30)
    tiny.recipe.generatorRate = 0.005
    tiny.losses = { step, _ in
      step < 8
        ? StepLosses(lossD: 1.2, lossG: 0.9, dX: 0.6, dGz1: 0.4, dGz2: 0.4)
        : StepLosses(lossD: 100, lossG: 0, dX: 1, dGz1: 1, dGz2: 1)
    }
    guard case .diverged(let divergence) = try await tiny.begin("run") else {
      Issue.record("the failure was not noticed")
      return
    }
    #expect(divergence.diagnosis == .allReal && divergence.step == 16)
    #expect("\(divergence)".contains("0.005, 25 times the usual 0.0002"))
    // The checkpoint is from before the failure began.
    #expect("\(divergence)".contains("checkpoint-000002"))
    #expect(try tiny.names(in: "run").contains("checkpoint-000002.safetensors"))
    #expect(tiny.notes.lines.last?.contains("\"diverged\"") == true)
  }

  @Test("a value that is not finite ends the run; the checkpoints predate it")
  func notFinite() async throws {
    var tiny = try await TinyRun()
    tiny.beforeStep = { if $0 == 6 { throw NonFiniteError(place: "loss_g") } }
    guard case .diverged(let divergence) = try await tiny.begin("run") else {
      Issue.record("the failure was not noticed")
      return
    }
    #expect(divergence.diagnosis == .notFinite && divergence.finding.contains("loss_g"))
    #expect(try tiny.names(in: "run").contains("checkpoint-000004.safetensors"))
  }
}
