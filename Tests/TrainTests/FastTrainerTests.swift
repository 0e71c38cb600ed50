import BollyGANInfer
import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Testing

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform numbers of the given standard deviation.
  mutating func numbers(_ count: Int, spread: Float) -> [Float] {
    (0..<count).map { _ in
      (Float(next() >> 40) / Float(1 << 23) - 1) * spread * Float(3).squareRoot()
    }
  }
}

/// Small networks and batches of noise, the same on every machine.
private struct Case {
  let configuration: TrainingConfiguration
  let generator: GeneratorWeights
  let discriminator: DiscriminatorWeights
  private var random: SplitMix

  init(
    generatorWidth: Int = 6, side: Int = 32, channels: Int = 3, normalisesFirst: Bool, fresh: Bool
  ) throws {
    let shape = try DCGANShape(
      latent: 10, generatorWidth: generatorWidth, discriminatorWidth: 9, side: side,
      channels: channels)
    configuration = TrainingConfiguration(
      shape: shape, normalisesFirst: normalisesFirst, freshLatents: fresh)
    var random = SplitMix(state: 4)
    func layers(_ channels: [Int], up: Bool, firstNorm: Bool) -> [LayerWeights] {
      (0..<channels.count - 1).map { index in
        let (from, to) = (channels[index], channels[index + 1])
        let shape = up ? [from, to, 4, 4] : [to, from, 4, 4]
        let kernel = Tensor(
          shape: shape, values: random.numbers(from * to * 16, spread: 0.1))
        let last = index == channels.count - 2
        return LayerWeights(
          kernel: kernel,
          norm: last || (index == 0 && !firstNorm) ? nil : NormWeights(channels: to))
      }
    }
    generator = GeneratorWeights(
      shape: shape, layers: layers(shape.generatorChannels, up: true, firstNorm: true))
    discriminator = DiscriminatorWeights(
      shape: shape, normalisesFirst: normalisesFirst,
      layers: layers(shape.discriminatorChannels, up: false, firstNorm: normalisesFirst))
    self.random = random
  }

  mutating func batch(_ count: Int) -> TrainingBatch {
    let shape = configuration.shape
    return TrainingBatch(
      pixels: (0..<count * shape.pictureCount).map { _ in UInt8(random.next() & 255) },
      latents: random.numbers(count * shape.latent, spread: 1),
      generatorLatents: configuration.freshLatents
        ? random.numbers(count * shape.latent, spread: 1) : nil)
  }

  func trainer(
    threads: Int, level: InstructionSet = .best,
    convolutions: TrainingConfiguration.Convolutions = .fast
  ) -> FastTrainer {
    var configuration = configuration
    configuration.convolutions = convolutions
    return FastTrainer(
      configuration: configuration, generator: generator, discriminator: discriminator,
      threads: threads, instructionSet: level)
  }
}

@Suite("Fast trainer")
struct FastTrainerTests {
  private static let ways: [TrainingConfiguration.Convolutions] = [.fast, .direct]

  @Test(
    "weights do not depend on the number of threads", arguments: [true, false], ways)
  func threads(article: Bool, way: TrainingConfiguration.Convolutions) throws {
    var data = try Case(normalisesFirst: article, fresh: article)
    // 21 images do not fill the last part of any division between threads.
    let batches = (0..<3).map { _ in data.batch(21) }
    var states: [TrainingState] = []
    for threads in [1, 2, 3, 8] {
      let trainer = data.trainer(threads: threads, convolutions: way)
      for batch in batches { _ = try trainer.step(batch) }
      states.append(trainer.state())
    }
    for state in states.dropFirst() { #expect(state == states[0]) }
  }

  @Test("training resumes from a state bit for bit")
  func restores() throws {
    var data = try Case(side: 64, channels: 1, normalisesFirst: true, fresh: true)
    let batches = (0..<4).map { _ in data.batch(8) }
    let whole = data.trainer(threads: 2)
    for batch in batches[..<2] { _ = try whole.step(batch) }
    let state = whole.state()
    let second = data.trainer(threads: 1)
    second.restore(state)
    #expect(second.state() == state)
    for batch in batches[2...] {
      #expect(try whole.step(batch) == second.step(batch))
    }
    #expect(whole.state() == second.state())
  }

  @Test("the average in the loops' order equals the average in PyTorch's order, bit for bit")
  func averages() throws {
    // Wide enough for kernels of more than one task.
    var data = try Case(generatorWidth: 40, normalisesFirst: true, fresh: true)
    let trainer = data.trainer(threads: 3)
    let fast = trainer.average(from: data.generator)
    let plain = PlainAverage(from: data.generator, of: trainer)
    #expect(fast.weights == data.generator)
    for share: Float in [0.9, 0.5, 0.001] {
      _ = try trainer.step(data.batch(8))
      let before = fast.weights
      fast.follow(share: share)
      plain.follow(share: share)
      #expect(fast.weights == plain.weights && fast.weights != before)
    }
  }

  @Test("batch normalisation hides contrast from the discriminator, so the recipe adds noise")
  func contrast() throws {
    var data = try Case(normalisesFirst: false, fresh: true)
    var strong = data.batch(8)
    strong.pixels = strong.pixels.map { $0 < 128 ? 0 : 255 }
    var weak = strong
    weak.pixels = strong.pixels.map { $0 == 0 ? 85 : 170 }  // -1/3 and 1/3
    let seen = try [strong, weak].map { try data.trainer(threads: 1).step($0).dX }
    // Only epsilon, added to variances of 0.05 and more, makes a difference.
    #expect(abs(seen[0] - seen[1]) < 1e-3 * seen[0])
    // Other images of the same contrast make a larger difference, so the figure means something.
    var other = weak
    other.pixels = weak.pixels.reversed()
    let turned = try data.trainer(threads: 1).step(other).dX
    #expect(abs(seen[1] - turned) > 1e-2 * seen[1])
  }

  // Levels with fused multiply-add round in the same sequence, unless a sum runs over a vector's
  // lanes. No loop here has such a sum.
  @Test("instruction sets with fused multiply-add train bit for bit alike", arguments: ways)
  func levels(way: TrainingConfiguration.Convolutions) throws {
    var data = try Case(normalisesFirst: true, fresh: false)
    let batch = data.batch(16)
    let levels = InstructionSet.available.filter(\.fusesMultiplyAdd)
    let states = try levels.map { level in
      let trainer = data.trainer(threads: 2, level: level, convolutions: way)
      _ = try trainer.step(batch)
      return trainer.state()
    }
    for state in states.dropFirst() { #expect(state == states[0]) }
  }

  @Test("an infinite weight stops a step before it spreads")
  func nonFinite() throws {
    var data = try Case(normalisesFirst: true, fresh: false)
    var state = data.trainer(threads: 1).state()
    state.discriminator.layers[1].kernel.values[5] = .infinity
    let trainer = data.trainer(threads: 1)
    trainer.restore(state)
    #expect(throws: NonFiniteError.self) { try trainer.step(data.batch(4)) }
    #expect(trainer.state().discriminatorOptimizer.step == 0)
  }

  @Test("a step checks weights, moments and statistics even if its gradients are finite")
  func nonFiniteState() throws {
    var data = try Case(normalisesFirst: true, fresh: false)
    let batch = data.batch(4)
    let sound = data.trainer(threads: 1).state()
    func expectPlace(_ place: String, _ spoil: (inout TrainingState) -> Void) {
      var state = sound
      spoil(&state)
      let trainer = data.trainer(threads: 2)
      trainer.restore(state)
      #expect(throws: NonFiniteError(place: place)) { try trainer.step(batch) }
    }
    // Outputs of about 1e24 are finite and can be normalised, but their squares overflow.
    expectPlace("generator main.1") { state in
      state.generator.layers[0].kernel.values = state.generator.layers[0].kernel.values.map {
        $0 * 1e24
      }
    }
    // Adam's step is the rate times a moment of 1e38, divided by 1e-8.
    for (name, network) in [("main.3.weight", "generator"), ("main.0.weight", "discriminator")] {
      expectPlace("\(network) \(name)") { state in
        let moments: WritableKeyPath<TrainingState, OptimizerState> =
          network == "generator" ? \.generatorOptimizer : \.discriminatorOptimizer
        let count = state[keyPath: moments].firstMoments[name]!.values.count
        state[keyPath: moments].firstMoments[name]!.values[count - 1] = 3e38
      }
    }
  }

  // Losses and scores of the first step agree to 1e-5 before the discriminator's update, to 1e-4
  // after it: Adam's first update is made of the signs of gradients, and a few in a million
  // gradients are too close to 0 to have a sign in float32. Gradients agree to 1e-4 of their
  // tensor's largest number.
  @Test(
    "losses and gradients equal PyTorch's at every level", arguments: GradientFixture.all,
    InstructionSet.available)
  func agrees(fixture: GradientFixture, level: InstructionSet) throws {
    let agreement = try EngineAgreement(fixture) {
      FastTrainer(
        configuration: $0, generator: $1, discriminator: $2, threads: 2, instructionSet: level)
    }
    #expect(agreement.lossesBeforeUpdate.value < 1e-5, "\(agreement.lossesBeforeUpdate)")
    #expect(agreement.lossesAfterUpdate.value < 1e-4, "\(agreement.lossesAfterUpdate)")
    #expect(agreement.gradients.value < 1e-4, "\(agreement.gradients)")
  }

  @Test("losses and gradients of direct sums equal PyTorch's", arguments: GradientFixture.all)
  func agreesDirectly(fixture: GradientFixture) throws {
    let agreement = try EngineAgreement(fixture) {
      var configuration = $0
      configuration.convolutions = .direct
      return FastTrainer(configuration: configuration, generator: $1, discriminator: $2, threads: 2)
    }
    #expect(agreement.lossesBeforeUpdate.value < 1e-5, "\(agreement.lossesBeforeUpdate)")
    #expect(agreement.lossesAfterUpdate.value < 1e-4, "\(agreement.lossesAfterUpdate)")
    #expect(agreement.gradients.value < 1e-4, "\(agreement.gradients)")
  }

  @Test("recipes that replay a script sum directly, the default recipe is fast")
  func recipes() {
    let ways = Recipe.all.map { $0.configuration(for: .article).convolutions }
    #expect(ways == [.fast, .direct, .direct])
  }

  @Test("meets the requirements of an engine", arguments: GradientFixture.all)
  func requirements(fixture: GradientFixture) throws {
    try expectEngineRequirements(fixture) {
      FastTrainer(configuration: $0, generator: $1, discriminator: $2, threads: 2)
    }
  }
}
