import BollyGANModel

/// Trains in clear loops on one thread: the oracle for faster trainers.
///
/// `PlainTrainer<Double>` follows PyTorch's float64 run; `PlainTrainer<Float>` shows what float32
/// costs. Both are about a hundred times slower than ``FastTrainer`` at full size.
public final class PlainTrainer<Scalar: BinaryFloatingPoint & Sendable>: TrainingEngine {
  /// The settings it was made with.
  public let configuration: TrainingConfiguration

  /// Networks and optimisers at full precision.
  package struct State: Equatable, Sendable {
    package var generator: PlainNetwork<Scalar>
    package var discriminator: PlainNetwork<Scalar>
    package var generatorAdam: PlainAdam<Scalar>
    package var discriminatorAdam: PlainAdam<Scalar>
    /// One for each of the discriminator's layers; empty without spectral normalisation.
    package var spectral: [PlainSpectral<Scalar>]

    /// The discriminator with its kernels divided by their largest singular values, if they are.
    var effectiveDiscriminator: PlainNetwork<Scalar> {
      var effective = discriminator
      for (index, spectral) in spectral.enumerated() {
        effective.layers[index].kernel = spectral.normalised(discriminator.layers[index].kernel)
      }
      return effective
    }

    /// Keeps the running statistics that passes through `effective` have updated.
    mutating func keepStatistics(of effective: PlainNetwork<Scalar>) {
      for index in effective.layers.indices {
        discriminator.layers[index].norm = effective.layers[index].norm
      }
    }
  }

  /// Everything that changes from step to step, unrounded.
  package var exactState: State

  private typealias Gradients = [String: [Scalar]]
  private typealias Loss = LossValue<PlainLoss<Scalar>>

  /// Starts from the given weights, with Adam's moments at zero.
  ///
  /// - Precondition: the weights have the configuration's shape and normalisation.
  public init(
    configuration: TrainingConfiguration, generator: GeneratorWeights,
    discriminator: DiscriminatorWeights
  ) {
    precondition(
      generator.shape.generatorChannels == configuration.shape.generatorChannels
        && discriminator.shape.discriminatorChannels == configuration.shape.discriminatorChannels
        && discriminator.normalisesFirst == configuration.normalisesFirst
        && discriminator.normalises == (configuration.techniques.discriminatorNorm == .batch),
      "the weights' shape or normalisation differs from the configuration's")
    self.configuration = configuration
    let generator = PlainNetwork<Scalar>(generator)
    let discriminator = PlainNetwork<Scalar>(discriminator)
    exactState = State(
      generator: generator, discriminator: discriminator,
      generatorAdam: PlainAdam(for: generator), discriminatorAdam: PlainAdam(for: discriminator),
      spectral: configuration.techniques.discriminatorNorm != .spectral
        ? []
        : discriminator.layers.map {
          PlainSpectral(rows: $0.convolution.coarseChannels, kernel: $0.kernel)
        })
  }

  // MARK: A step

  /// Trains the discriminator on real and generated images, then the generator.
  ///
  /// - Throws: ``NonFiniteError`` if anything is not finite. The state is then the one before the
  ///   step.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func step(_ batch: TrainingBatch) throws -> StepLosses {
    try exactStep(batch).losses
  }

  /// The gradients that ``step(_:)`` would use; the trainer stays unchanged.
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

  /// One step, and the gradients it used. If it throws, the state is the one before the step.
  private func exactStep(_ batch: TrainingBatch) throws -> (
    losses: StepLosses, discriminator: Gradients, generator: Gradients
  ) {
    checkPreconditions(batch)
    // Only a complete step is kept.
    var state = exactState
    let (lossD, penalty, gradientsD, fakes) = try discriminatorPass(batch, &state)
    state.discriminatorAdam.update(
      &state.discriminator, gradients: gradientsD,
      rate: configuration.discriminatorRate * batch.rateFactor, beta1: configuration.beta1,
      beta2: configuration.beta2)
    for index in state.spectral.indices {
      state.spectral[index].iterate(state.discriminator.layers[index].kernel)
    }
    let (lossG, gradientsG) = try generatorPass(batch, &state, fakes: fakes)
    state.generatorAdam.update(
      &state.generator, gradients: gradientsG,
      rate: configuration.generatorRate * batch.rateFactor, beta1: configuration.beta1,
      beta2: configuration.beta2)
    try Self.check(state.discriminator, state.discriminatorAdam, "discriminator")
    try Self.check(state.generator, state.generatorAdam, "generator")
    exactState = state
    return (
      StepLosses(
        lossD: lossD.loss, lossG: lossG.loss, dX: lossD.realScore, dGz1: lossD.fakeScore,
        dGz2: lossG.fakeScore, r1: penalty,
        gradientD: Self.norm(of: gradientsD, state.discriminator),
        gradientG: Self.norm(of: gradientsG, state.generator)),
      gradientsD, gradientsG
    )
  }

  /// The discriminator's gradients from a batch of real and a batch of generated images, each
  /// normalised by its own statistics.
  private func discriminatorPass(_ batch: TrainingBatch, _ state: inout State) throws -> (
    loss: Loss, penalty: Double?, gradients: Gradients, fakes: [PlainLayer<Scalar>.Record]
  ) {
    var discriminator = state.effectiveDiscriminator
    let realImages = Self.planar(batch.pixels, shape: configuration.shape)
    let realCount = realImages.count / configuration.shape.pictureCount
    let real = discriminator.forward(show(realImages, as: .real, of: batch), count: realCount)
    let fakeCount = batch.latents.count / configuration.shape.latent
    let fakes = state.generator.forward(batch.latents.map { Scalar($0) }, count: fakeCount)
    let fake = discriminator.forward(
      show(fakes.last!.output, as: .fake, of: batch), count: fakeCount)
    let loss = Loss(
      real: real.last!.output, fake: fake.last!.output, of: .discriminator,
      techniques: configuration.techniques)
    var gradients = discriminator.backward(
      loss.realGradient, records: real, count: realCount, weights: true, input: false
    ).weights
    gradients.merge(
      discriminator.backward(
        loss.fakeGradient, records: fake, count: fakeCount, weights: true, input: false
      ).weights
    ) { real, fake in zip(real, fake).map { $0 + $1 } }
    state.keepStatistics(of: discriminator)
    var penalty: Double?
    if batch.slopePenalty > 0 {
      let r1 = discriminator.slopePenalty(
        records: real, count: realCount, weight: batch.slopePenalty)
      penalty = r1.penalty
      gradients.merge(r1.gradients) { zip($0, $1).map { $0 + $1 } }
      try Self.check(r1.penalty, "r1")
    }
    for (layer, spectral) in zip(state.discriminator.layers, state.spectral) {
      gradients[layer.kernelName] = spectral.backward(
        gradients[layer.kernelName]!, kernel: layer.kernel)
    }
    try Self.check(loss.loss, "loss_d")
    try Self.check(gradients, of: state.discriminator, "discriminator")
    return (loss, penalty, gradients, fakes)
  }

  /// The generator's gradients, through the updated discriminator.
  ///
  /// - Parameter fakes: the discriminator step's pass through the generator, which is used again
  ///   unless the batch has latents for this step.
  private func generatorPass(
    _ batch: TrainingBatch, _ state: inout State, fakes: [PlainLayer<Scalar>.Record]
  ) throws -> (loss: Loss, gradients: Gradients) {
    let shape = configuration.shape
    let latents = batch.generatorLatents ?? batch.latents
    let count = latents.count / shape.latent
    let fakes =
      configuration.freshLatents
      ? state.generator.forward(latents.map { Scalar($0) }, count: count) : fakes
    var discriminator = state.effectiveDiscriminator
    var realLogits: [Scalar] = []
    if configuration.techniques.loss.isRelativistic {
      // It compares with the real images, as the updated discriminator sees them.
      let images = Self.planar(batch.pixels, shape: shape)
      realLogits =
        discriminator.forward(
          show(images, as: .real, of: batch), count: images.count / shape.pictureCount
        ).last!.output
    }
    let records = discriminator.forward(
      show(fakes.last!.output, as: .generator, of: batch), count: count)
    let loss = Loss(
      real: realLogits, fake: records.last!.output, of: .generator,
      techniques: configuration.techniques)
    state.keepStatistics(of: discriminator)
    let toShown = discriminator.backward(
      loss.fakeGradient, records: records, count: count, weights: false, input: true
    ).input!
    let gradients = state.generator.backward(
      augmentation(.generator, of: batch)?.backward(toShown) ?? toShown, records: fakes,
      count: count, weights: true, input: false
    ).weights
    try Self.check(loss.loss, "loss_g")
    try Self.check(gradients, of: state.generator, "generator")
    return (loss, gradients)
  }

  private func checkPreconditions(_ batch: TrainingBatch) {
    let shape = configuration.shape
    precondition(
      !batch.pixels.isEmpty && batch.pixels.count.isMultiple(of: shape.pictureCount),
      "\(batch.pixels.count) pixel values are not a batch of images")
    for latents in [batch.latents, batch.generatorLatents ?? batch.latents] {
      precondition(
        !latents.isEmpty && latents.count.isMultiple(of: shape.latent),
        "\(latents.count) numbers are not a batch of latents of \(shape.latent)")
    }
    precondition(
      (batch.generatorLatents != nil) == configuration.freshLatents,
      "a batch has latents for the generator's step if and only if freshLatents is true")
    precondition(
      (batch.changes != nil) == !configuration.techniques.augmentation.isEmpty,
      "a batch has changes if and only if there is augmentation")
  }

  // MARK: Samples

  /// Generates images `[count, channels, side, side]` in −1…1 from latents `[count, latent]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func generate(latents: [Float], batchStatistics: Bool) -> [Float] {
    let count = latents.count / configuration.shape.latent
    precondition(
      count * configuration.shape.latent == latents.count,
      "\(latents.count) numbers are not a batch of latents of \(configuration.shape.latent)")
    guard count > 0 else { return [] }
    let latents = latents.map { Scalar($0) }
    if batchStatistics {
      // A copy, whose running statistics are discarded.
      var generator = exactState.generator
      return generator.forward(latents, count: count).last!.output.map { Float($0) }
    }
    return exactState.generator.evaluate(latents, count: count).map { Float($0) }
  }
}

extension PlainTrainer: GradientEngine {}

// MARK: - Images

extension PlainTrainer {
  /// Converts 8-bit pixels `[count, side, side, channels]` to `[count, channels, side, side]` in
  /// −1…1.
  private static func planar(_ pixels: [UInt8], shape: DCGANShape) -> [Scalar] {
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

  /// Planar images as the discriminator sees them: augmented, with noise.
  private func show(
    _ images: [Scalar], as part: StepBatch, of batch: TrainingBatch
  ) -> [Scalar] {
    var shown = augmentation(part, of: batch)?.forward(images) ?? images
    guard let noise = batch.noise else { return shown }
    let shape = configuration.shape
    let (size, plane) = (shape.pictureCount, shape.side * shape.side)
    for image in 0..<shown.count / size {
      // Its numbers come channels last.
      noise.each(part, picture: image, count: size) { place, number in
        let (pixel, channel) = place.quotientAndRemainder(dividingBy: shape.channels)
        shown[image * size + channel * plane + pixel] += Scalar(number)
      }
    }
    return shown
  }

  private func augmentation(_ part: StepBatch, of batch: TrainingBatch) -> PlainDiffAugment? {
    batch.changes.map {
      PlainDiffAugment(
        $0[part], channels: configuration.shape.channels, side: configuration.shape.side)
    }
  }
}

// MARK: - Checks

extension PlainTrainer {
  /// The Euclidean norm over all tensors, in the network's order.
  private static func norm(
    of gradients: [String: [Scalar]], _ network: PlainNetwork<Scalar>
  ) -> Double {
    network.parameters.reduce(0) { sum, parameter in
      gradients[parameter.name]!.reduce(sum) { $0 + Double($1) * Double($1) }
    }.squareRoot()
  }

  private static func check(_ value: Double, _ place: String) throws {
    if !value.isFinite { throw NonFiniteError(place: place) }
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
