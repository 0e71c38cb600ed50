public import BollyGANCompute
public import BollyGANModel

/// Trains in float32 on all threads, with fast convolutions in the processor's widest vectors.
/// Normalisation and activation share one pass over memory.
///
/// The weights after a step depend on the state, the batch and the instruction set alone, not on
/// the number of threads. Gradients that the generator's step would discard, those of the
/// discriminator's weights, are not computed.
public final class FastTrainer: TrainingEngine {
  /// The settings it was made with.
  public let configuration: TrainingConfiguration
  let loops: FastLoops
  let generator: FastGenerator
  let discriminator: FastDiscriminator

  private var realImages = FloatBuffer(count: 0)
  private var generated = FloatBuffer(count: 0)
  private var imageGradient = FloatBuffer(count: 0)
  /// Images with augmentation or noise, if there is any; `shownFake` also holds the gradient that
  /// goes back through the augmentation. Both are the same buffer, unless the loss needs both
  /// batches at once.
  private var shownReal = FloatBuffer(count: 0)
  private var shownFake = FloatBuffer(count: 0)
  private var capacity = 0

  /// Processors that this process may use.
  public static var processors: Int { Workers.processors }

  /// Starts from the given weights, with Adam's moments at zero.
  ///
  /// - Parameters:
  ///   - configuration: shape and arithmetic of the steps.
  ///   - generator: its first weights.
  ///   - discriminator: its first weights.
  ///   - threads: number of threads; it does not change results.
  ///   - instructionSet: kernels to use.
  /// - Precondition: the weights have the configuration's shape and normalisation.
  public init(
    configuration: TrainingConfiguration, generator: GeneratorWeights,
    discriminator: DiscriminatorWeights, threads: Int = FastTrainer.processors,
    instructionSet: InstructionSet = .best
  ) {
    precondition(
      discriminator.normalisesFirst == configuration.normalisesFirst
        && discriminator.normalises == (configuration.techniques.discriminatorNorm == .batch),
      "the discriminator's normalisation differs from the configuration's")
    self.configuration = configuration
    loops = FastLoops(instructionSet: instructionSet, threads: threads)
    let scratch = FastScratch()
    self.generator = FastGenerator(
      generator, convolutions: configuration.convolutions, loops: loops, scratch: scratch)
    self.discriminator = FastDiscriminator(
      discriminator, isSpectral: configuration.techniques.discriminatorNorm == .spectral,
      convolutions: configuration.convolutions, loops: loops, scratch: scratch)
  }

  // MARK: A step

  /// Trains the discriminator on real and generated images, then the generator.
  ///
  /// - Throws: ``NonFiniteError`` if a loss or gradient is not finite, before it reaches a weight,
  ///   or if a weight, moment or running statistic is not finite after an update. Restore an
  ///   earlier state before the next step.
  public func step(_ batch: TrainingBatch) throws -> StepLosses {
    let real = prepare(batch)
    let (lossD, penalty) = try discriminatorPass(batch, real: real)
    let gradientD = try update(
      discriminator, rate: configuration.discriminatorRate * batch.rateFactor)
    let lossG = try generatorPass(batch, real: real)
    let gradientG = try update(generator, rate: configuration.generatorRate * batch.rateFactor)
    return StepLosses(
      lossD: lossD.loss, lossG: lossG.loss, dX: lossD.realScore, dGz1: lossD.fakeScore,
      dGz2: lossG.fakeScore, r1: penalty, gradientD: gradientD, gradientG: gradientG)
  }

  /// The discriminator's gradients from a batch of real and a batch of generated images.
  ///
  /// - Returns: Its loss, and the penalty if the step has one.
  private func discriminatorPass(
    _ batch: TrainingBatch, real: ImageBatch
  ) throws -> (loss: LossValue<FastLoss>, penalty: Double?) {
    let techniques = configuration.techniques
    var penalty: Double?
    func backwardOnReal(_ gradient: [Float]) {
      discriminator.backward(gradient, images: real, toParameters: false)
      guard batch.slopePenalty > 0 else { return }
      penalty = discriminator.addSlopePenalty(
        images: real, weight: batch.slopePenalty, scratch: imageGradient)
    }

    let realLogits = discriminator.forward(real)
    // If a loss treats each batch separately, the backward pass of the real batch comes before the
    // forward pass of the generated one, so one record of activations is enough. A relativistic
    // loss needs two.
    let realGradient = LossValue<FastLoss>.realGradient(logits: realLogits, techniques: techniques)
    if let realGradient { backwardOnReal(realGradient) }
    let fakeRecord = realGradient == nil ? 1 : 0
    let fake = show(generator.forward(batch.latents, into: generated), as: .fake, of: batch)
    let fakeLogits = discriminator.forward(fake, record: fakeRecord)
    let loss = LossValue<FastLoss>(
      real: realLogits, fake: fakeLogits, of: .discriminator, techniques: techniques)
    if realGradient == nil { backwardOnReal(loss.realGradient) }
    if let penalty, !penalty.isFinite { throw NonFiniteError(place: "r1") }
    discriminator.backward(
      loss.fakeGradient, images: fake, record: fakeRecord, toParameters: true)
    discriminator.finishGradients()
    guard loss.loss.isFinite else { throw NonFiniteError(place: "loss_d") }
    return (loss, penalty)
  }

  /// The generator's gradients, through the updated discriminator.
  private func generatorPass(
    _ batch: TrainingBatch, real: ImageBatch
  ) throws -> LossValue<FastLoss> {
    let techniques = configuration.techniques
    let images =
      batch.generatorLatents.map { generator.forward($0, into: generated) }
      ?? ImageBatch(values: generated, count: batch.latents.count / configuration.shape.latent)
    // A relativistic loss compares with the real images, as the updated discriminator sees them.
    let realLogits = techniques.loss.isRelativistic ? discriminator.forward(real) : []
    let shown = show(images, as: .generator, of: batch)
    let loss = LossValue<FastLoss>(
      real: realLogits, fake: discriminator.forward(shown), of: .generator, techniques: techniques)
    guard loss.loss.isFinite else { throw NonFiniteError(place: "loss_g") }
    discriminator.backward(
      loss.fakeGradient, images: shown, toParameters: nil, toImages: imageGradient)
    var gradient = imageGradient
    if let changes = batch.changes {
      // Noise does not change the gradient. The augmented images are not needed any more.
      loops.augment(
        changes.generator, .backward, from: gradient, to: shownFake, layout: generator.imageLayout)
      gradient = shownFake
    }
    generator.backward(images: images, gradient: gradient)
    return loss
  }

  /// One update of a network by Adam, which prepares its weights for the next pass.
  ///
  /// Everything that the update and the passes before it changed is checked: weights, moments and
  /// running statistics. Finite gradients are not enough: the variance of large outputs can
  /// overflow where the outputs do not, and so can Adam's step at an extreme learning rate.
  ///
  /// - Returns: The Euclidean norm of all gradients.
  /// - Throws: ``NonFiniteError`` naming the first tensor or normalisation that is not finite.
  private func update(_ network: FastNetwork, rate: Double) throws -> Double {
    let parameters = network.parameters
    var squares = 0.0
    for parameter in parameters {
      let sum = loops.sumOfSquares(parameter.gradient)
      guard sum.isFinite else {
        throw NonFiniteError(place: "\(network.name) \(parameter.name)'s gradient")
      }
      squares += sum
    }
    network.updates += 1
    let areFinite = loops.adam(
      parameters, rate: rate, beta1: configuration.beta1, beta2: configuration.beta2,
      step: network.updates)
    if let index = areFinite.firstIndex(of: false) {
      throw NonFiniteError(place: "\(network.name) \(parameters[index].name)")
    }
    for case let norm? in network.layers.map(\.norm)
    where norm.normalises && !(norm.runningMean + norm.runningVariance).allSatisfy(\.isFinite) {
      throw NonFiniteError(place: "\(network.name) \(norm.name)")
    }
    network.refreshUpdated()
    return squares.squareRoot()
  }

  // MARK: Images

  /// Ensures memory, loads the real images and shows them to the discriminator.
  private func prepare(_ batch: TrainingBatch) -> ImageBatch {
    let (shape, techniques) = (configuration.shape, configuration.techniques)
    precondition(
      (batch.changes != nil) == !techniques.augmentation.isEmpty,
      "a batch has changes if and only if there is augmentation")
    precondition(
      batch.noise == nil || techniques.hasNoise, "noise needs instanceNoise or noiseFloor")
    let latents = max(batch.latents.count, batch.generatorLatents?.count ?? 0) / shape.latent
    reserve(max(batch.pixels.count / shape.pictureCount, latents))
    let real = loops.load(batch.pixels, into: realImages, layout: generator.imageLayout)
    return show(real, as: .real, of: batch)
  }

  private func reserve(_ images: Int) {
    guard images > capacity else { return }
    capacity = images
    let techniques = configuration.techniques
    // Grow now, because growing later would discard the first of two records.
    discriminator.reserve(images)
    let size = images * generator.imageLayout.imageStride
    realImages = FloatBuffer(count: size)
    generated = FloatBuffer(count: size)
    imageGradient = FloatBuffer(count: size)
    if !techniques.augmentation.isEmpty || techniques.hasNoise {
      shownFake = FloatBuffer(count: size)
      shownReal = techniques.loss.isRelativistic ? FloatBuffer(count: size) : shownFake
    }
  }

  /// Images as the discriminator sees them: augmented, with noise.
  private func show(
    _ images: ImageBatch, as part: StepBatch, of batch: TrainingBatch
  ) -> ImageBatch {
    guard batch.changes != nil || batch.noise != nil else { return images }
    let shown = ImageBatch(values: part == .real ? shownReal : shownFake, count: images.count)
    let layout = generator.imageLayout
    loops.augment(
      batch.changes?[part] ?? [PictureChange](repeating: .none, count: images.count), .forward,
      from: images.values, to: shown.values, layout: layout)
    if let noise = batch.noise { loops.add(noise, of: part, to: shown, layout: layout) }
    return shown
  }
}
