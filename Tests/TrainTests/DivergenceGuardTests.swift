import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Divergence guard")
struct DivergenceGuardTests {
  private func losses(
    _ d: Double, _ x: Double, _ z: Double, g: Double = 2, gradient: Double? = nil
  ) -> StepLosses {
    StepLosses(
      lossD: d, lossG: g, dX: x, dGz1: z, dGz2: z, gradientD: gradient, gradientG: gradient)
  }

  private struct Alarm: Equatable {
    var step: Int
    var diagnosis: DivergenceGuard.Diagnosis
  }

  /// The first step at which the guard reports a failure, and its diagnosis.
  private func alarm(
    stepsPerEpoch: Int = 56, steps: Int, techniques: Techniques = .none,
    _ figures: (Int) -> StepLosses
  ) -> Alarm? {
    var divergenceGuard = DivergenceGuard(stepsPerEpoch: stepsPerEpoch, techniques: techniques)
    for step in 1...steps {
      if let found = divergenceGuard.observe(figures(step)) {
        return Alarm(step: step, diagnosis: found)
      }
    }
    return nil
  }

  // MARK: Failures

  @Test("uniform answers, a lost discriminator and a winning one are detected in time")
  func failures() {
    #expect(
      alarm(steps: 56) { _ in losses(100, 1, 1, g: 0) } == Alarm(step: 14, diagnosis: .allReal))
    #expect(
      alarm(stepsPerEpoch: 1000, steps: 300) { _ in losses(100, 0, 0) }
        == Alarm(step: 200, diagnosis: .allFake))
    #expect(
      alarm(steps: 56) { _ in losses(55, 0.4, 0.6) }
        == Alarm(step: 28, diagnosis: .discriminatorLost))
    #expect(
      alarm(steps: 250) { _ in losses(0.0004, 0.9999, 0.0001, g: 30) }
        == Alarm(step: 200, diagnosis: .discriminatorWon))
  }

  @Test("occasional good steps do not hide a failure", arguments: [56, 5, 4000])
  func lucky(stepsPerEpoch: Int) {
    let found = alarm(stepsPerEpoch: stepsPerEpoch, steps: 5000) { step in
      step % 14 == 0 ? losses(1.1, 0.7, 0.4) : losses(7, 0.999, 0.995)
    }
    #expect(found?.diagnosis == .allReal)
    let lost = alarm(stepsPerEpoch: stepsPerEpoch, steps: 5000) { step in
      step % 3 == 0 ? losses(0.4, 0.9, 0.1) : losses(4, 0.4, 0.6)
    }
    #expect(lost?.diagnosis == .discriminatorLost)
  }

  @Test("a learning rate of 0.005 on photographs is detected after half an epoch")
  func articleRate() {
    // loss_d, D(x) and D(G(z)) of `article` with --lr 0.005, seed 0, batch 128, 7,114 photographs.
    let found = alarm(steps: Self.articleRun.count) { step in
      let (d, x, z) = Self.articleRun[step - 1]
      return losses(d, x, z)
    }
    #expect(found == Alarm(step: 28, diagnosis: .discriminatorLost))
  }

  /// The first half of that run's first epoch.
  private static let articleRun: [(Double, Double, Double)] = [
    (1.4176, 0.4617, 0.4628), (8.6330, 0.9999, 0.9994), (1.9798, 0.7640, 0.2132),
    (8.8936, 0.6464, 0.9979), (7.9757, 0.1374, 0.0080), (2.8836, 0.6246, 0.3023),
    (2.0683, 0.9275, 0.6530), (2.2636, 0.8922, 0.5808), (2.9568, 0.6644, 0.3160),
    (1.3273, 0.6836, 0.1050), (1.9367, 0.8557, 0.4003), (2.8320, 0.3694, 0.0197),
    (1.6192, 0.9969, 0.6516), (0.3662, 0.9216, 0.1198), (0.5154, 0.8857, 0.1236),
    (1.3507, 0.9083, 0.4040), (1.5779, 0.5022, 0.0104), (13.2519, 0.9511, 0.9976),
    (7.1623, 0.0518, 0.0006), (0.6236, 0.8973, 0.2151), (0.9009, 0.9880, 0.4133),
    (0.2188, 0.8877, 0.0148), (0.7976, 0.8588, 0.2140), (2.1229, 0.8192, 0.5118),
    (1.4649, 0.5148, 0.0076), (3.9407, 0.9564, 0.8637), (3.2830, 0.2919, 0.0031),
    (0.6687, 0.9276, 0.2513),
  ]

  @Test("exploding gradients are detected within a window")
  func explosion() throws {
    // The gradients of a normal run vary by factors of up to e either way.
    func noise(_ step: Int) -> Double { exp(sin(Double(step) * 12.9898)) }
    let found = try #require(
      alarm(steps: 500) { step in
        losses(0.8, 0.8, 0.2, gradient: noise(step) * (step <= 300 ? 1 : 1e5))
      })
    #expect(found.diagnosis == .exploding)
    #expect((301...314).contains(found.step))
    // Exponential growth is detected too.
    let growing = try #require(
      alarm(steps: 500) { step in
        losses(
          0.8, 0.8, 0.2, gradient: noise(step) * (step <= 300 ? 1 : pow(2, Double(step - 300))))
      })
    #expect(growing.diagnosis == .exploding && (308...322).contains(growing.step))
  }

  @Test("samples that become alike are detected at the second inspection")
  func collapse() {
    var divergenceGuard = DivergenceGuard(stepsPerEpoch: 56)
    func inspect(_ spread: Double) -> DivergenceGuard.Diagnosis? {
      var inspection = DivergenceGuard.SampleInspection(pictures: [0, 0.1], count: 2)
      inspection.spread = spread
      return divergenceGuard.observe(inspection, usual: 0).diagnosis
    }
    // Gray at first, then wild, then calmer is no collapse, nor is a single narrow inspection.
    for spread in [0.01, 0.3, 0.6, 0.4, 0.2, 0.1, 0.2, 0.14] { #expect(inspect(spread) == nil) }
    #expect(inspect(0.14) == .collapsed)
    #expect(inspect(.nan) == .notFinite)
  }

  @Test("the guard warns of saturated samples once, unless the data are saturated too")
  func saturation() {
    var divergenceGuard = DivergenceGuard(stepsPerEpoch: 56)
    let white = DivergenceGuard.SampleInspection(
      pictures: [1, -1, 0.5, 0.9, 0.2, -0.7, 0, 1], count: 2)
    #expect(white.saturated == 3.0 / 8)
    #expect(!divergenceGuard.observe(white, usual: 0.2).isSaturated)
    #expect(!divergenceGuard.observe(white, usual: 0.2).isSaturated)
    #expect(!divergenceGuard.observe(white, usual: 0.1).isSaturated)
    #expect(divergenceGuard.observe(white, usual: 0.1).isSaturated)
    #expect(!divergenceGuard.observe(white, usual: 0.1).isSaturated)
  }

  @Test("the spread is the root mean square distance between pairs")
  func spread() {
    var random = TorchRandom(seed: 4)
    let pictures = random.normal(count: 7 * 30)
    var sum = 0.0
    for a in 0..<7 {
      for b in 0..<7 where b != a {
        for place in 0..<30 {
          let off = Double(pictures[a * 30 + place]) - Double(pictures[b * 30 + place])
          sum += off * off
        }
      }
    }
    let expected = (sum / Double(7 * 6 * 30)).squareRoot()
    let found = DivergenceGuard.SampleInspection(pictures: pictures, count: 7).spread
    #expect(abs(found - expected) < 1e-12)
    #expect(DivergenceGuard.SampleInspection(pictures: [0, .nan, 1, 1], count: 2).spread.isNaN)
  }

  // MARK: Healthy runs

  @Test("what healthy runs show occasionally raises no alarm")
  func healthy() {
    // In the tutorial's first steps the discriminator wins for dozens of steps, and the generator's
    // loss is above 30.
    #expect(alarm(steps: 199) { _ in losses(0.0005, 0.999, 0.0005, g: 35) } == nil)
    // A discriminator that has memorised its images (PyTorch, article recipe, epoch 60).
    #expect(alarm(steps: 5000) { _ in losses(0.2, 0.9, 0.1) } == nil)
    #expect(alarm(stepsPerEpoch: 1, steps: 5000) { _ in losses(1.386, 0.5, 0.5) } == nil)
    // A few steps in which everything seems real, or fake, or the loss is enormous.
    #expect(
      alarm(steps: 5000) { step in
        switch step % 40 {
        case 0..<4: losses(9, 0.999, 0.99)
        case 20..<22: losses(5, 0.001, 0.001)
        case 39: losses(80, 0.5, 0.5)
        default: losses(0.6, 0.8, 0.3)
        }
      } == nil)
  }

  @Test("a discriminator that recovers from winning does not count as an explosion")
  func comesBack() {
    #expect(
      alarm(steps: 600) { step in
        // Large at first, then almost zero, then large again.
        let gradient = step < 50 ? 20 : step < 240 ? 1e-4 : 60
        return losses(step < 50 ? 1 : step < 240 ? 0.002 : 0.7, 0.8, 0.2, gradient: gradient)
      } == nil)
  }

  @Test("a hinge loss may stay at 0, and its guessing loss is higher")
  func hinge() {
    var techniques = Techniques.none
    techniques.loss = .hinge
    #expect(alarm(steps: 3000, techniques: techniques) { _ in losses(0, 0.9, 0.12) } == nil)
    #expect(alarm(steps: 3000, techniques: techniques) { _ in losses(2.1, 0.5, 0.5) } == nil)
    #expect(
      alarm(steps: 3000, techniques: techniques) { _ in losses(3, 0.5, 0.5) }?.diagnosis
        == .discriminatorLost)
  }

  /// Simulates 5,000 steps whose means drift and whose values scatter, within the bounds measured
  /// for `Documentation/Training.md`.
  @Test("ten long simulated runs raise no alarm", arguments: 0..<10)
  func long(seed: UInt64) {
    var random = TorchRandom(seed: Int64(seed))
    let noise = random.normal(count: 4 * 5000).map(Double.init)
    var drift = 0.0
    #expect(
      alarm(steps: 5000) { step in
        let mine = noise[4 * (step - 1)..<4 * step]
        let z = Array(mine)
        // From a discriminator near guessing to one that has memorised its images, and back.
        drift = min(max(drift + 0.05 * z[0], -1.5), 1.5)
        // The mean loss reaches 1.35 at most, and 0.12 with memorised images.
        let d = exp(-0.9 + 0.8 * drift + 0.5 * z[1]) * (drift > 0 ? 0.8 : 1)
        return losses(
          d, 1 / (1 + exp(-1.5 + drift + 0.8 * z[2])), 1 / (1 + exp(1.5 - drift + 0.8 * z[2])),
          gradient: exp(drift + 0.8 * z[3]))
      } == nil)
  }

  @Test("a restored memory gives the same diagnosis at the same step")
  func resumed() throws {
    for cut in [1, 13, 140, 300] {
      func figures(_ step: Int) -> StepLosses {
        losses(0.8, 0.8, 0.2, gradient: step <= 299 ? 1.0 + Double(step % 7) : 1e6)
      }
      var divergenceGuard = DivergenceGuard(stepsPerEpoch: 56)
      for step in 1...cut { _ = divergenceGuard.observe(figures(step)) }
      _ = divergenceGuard.observe(
        DivergenceGuard.SampleInspection(pictures: [0, 1], count: 2), usual: 0)
      var again = DivergenceGuard(stepsPerEpoch: 56, memory: divergenceGuard.memory)
      #expect(again.memory == divergenceGuard.memory)
      for step in cut + 1...400 {
        let (a, b) = (divergenceGuard.observe(figures(step)), again.observe(figures(step)))
        #expect(a == b)
        if a != nil {
          #expect(a == .exploding)
          break
        }
        #expect(step < 330, "never detected")
      }
    }
  }
}

@Suite("Rollback")
struct RollbackTests {
  /// Runs that fail from a step on unless the learning rates were halved often enough.
  private func tiny(failingFrom first: Int, until halvings: Int) async throws -> TinyRun {
    var tiny = try await TinyRun(epochs: 8)
    tiny.options.onDivergence = .rollback
    tiny.losses = { step, factor in
      step < first || factor <= pow(0.5, Double(halvings))
        ? StepLosses(lossD: 1.2, lossG: 0.9, dX: 0.6, dGz1: 0.4, dGz2: 0.4)
        : StepLosses(lossD: 100, lossG: 0, dX: 1, dGz1: 1, dGz2: 1)
    }
    return tiny
  }

  private func record(_ run: String, of tiny: TinyRun) throws -> RunRecord {
    try RunRecord(bytes: tiny.scratch.bytes("\(run)/run.json"), path: run)
  }

  @Test("returns to before the failure with half the rates, recorded in the log and in run.json")
  func goesBack() async throws {
    let tiny = try await tiny(failingFrom: 14, until: 1)
    guard case .finished = try await tiny.begin("run") else {
      Issue.record("the run did not continue")
      return
    }
    // Seven bad steps of twenty are too many. Step 8 is the newest kept checkpoint that is at least
    // ten steps older.
    #expect(
      try record("run", of: tiny).rollbacks == [
        RunRecord.Rollback(step: 20, backTo: 8, diagnosis: .allReal)
      ])
    #expect(tiny.notes.steps == Array(1...20) + Array(9...40))
    #expect(
      tiny.notes.warnings.contains { $0.contains("the checkpoint of step 8 with 0.5 times") })
    let log = String(decoding: try tiny.scratch.bytes("run/log.jsonl"), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    let lines = log.filter { $0.contains("\"event\":\"rollback\"") }
    #expect(lines.count == 1)
    #expect(lines[0].contains("\"step\":8,") && lines[0].contains("\"found_at\":20"))
    #expect(lines[0].contains("\"rate_factor\":0.5"))
    // The log contains the final course only: every step once.
    let steps = log.filter { $0.contains("\"event\":\"step\"") }
    #expect(steps.count == 40)
  }

  @Test("gives identical results however often the process is killed", arguments: [0, 1, 2])
  func survives(halvings: Int) async throws {
    var whole = try await tiny(failingFrom: 14, until: halvings)
    _ = try await whole.begin("whole")
    let expected = try whole.outcome("whole")
    for cut in [3, 9, 11, 15, 18, 19, 20] {
      var kills = 0
      whole.beforeStep = {
        if $0 == cut {
          kills += 1
          if kills <= 2 { throw PowerCut() }
        }
      }
      let run = "run-\(cut)"
      await #expect(throws: PowerCut.self) { try await whole.begin(run) }
      while true {
        do {
          _ = try await whole.resume(run)
          break
        } catch is PowerCut {}
      }
      #expect(try whole.outcome(run) == expected, "\(cut)")
      #expect(try record(run, of: whole).rollbacks == record("whole", of: whole).rollbacks)
    }
  }

  @Test("a process killed during a rollback is resumed as if the rollback had completed")
  func killedOnTheWay() async throws {
    var tiny = try await tiny(failingFrom: 14, until: 1)
    _ = try await tiny.begin("whole")
    let expected = try tiny.outcome("whole")
    tiny.beforeStep = { if $0 == 20 { throw PowerCut() } }
    await #expect(throws: PowerCut.self) { try await tiny.begin("cut") }
    // run.json is written, but the checkpoints of the abandoned course still exist.
    var record = try record("cut", of: tiny)
    record.rollbacks = [RunRecord.Rollback(step: 20, backTo: 8, diagnosis: .allReal)]
    try tiny.scratch.write(record.encoded(), to: "cut/run.json")
    #expect(try tiny.names(in: "cut").contains("checkpoint-000018.safetensors"))
    tiny.beforeStep = { _ in }
    var parts = try await tiny.parts("cut", isNew: false)
    parts.record = record
    guard case .finished = try TrainingRun.resume(parts).run() else {
      Issue.record("the run did not continue")
      return
    }
    #expect(try tiny.outcome("cut") == expected)
  }

  @Test("happens three times at most, then the run ends")
  func givesUp() async throws {
    let tiny = try await tiny(failingFrom: 14, until: 9)
    guard case .diverged(let divergence) = try await tiny.begin("run") else {
      Issue.record("the run did not end")
      return
    }
    #expect(divergence.diagnosis == .allReal)
    let rollbacks = try #require(try record("run", of: tiny).rollbacks)
    #expect(rollbacks.count == 3 && rollbacks.allSatisfy { $0.backTo == 8 })
  }

  @Test("also follows a value that is not finite")
  func notFinite() async throws {
    var tiny = try await TinyRun(epochs: 8)
    tiny.options.onDivergence = .rollback
    tiny.losses = { _, _ in StepLosses(lossD: 1, lossG: 1, dX: 0.6, dGz1: 0.4, dGz2: 0.4) }
    var failures = 0
    tiny.beforeStep = {
      if $0 == 25 {
        failures += 1
        if failures == 1 { throw NonFiniteError(place: "loss_g") }
      }
    }
    guard case .finished = try await tiny.begin("run") else {
      Issue.record("the run did not continue")
      return
    }
    // Found during step 25, so after 24 steps.
    #expect(
      try record("run", of: tiny).rollbacks == [
        RunRecord.Rollback(step: 24, backTo: 14, diagnosis: .notFinite)
      ])
  }

  @Test("happens only if requested: stop ends the run, off continues")
  func otherActions() async throws {
    var tiny = try await tiny(failingFrom: 14, until: 9)
    tiny.options.onDivergence = .stop
    guard case .diverged(let divergence) = try await tiny.begin("stop") else {
      Issue.record("the run did not end")
      return
    }
    #expect(divergence.step == 20)
    #expect("\(divergence)".contains("--guard rollback"))
    #expect(try record("stop", of: tiny).rollbacks == nil)
    tiny.options.onDivergence = .off
    guard case .finished = try await tiny.begin("off") else {
      Issue.record("the guard was not off")
      return
    }
    // A run that was stopped is rolled back if that is requested later.
    tiny.options.onDivergence = .rollback
    tiny.losses = { step, factor in
      step < 14 || factor < 1
        ? StepLosses(lossD: 1.2, lossG: 0.9, dX: 0.6, dGz1: 0.4, dGz2: 0.4)
        : StepLosses(lossD: 100, lossG: 0, dX: 1, dGz1: 1, dGz2: 1)
    }
    guard case .finished = try await tiny.resume("stop") else {
      Issue.record("the run did not continue")
      return
    }
    #expect(try record("stop", of: tiny).rollbacks?.first?.backTo ?? 99 <= 10)
  }
}
