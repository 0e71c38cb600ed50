import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Testing

/// An engine's deviations from PyTorch's float64 run on one fixture. All are relative: losses to
/// themselves, tensors to their largest number.
struct EngineAgreement {
  /// First step: loss_d, D(x) and D(G(z)), from the initial weights.
  var lossesBeforeUpdate = Deviation()
  /// First step: loss_g and the second D(G(z)), which follow the discriminator's update.
  var lossesAfterUpdate = Deviation()
  /// Losses and scores of the later steps.
  var laterLosses = Deviation()
  /// All gradients of the first step.
  var gradients = Deviation()
  /// Weights, running statistics and moments after all steps.
  var state = Deviation()
  /// Images after all steps, by the batch's statistics and by the running ones.
  var pictures = Deviation()

  /// Runs the fixture's steps on a new engine.
  ///
  /// Gradients are compared with PyTorch's by their digests, and with the float64 plain trainer's
  /// number by number.
  ///
  /// - Parameter make: makes a new engine with the given settings and weights.
  init<Engine: GradientEngine>(
    _ fixture: GradientFixture,
    engine make: (TrainingConfiguration, GeneratorWeights, DiscriminatorWeights) -> Engine
  ) throws {
    let engine = make(
      fixture.configuration, fixture.generatorWeights, fixture.discriminatorWeights)
    compare(try engine.gradients(fixture.batch(0)), fixture)
    for (step, expected) in fixture.losses.enumerated() {
      let losses = try engine.step(fixture.batch(step))
      #expect((losses.r1 == nil) == (expected.r1 == nil))
      if let found = losses.r1, let expected = expected.r1 {
        if step == 0 {
          lossesBeforeUpdate.take(abs(found - expected) / expected, at: "r1")
        } else {
          laterLosses.take(abs(found - expected) / expected, at: "r1 of step \(step)")
        }
      }
      for (name, found, expected, isAfterUpdate) in [
        ("lossD", losses.lossD, expected.lossD, false),
        ("lossG", losses.lossG, expected.lossG, true),
        ("dX", losses.dX, expected.dX, false), ("dGz1", losses.dGz1, expected.dGz1, false),
        ("dGz2", losses.dGz2, expected.dGz2, true),
      ] {
        let relative = abs(found - expected) / abs(expected)
        if step > 0 {
          laterLosses.take(relative, at: "\(name) of step \(step)")
        } else if isAfterUpdate {
          lossesAfterUpdate.take(relative, at: name)
        } else {
          lossesBeforeUpdate.take(relative, at: name)
        }
      }
    }
    let (networks, optimizers) = engine.namedState()
    state.take(networks.discriminator, fixture.after.discriminator, at: "discriminator")
    state.take(networks.generator, fixture.after.generator, at: "generator")
    state.take(
      optimizers.discriminator, fixture.after.discriminatorAdam, at: "discriminator's Adam")
    state.take(optimizers.generator, fixture.after.generatorAdam, at: "generator's Adam")
    state.take(engine.namedVectors(), fixture.after.spectral ?? [:], at: "spectral vectors")
    let latents = fixture.batch(fixture.losses.count).latents
    for (name, batchStatistics, digest) in [
      ("batch", true, fixture.picturesBatch), ("running", false, fixture.picturesRunning),
    ] {
      let found = engine.generate(latents: latents, batchStatistics: batchStatistics)
      pictures.take(digest.deviation(found.map { Double($0) }), at: "\(name) statistics")
    }
  }

  private mutating func compare(_ found: StepGradients, _ fixture: GradientFixture) {
    let oracle = GradientFixture.exactGradients[fixture.case.name]!
    for (network, found, digests, exact) in [
      ("discriminator", found.discriminator, fixture.discriminator, oracle.discriminator),
      ("generator", found.generator, fixture.generator, oracle.generator),
    ] {
      gradients.take(found, digests, at: network)
      for (name, exact) in exact where found[name]?.count == exact.count {
        let largest = exact.reduce(0) { max($0, abs($1)) }
        for (a, b) in zip(found[name]!, exact) {
          gradients.take(abs(a - b) / largest, at: "\(network) \(name)")
        }
      }
    }
  }
}

/// Checks what every engine must do, whatever its arithmetic.
///
/// - Parameter make: makes a new engine with the given settings and weights.
func expectEngineRequirements<Engine: GradientEngine>(
  _ fixture: GradientFixture,
  engine make: (TrainingConfiguration, GeneratorWeights, DiscriminatorWeights) -> Engine
) throws {
  func fresh() -> Engine {
    make(fixture.configuration, fixture.generatorWeights, fixture.discriminatorWeights)
  }
  let engine = fresh()
  let start = engine.state()
  #expect(start.generator == fixture.generatorWeights, "a new engine has the weights it was given")
  #expect(start.discriminator == fixture.discriminatorWeights)
  #expect(start.generatorOptimizer.step == 0)

  let shown = try engine.gradients(fixture.batch(0))
  _ = engine.generate(latents: fixture.batch(1).latents, batchStatistics: true)
  _ = engine.generate(latents: fixture.batch(1).latents, batchStatistics: false)
  #expect(engine.state() == start, "reporting gradients and generating images changes nothing")

  #expect(
    try engine.step(fixture.batch(0)) == shown.losses,
    "a step uses the gradients that were reported")
  let middle = engine.state()
  #expect(middle.generatorOptimizer.step == 1 && middle.discriminatorOptimizer.step == 1)
  for layer in middle.discriminator.layers {
    // Real images, generated ones, and those of the generator's step. A relativistic loss passes
    // the real ones a second time.
    let passes = fixture.configuration.techniques.loss.isRelativistic ? 4 : 3
    #expect(layer.norm?.batchesTracked ?? passes == passes)
  }
  for layer in middle.generator.layers {
    let passes = fixture.configuration.freshLatents ? 2 : 1
    #expect(layer.norm?.batchesTracked ?? passes == passes)
  }

  let unbroken = try (1...2).map { try engine.step(fixture.batch($0)) }
  let resumed = fresh()
  _ = try resumed.step(fixture.batch(2))
  resumed.restore(middle)
  #expect(resumed.state() == middle)
  #expect(try (1...2).map { try resumed.step(fixture.batch($0)) } == unbroken)
  #expect(resumed.state() == engine.state(), "a resumed run equals an unbroken one, bit for bit")

  // NaN and infinity are found before they reach a weight.
  let before = engine.state()
  for spoil in [Float.nan, .infinity] {
    var batch = fixture.batch(0)
    batch.latents[batch.latents.count / 2] = spoil
    #expect(throws: NonFiniteError.self) { try engine.step(batch) }
    #expect(engine.state().trainedTensors == before.trainedTensors, "\(spoil) reaches no weight")
    if fixture.configuration.freshLatents {
      // Found after the discriminator's update, which is valid.
      var batch = fixture.batch(0)
      batch.generatorLatents![0] = spoil
      #expect(throws: NonFiniteError.self) { try engine.step(batch) }
      let after = engine.state()
      #expect(after.generator.trainedTensors == before.generator.trainedTensors)
      #expect(after.generatorOptimizer == before.generatorOptimizer)
      #expect(after.discriminator.trainedTensors.allSatisfy { $0.allSatisfy(\.isFinite) })
      engine.restore(before)
    }
  }
}

extension TrainingEngine {
  /// Weights with running statistics, and moments (`first.main.0.weight`), named as in the
  /// fixtures, in the engine's precision.
  func namedState() -> (
    networks: (generator: [String: [Double]], discriminator: [String: [Double]]),
    optimizers: (generator: [String: [Double]], discriminator: [String: [Double]])
  ) {
    if let exact = (self as? PlainTrainer<Double>)?.exactState {
      return (
        (exact.generator.namedTensors, exact.discriminator.namedTensors),
        (exact.generatorAdam.namedTensors, exact.discriminatorAdam.namedTensors)
      )
    }
    let state = state()
    return (
      (
        PlainNetwork<Double>(state.generator).namedTensors,
        PlainNetwork<Double>(state.discriminator).namedTensors
      ),
      (state.generatorOptimizer.namedTensors, state.discriminatorOptimizer.namedTensors)
    )
  }
}

extension TrainingEngine {
  /// Vectors of spectral normalisation, named as in the fixtures, in the engine's precision.
  func namedVectors() -> [String: [Double]] {
    var vectors: [(name: String, u: [Double], v: [Double])] = state().spectral.map {
      ($0, $1.left.map { Double($0) }, $1.right.map { Double($0) })
    }
    if let exact = (self as? PlainTrainer<Double>)?.exactState {
      vectors = zip(exact.discriminator.layers, exact.spectral).map {
        ($0.kernelName, $1.left, $1.right)
      }
    }
    return Dictionary(
      uniqueKeysWithValues: vectors.flatMap { [("\($0.name)_u", $0.u), ("\($0.name)_v", $0.v)] })
  }
}

extension PlainNetwork<Double> {
  var namedTensors: [String: [Double]] {
    var tensors = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.values) })
    for layer in layers {
      guard let norm = layer.norm else { continue }
      tensors["\(layer.normName).running_mean"] = norm.runningMean
      tensors["\(layer.normName).running_var"] = norm.runningVariance
    }
    return tensors
  }
}

extension PlainAdam<Double> {
  var namedTensors: [String: [Double]] {
    Dictionary(
      uniqueKeysWithValues: firstMoments.map { ("first.\($0)", $1) }
        + secondMoments.map { ("second.\($0)", $1) })
  }
}

extension OptimizerState {
  fileprivate var namedTensors: [String: [Double]] {
    Dictionary(
      uniqueKeysWithValues: firstMoments.map { ("first.\($0)", $1.values.map { Double($0) }) }
        + secondMoments.map { ("second.\($0)", $1.values.map { Double($0) }) })
  }
}

extension TrainingState {
  /// All numbers except the running statistics.
  fileprivate var trainedTensors: [[Float]] {
    generator.trainedTensors + discriminator.trainedTensors
      + [generatorOptimizer, discriminatorOptimizer].flatMap { optimizer in
        [optimizer.firstMoments, optimizer.secondMoments].flatMap { moments in
          moments.sorted { $0.key < $1.key }.map(\.value.values)
        }
      }
  }
}

extension GeneratorWeights {
  fileprivate var trainedTensors: [[Float]] { layers.flatMap(\.trainedTensors) }
}

extension DiscriminatorWeights {
  fileprivate var trainedTensors: [[Float]] { layers.flatMap(\.trainedTensors) }
}

extension LayerWeights {
  fileprivate var trainedTensors: [[Float]] {
    [kernel.values] + (bias.map { [$0] } ?? []) + (norm.map { [$0.scale, $0.shift] } ?? [])
  }
}
