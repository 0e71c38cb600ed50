import BollyGANModel

/// The trainer in clear loops, one thread, for ever the oracle of faster ones.
///
/// `PlainTrainer<Double>` follows PyTorch's float64 run; `PlainTrainer<Float>` shows what float32
/// costs. Both are slow: some hundred times slower than the fast trainer at full size.
public final class PlainTrainer<Scalar: BinaryFloatingPoint & Sendable>: TrainingEngine {
  /// The settings it was made with.
  public let configuration: TrainingConfiguration

  /// Networks and optimisers at full precision.
  package struct State: Equatable, Sendable {
    package var generator: PlainNetwork<Scalar>
    package var discriminator: PlainNetwork<Scalar>
    package var generatorAdam: PlainAdam<Scalar>
    package var discriminatorAdam: PlainAdam<Scalar>
    /// For each of the discriminator's layers; empty without spectral normalisation.
    package var spectral: [PlainSpectral<Scalar>]

    /// The discriminator that judges: kernels divided where they are to be.
    var judge: PlainNetwork<Scalar> {
      var judge = discriminator
      for (index, spectral) in spectral.enumerated() {
        judge.layers[index].kernel = spectral.normalised(discriminator.layers[index].kernel)
      }
      return judge
    }

    /// Takes over what passes through a judge have changed: statistics.
    mutating func keepStatistics(of judge: PlainNetwork<Scalar>) {
      for index in judge.layers.indices {
        discriminator.layers[index].norm = judge.layers[index].norm
      }
    }
  }

  /// All that changes from step to step, unrounded.
  package var exactState: State

  /// A trainer before its first step.
  ///
  /// - Precondition: the weights fit the configuration.
  public init(
    configuration: TrainingConfiguration, generator: GeneratorWeights,
    discriminator: DiscriminatorWeights
  ) {
    precondition(
      generator.shape.generatorChannels == configuration.shape.generatorChannels
        && discriminator.shape.discriminatorChannels == configuration.shape.discriminatorChannels
        && discriminator.normalisesFirst == configuration.normalisesFirst
        && discriminator.normalises == (configuration.techniques.discriminatorNorm == .batch),
      "the weights are of another shape than the configuration's")
    self.configuration = configuration
    let generator = PlainNetwork<Scalar>(generator)
    let discriminator = PlainNetwork<Scalar>(discriminator)
    exactState = State(
      generator: generator, discriminator: discriminator,
      generatorAdam: PlainAdam(for: generator), discriminatorAdam: PlainAdam(for: discriminator),
      spectral: configuration.techniques.discriminatorNorm != .spectral
        ? []
        : discriminator.layers.map {
          PlainSpectral(rows: $0.convolution.smallChannels, kernel: $0.kernel)
        })
  }

  /// Discriminator on real, discriminator on fake, its update, then the generator's update.
  ///
  /// - Throws: ``NonFiniteError`` where anything is not finite; the whole state is then what it was
  ///   before the step.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func step(_ batch: TrainingBatch) throws -> StepLosses {
    try exactStep(batch).losses
  }

  /// The gradients that ``step(_:)`` would use; the trainer stays as it was.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func gradients(_ batch: TrainingBatch) throws -> StepGradients {
    let before = exactState
    defer { exactState = before }
    let (losses, discriminator, generator) = try exactStep(batch)
    return StepGradients(
      losses: losses, discriminator: discriminator.mapValues { $0.map { Double($0) } },
      generator: generator.mapValues { $0.map { Double($0) } })
  }

  /// One step and the gradients it used. Where something is not finite the state is what it was
  /// before the step.
  private func exactStep(_ batch: TrainingBatch) throws -> (
    losses: StepLosses, discriminator: [String: [Scalar]], generator: [String: [Scalar]]
  ) {
    let shape = configuration.shape
    let realCount = batch.pixels.count / shape.pictureCount
    let fakeCount = batch.latents.count / shape.latent
    let generatorLatents = batch.generatorLatents ?? batch.latents
    let ownCount = generatorLatents.count / shape.latent
    precondition(
      realCount > 0 && realCount * shape.pictureCount == batch.pixels.count,
      "\(batch.pixels.count) pixels are no batch of pictures")
    precondition(
      fakeCount > 0 && fakeCount * shape.latent == batch.latents.count && ownCount > 0
        && ownCount * shape.latent == generatorLatents.count,
      "the latents are no batch of \(shape.latent) numbers each")
    precondition(
      (batch.generatorLatents != nil) == configuration.freshLatents,
      "latents for the generator's step go with freshLatents")
    precondition(
      (batch.changes != nil) == !configuration.techniques.augmentation.isEmpty,
      "changes of pictures go with DiffAugment")
    func change(_ place: KeyPath<BatchChanges, [PictureChange]>) -> PlainChange? {
      batch.changes.map {
        PlainChange($0[keyPath: place], channels: shape.channels, side: shape.side)
      }
    }
    func seen(
      _ pictures: [Scalar], _ change: PlainChange?, _ part: InstanceNoise.Batch
    ) -> [Scalar] {
      var seen = change?.forward(pictures) ?? pictures
      if let noise = batch.noise { Self.add(noise, part, to: &seen, shape: shape) }
      return seen
    }
    let techniques = configuration.techniques

    // Only a whole step is kept.
    var state = exactState
    // The discriminator on real pictures, then on fakes, each with statistics of its own.
    var judge = state.judge
    let real = judge.forward(
      seen(Self.planar(batch.pixels, shape: shape), change(\.real), .real), count: realCount)
    var fakes = state.generator.forward(batch.latents.map { Scalar($0) }, count: fakeCount)
    let fake = judge.forward(
      seen(fakes.last!.output, change(\.fake), .fake), count: fakeCount)
    let onBoth = PlainDiscriminatorLoss(
      real: real.last!.output, fake: fake.last!.output, techniques: techniques)
    var discriminatorGradients = judge.backward(
      onBoth.realGradient, records: real, count: realCount, weights: true, input: false
    ).weights
    discriminatorGradients.merge(
      judge.backward(
        onBoth.fakeGradient, records: fake, count: fakeCount, weights: true, input: false
      ).weights
    ) { real, fake in zip(real, fake).map { $0 + $1 } }
    state.keepStatistics(of: judge)
    var penalty: Double?
    if batch.slopePenalty > 0 {
      let found = judge.slopePenalty(
        records: real, count: realCount, weight: batch.slopePenalty)
      penalty = found.penalty
      discriminatorGradients.merge(found.gradients) { zip($0, $1).map { $0 + $1 } }
      try Self.check(found.penalty, "r1")
    }
    for (layer, spectral) in zip(state.discriminator.layers, state.spectral) {
      discriminatorGradients[layer.kernelName] = spectral.backward(
        discriminatorGradients[layer.kernelName]!, kernel: layer.kernel)
    }
    try Self.check(onBoth.loss, "loss_d")
    try Self.check(discriminatorGradients, of: state.discriminator, "discriminator")
    state.discriminatorAdam.update(
      &state.discriminator, gradients: discriminatorGradients,
      rate: configuration.discriminatorRate * batch.rateFactor, beta1: configuration.beta1,
      beta2: configuration.beta2)
    for index in state.spectral.indices {
      state.spectral[index].iterate(state.discriminator.layers[index].kernel)
    }

    // The generator, through the discriminator as it is now.
    if configuration.freshLatents {
      fakes = state.generator.forward(
        generatorLatents.map { Scalar($0) }, count: ownCount)
    }
    let ownChange = change(\.own)
    judge = state.judge
    // A relativistic loss compares with the real images, as the updated discriminator sees them.
    let realAgain =
      techniques.loss.isRelativistic
      ? judge.forward(
        seen(Self.planar(batch.pixels, shape: shape), change(\.real), .real), count: realCount
      ).last!.output : []
    let judged = judge.forward(
      seen(fakes.last!.output, ownChange, .own), count: ownCount)
    let generatorLoss =
      techniques.loss.isRelativistic
      ? PlainLoss(
        RelativisticLoss(
          real: realAgain, fake: judged.last!.output, goal: .own, loss: techniques.loss))
      : PlainLoss(logits: judged.last!.output, goal: .own, techniques: techniques)
    state.keepStatistics(of: judge)
    let toFakes = judge.backward(
      generatorLoss.gradient, records: judged, count: ownCount, weights: false, input: true
    ).input!
    let generatorGradients = state.generator.backward(
      ownChange?.backward(toFakes) ?? toFakes, records: fakes, count: ownCount, weights: true,
      input: false
    ).weights
    try Self.check(generatorLoss.loss, "loss_g")
    try Self.check(generatorGradients, of: state.generator, "generator")
    state.generatorAdam.update(
      &state.generator, gradients: generatorGradients,
      rate: configuration.generatorRate * batch.rateFactor, beta1: configuration.beta1,
      beta2: configuration.beta2)

    try Self.check(state.discriminator, state.discriminatorAdam, "discriminator")
    try Self.check(state.generator, state.generatorAdam, "generator")
    exactState = state
    return (
      StepLosses(
        lossD: onBoth.loss, lossG: generatorLoss.loss, dX: onBoth.realScore,
        dGz1: onBoth.fakeScore, dGz2: generatorLoss.score,
        r1: penalty, gradientD: Self.norm(of: discriminatorGradients, state.discriminator),
        gradientG: Self.norm(of: generatorGradients, state.generator)),
      discriminatorGradients, generatorGradients
    )
  }

  /// Pictures `[count, channels, side, side]` in −1…1 from latents `[count, latent]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func generate(latents: [Float], batchStatistics: Bool) -> [Float] {
    let count = latents.count / configuration.shape.latent
    precondition(
      count * configuration.shape.latent == latents.count,
      "the latents are no batch of \(configuration.shape.latent) numbers each")
    guard count > 0 else { return [] }
    let latents = latents.map { Scalar($0) }
    if batchStatistics {
      // A copy, whose running statistics are thrown away.
      var generator = exactState.generator
      return generator.forward(latents, count: count).last!.output.map { Float($0) }
    }
    return exactState.generator.evaluate(latents, count: count).map { Float($0) }
  }
}

// MARK: - State in float32

extension PlainTrainer {
  /// A copy of all that changes from step to step, rounded to float32.
  public func state() -> TrainingState {
    TrainingState(
      generator: GeneratorWeights(
        shape: configuration.shape, layers: exactState.generator.layerWeights),
      discriminator: DiscriminatorWeights(
        shape: configuration.shape, normalisesFirst: configuration.normalisesFirst,
        normalises: configuration.techniques.discriminatorNorm == .batch,
        layers: exactState.discriminator.layerWeights),
      generatorOptimizer: Self.rounded(exactState.generatorAdam, of: exactState.generator),
      discriminatorOptimizer: Self.rounded(
        exactState.discriminatorAdam, of: exactState.discriminator),
      spectral: Dictionary(
        uniqueKeysWithValues: zip(exactState.discriminator.layers, exactState.spectral).map {
          ($0.kernelName, $1.vectors)
        }))
  }

  /// Goes on from a state that ``state()`` gave.
  ///
  /// - Note: ``state()`` rounds to float32, so only `PlainTrainer<Float>` goes on bit for bit.
  public func restore(_ state: TrainingState) {
    exactState.generator = PlainNetwork(state.generator)
    exactState.discriminator = PlainNetwork(state.discriminator)
    exactState.generatorAdam.restore(state.generatorOptimizer)
    exactState.discriminatorAdam.restore(state.discriminatorOptimizer)
    for (index, layer) in exactState.discriminator.layers.enumerated()
    where !exactState.spectral.isEmpty {
      guard let vectors = state.spectral[layer.kernelName] else {
        preconditionFailure("no spectral vectors of \(layer.kernelName)")
      }
      exactState.spectral[index] = PlainSpectral(vectors)
    }
  }

  private static func rounded(_ adam: PlainAdam<Scalar>, of network: PlainNetwork<Scalar>)
    -> OptimizerState
  {
    var shapes: [String: [Int]] = [:]
    for layer in network.layers {
      shapes[layer.kernelName] = [
        layer.convolution.smallChannels, layer.convolution.bigChannels, 4, 4,
      ]
      if let bias = layer.bias { shapes[layer.biasName] = [bias.count] }
      guard let norm = layer.norm else { continue }
      for part in ["weight", "bias"] { shapes["\(layer.normName).\(part)"] = [norm.scale.count] }
    }
    func tensors(_ moments: [String: [Scalar]]) -> [String: Tensor] {
      Dictionary(
        uniqueKeysWithValues: moments.map { name, values in
          (name, Tensor(shape: shapes[name]!, values: values.map { Float($0) }))
        })
    }
    return OptimizerState(
      firstMoments: tensors(adam.firstMoments), secondMoments: tensors(adam.secondMoments),
      step: adam.step)
  }
}

extension PlainAdam {
  fileprivate mutating func restore(_ state: OptimizerState) {
    precondition(
      state.firstMoments.keys.sorted() == firstMoments.keys.sorted()
        && state.secondMoments.keys.sorted() == secondMoments.keys.sorted(),
      "the optimiser's state is of another network")
    firstMoments = state.firstMoments.mapValues { $0.values.map { Scalar($0) } }
    secondMoments = state.secondMoments.mapValues { $0.values.map { Scalar($0) } }
    step = state.step
  }
}

// MARK: - Pixels and checks

extension PlainTrainer {
  /// 8-bit pixels `[count, side, side, channels]` as numbers `[count, channels, side, side]` in −1…1.
  static func planar(_ pixels: [UInt8], shape: DCGANShape) -> [Scalar] {
    let values = (0...255).map { (Scalar($0) / 255 - 0.5) / 0.5 }
    let places = shape.side * shape.side
    var planar = [Scalar](repeating: 0, count: pixels.count)
    for n in 0..<pixels.count / shape.pictureCount {
      for place in 0..<places {
        for channel in 0..<shape.channels {
          planar[(n * shape.channels + channel) * places + place] =
            values[Int(pixels[(n * places + place) * shape.channels + channel])]
        }
      }
    }
    return planar
  }

  /// Adds noise to planar pictures; its numbers come channels last.
  private static func add(
    _ noise: InstanceNoise, _ part: InstanceNoise.Batch, to pictures: inout [Scalar],
    shape: DCGANShape
  ) {
    let (size, plane) = (shape.pictureCount, shape.side * shape.side)
    for picture in 0..<pictures.count / size {
      noise.each(part, picture: picture, count: size) { place, number in
        let (pixel, channel) = place.quotientAndRemainder(dividingBy: shape.channels)
        pictures[picture * size + channel * plane + pixel] += Scalar(number)
      }
    }
  }

  private static func check(_ value: Double, _ place: String) throws {
    if !value.isFinite { throw NonFiniteError(place: place) }
  }

  /// Euclidean norm over all tensors, in their own order.
  private static func norm(
    of gradients: [String: [Scalar]], _ network: PlainNetwork<Scalar>
  ) -> Double {
    network.parameters.reduce(0) { sum, parameter in
      gradients[parameter.0]!.reduce(sum) { $0 + Double($1) * Double($1) }
    }.squareRoot()
  }

  private static func check(
    _ gradients: [String: [Scalar]], of network: PlainNetwork<Scalar>, _ name: String
  ) throws {
    for (tensor, _) in network.parameters where !gradients[tensor]!.allSatisfy(\.isFinite) {
      throw NonFiniteError(place: "\(name) \(tensor)")
    }
  }

  private static func check(
    _ network: PlainNetwork<Scalar>, _ adam: PlainAdam<Scalar>, _ name: String
  ) throws {
    for (tensor, values) in network.parameters {
      guard values.allSatisfy(\.isFinite), adam.firstMoments[tensor]!.allSatisfy(\.isFinite),
        adam.secondMoments[tensor]!.allSatisfy(\.isFinite)
      else { throw NonFiniteError(place: "\(name) \(tensor)") }
    }
    for layer in network.layers {
      guard let norm = layer.norm else { continue }
      guard norm.runningMean.allSatisfy(\.isFinite), norm.runningVariance.allSatisfy(\.isFinite)
      else { throw NonFiniteError(place: "\(name) \(layer.normName)") }
    }
  }
}

extension PlainTrainer: GradientEngine {}
