public import BollyGANCompute
import BollyGANKernels
public import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Trains in float32 on all threads: convolutions as matrix products in the processor's widest
/// vectors, normalisation and activation in one pass over memory.
///
/// The weights after a step depend on the state, the batch and the instruction set alone, not on
/// the number of threads. The discriminator's weight gradients are not computed in the generator's
/// step, where they would be thrown away.
public final class FastTrainer: TrainingEngine, GradientEngine {
  /// The settings it was made with.
  public let configuration: TrainingConfiguration
  let loops: FastLoops
  let generator: FastGenerator
  private let discriminator: FastDiscriminator
  private var generatorUpdates = 0
  private var discriminatorUpdates = 0

  private var real = FloatBuffer(count: 0)
  private var fake = FloatBuffer(count: 0)
  private var pictureGradient = FloatBuffer(count: 0)
  /// Pictures as the discriminator sees them where it does not see them as they are, and then the
  /// gradient on its way back from there.
  private var changed = FloatBuffer(count: 0)
  /// The same for real pictures, where a relativistic loss needs them beside generated ones.
  private var changedReal = FloatBuffer(count: 0)
  private var capacity = 0

  /// The processors that this process may use.
  public static var processors: Int { Workers.processors }

  /// Starts from the given weights, with Adam at rest.
  ///
  /// - Precondition: the weights have the configuration's shape and normalisation.
  public init(
    configuration: TrainingConfiguration, generator: GeneratorWeights,
    discriminator: DiscriminatorWeights, threads: Int = FastTrainer.processors,
    instructionSet: InstructionSet = .best
  ) {
    precondition(
      discriminator.normalisesFirst == configuration.normalisesFirst
        && discriminator.normalises == (configuration.techniques.discriminatorNorm == .batch),
      "the discriminator's normalisation is not as configured")
    self.configuration = configuration
    loops = FastLoops(instructionSet: instructionSet, threads: threads)
    let scratch = FastScratch()
    self.generator = FastGenerator(
      generator, loops: loops, scratch: scratch, convolutions: configuration.convolutions)
    self.discriminator = FastDiscriminator(
      discriminator, isSpectral: configuration.techniques.discriminatorNorm == .spectral,
      loops: loops, scratch: scratch, convolutions: configuration.convolutions)
  }

  // MARK: A step

  /// Discriminator on real, discriminator on fake, its update, then the generator's update.
  ///
  /// - Throws: ``NonFiniteError`` where a loss or a gradient is not finite, before it reaches a weight; or
  ///   where a weight, a moment or a running statistic has become so by the step: to go on takes a state
  ///   from before it.
  public func step(_ batch: TrainingBatch) throws -> StepLosses {
    let shape = configuration.shape
    let reals = batch.pixels.count / shape.pictureCount
    let fakes = batch.latents.count / shape.latent
    let own = batch.generatorLatents.map { $0.count / shape.latent } ?? fakes
    reserve(max(reals, fakes, own))
    load(batch.pixels)

    precondition(
      (batch.changes != nil) == changesPictures, "changes of pictures go with DiffAugment")
    precondition(
      batch.noise == nil || configuration.techniques.hasNoise,
      "noise goes with instanceNoise or noiseFloor")

    let techniques = configuration.techniques
    let isRelativistic = techniques.loss.isRelativistic
    let seenReal = seen(
      real, reals, batch.changes?.real, batch.noise, .real,
      into: isRelativistic ? changedReal : changed)
    var penalty: Double?
    func backwardOnReal(_ gradient: [Float]) {
      discriminator.backward(pictures: seenReal, logitGradient: gradient, toParameters: false)
      guard batch.slopePenalty > 0 else { return }
      penalty = discriminator.addSlopePenalty(
        pictures: seenReal, images: reals, weight: batch.slopePenalty, scratch: pictureGradient)
    }
    let realLogits = discriminator.forward(seenReal, images: reals)
    // A loss that looks at each batch alone goes back on real pictures at once, so that one record of
    // the discriminator's maps is enough.
    let onReal =
      isRelativistic ? nil : Verdict(logits: realLogits, goal: .real, techniques)
    if let onReal { backwardOnReal(onReal.gradient) }
    generator.forward(batch.latents, into: fake, statistics: .batch)
    let seenFake = seen(fake, fakes, batch.changes?.fake, batch.noise, .fake, into: changed)
    let fakeLogits = discriminator.forward(
      seenFake, images: fakes, record: isRelativistic ? 1 : 0)
    let lossD: Double
    let scores: (real: Double, fake: Double)
    let fakeGradient: [Float]
    if let onReal {
      let onFake = Verdict(logits: fakeLogits, goal: .fake, techniques)
      lossD = onReal.loss + onFake.loss
      scores = (onReal.mean, onFake.mean)
      fakeGradient = onFake.gradient
    } else {
      let pair = RelativisticLoss(
        real: realLogits, fake: fakeLogits, goal: .real, loss: techniques.loss)
      lossD = pair.loss
      scores = (pair.realScore, pair.fakeScore)
      fakeGradient = pair.fakeGradient
      discriminator.select(record: 0)
      backwardOnReal(pair.realGradient)
      discriminator.select(record: 1)
    }
    if let penalty, !penalty.isFinite { throw NonFiniteError(place: "r1") }
    discriminator.backward(pictures: seenFake, logitGradient: fakeGradient, toParameters: true)
    discriminator.finishGradients()
    guard lossD.isFinite else { throw NonFiniteError(place: "loss_d") }
    let gradientD = try norm(
      of: discriminator.parameters, names: discriminatorNames, "discriminator")
    discriminatorUpdates += 1
    let areFinite = update(
      discriminator.parameters, rate: configuration.discriminatorRate * batch.rateFactor,
      step: discriminatorUpdates)
    try check(discriminator.layers, areFinite, names: discriminatorNames, "discriminator")
    discriminator.refreshUpdated()

    if let latents = batch.generatorLatents {
      generator.forward(latents, into: fake, statistics: .batch)
    }
    // A relativistic loss compares with the real pictures, as the updated discriminator sees them.
    let realAgain = isRelativistic ? discriminator.forward(seenReal, images: reals) : []
    let seenOwn = seen(fake, own, batch.changes?.own, batch.noise, .own, into: changed)
    let ownLogits = discriminator.forward(seenOwn, images: own)
    let again =
      isRelativistic
      ? Verdict(
        RelativisticLoss(real: realAgain, fake: ownLogits, goal: .own, loss: techniques.loss))
      : Verdict(logits: ownLogits, goal: .own, techniques)
    guard again.loss.isFinite else { throw NonFiniteError(place: "loss_g") }
    discriminator.backward(
      pictures: seenOwn, logitGradient: again.gradient, toParameters: nil,
      toPictures: pictureGradient)
    generator.backward(
      pictures: fake, gradient: toPictures(pictureGradient, batch.changes?.own), images: own)
    let gradientG = try norm(of: generator.parameters, names: generatorNames, "generator")
    generatorUpdates += 1
    let remainFinite = update(
      generator.parameters, rate: configuration.generatorRate * batch.rateFactor,
      step: generatorUpdates)
    try check(generator.layers, remainFinite, names: generatorNames, "generator")
    generator.refresh()
    return StepLosses(
      lossD: lossD, lossG: again.loss, dX: scores.real, dGz1: scores.fake, dGz2: again.mean,
      r1: penalty, gradientD: gradientD, gradientG: gradientG)
  }

  /// What the discriminator says of a batch, against what it should say.
  ///
  /// By default binary cross-entropy behind a sigmoid, both as PyTorch computes them one after the
  /// other: logarithms are no lower than −100, and where the sigmoid has become 0 or 1 the gradient
  /// is 0.
  struct Verdict {
    /// Mean loss.
    let loss: Double
    /// Mean probability of being real.
    let mean: Double
    /// The mean loss's gradient to each logit.
    let gradient: [Float]

    /// The generator's part of a relativistic loss.
    init(_ pair: RelativisticLoss<Float>) {
      loss = pair.loss
      mean = pair.fakeScore
      gradient = pair.fakeGradient
    }

    init(logits: [Float], goal: LossGoal, _ techniques: Techniques) {
      let target = Float(techniques.target(goal))
      let wish: Float = goal == .fake ? -1 : 1
      let count = logits.count
      var total = 0.0
      var probability = 0.0
      gradient = logits.map { logit in
        let p = 1 / (1 + expf(-logit))
        probability += Double(p)
        switch techniques.loss {
        case .bce:
          if target > 0 { total -= Double(target) * Double(max(logf(p), -100)) }
          if target < 1 { total -= Double(1 - target) * Double(max(log1pf(-p), -100)) }
          let slope = p * (1 - p)
          return (p - target) / max(slope, 1e-12) / Float(count) * slope
        case .logistic:
          // Written so that what is no number stays none.
          let positive = logit < 0 ? 0 : logit
          total += Double(positive + log1pf(expf(-abs(logit))) - target * logit)
          return (p - target) / Float(count)
        case .hinge:
          let excess = (goal == .own ? 0 : 1) - wish * logit
          total += Double(goal != .own && excess < 0 ? 0 : excess)
          return goal == .own || excess > 0 ? -wish / Float(count) : 0
        case .pairedLogistic, .averageLeastSquares:
          preconditionFailure("a relativistic loss needs both batches")
        }
      }
      loss = total / Double(count)
      mean = probability / Double(count)
    }
  }

  private func reserve(_ images: Int) {
    guard images > capacity else { return }
    capacity = images
    // Before the first of two forward passes that are needed together.
    discriminator.reserve(images)
    let size = images * generator.pictureLayout.imageStride
    real = FloatBuffer(count: size)
    fake = FloatBuffer(count: size)
    pictureGradient = FloatBuffer(count: size)
    if changesPictures || configuration.techniques.hasNoise {
      changed = FloatBuffer(count: size)
      if configuration.techniques.loss.isRelativistic { changedReal = FloatBuffer(count: size) }
    }
  }

  private var changesPictures: Bool { !configuration.techniques.augmentation.isEmpty }

  /// Pictures as the discriminator is shown them.
  private func seen(
    _ pictures: FloatBuffer, _ images: Int, _ changes: [PictureChange]?, _ noise: InstanceNoise?,
    _ part: InstanceNoise.Batch, into changed: FloatBuffer
  ) -> FloatBuffer {
    guard changes != nil || noise != nil else { return pictures }
    let layout = generator.pictureLayout
    loops.change(
      changes ?? [PictureChange](repeating: .none, count: images), .forward, from: pictures,
      to: changed, layout: layout)
    if let noise { loops.add(noise, part, to: changed, images: images, layout: layout) }
    return changed
  }

  /// The gradient to pictures from that to what `seen` made of them, which is not needed any more;
  /// noise does not change it.
  private func toPictures(_ gradient: FloatBuffer, _ changes: [PictureChange]?) -> FloatBuffer {
    guard let changes else { return gradient }
    loops.change(
      changes, .backward, from: gradient, to: changed, layout: generator.pictureLayout)
    return changed
  }

  /// 8-bit values to −1…1 as torchvision's ToTensor and Normalize(0.5, 0.5) do in float32.
  private static let levels: [Float] = (0...255).map { (Float($0) / 255 - 0.5) / 0.5 }

  private func load(_ pixels: [UInt8]) {
    let layout = generator.pictureLayout
    let row = layout.columns * layout.pixelStride
    let count = pixels.count / (row * layout.rows)
    loops.workers.run(count) { image, _ in
      for line in 0..<layout.rows {
        let source = (image * layout.rows + line) * row
        let target = image * layout.imageStride + layout.origin + line * layout.rowStride
        for index in 0..<row {
          unsafe real.base[target + index] = Self.levels[Int(pixels[source + index])]
        }
      }
    }
  }

  private lazy var generatorNames = generator.weights.namedTensors().map(\.name)
  private lazy var discriminatorNames = discriminator.weights.namedTensors().map(\.name)

  /// Of the discriminator's kernels, a layer each.
  private lazy var kernelNames = discriminator.weights.namedTensors().filter {
    $0.tensor.shape.count == 4
  }.map(\.name)

  /// The norm of all gradients of a network.
  ///
  /// - Throws: ``NonFiniteError`` where one is not finite.
  private func norm(
    of parameters: [FastParameter], names: [String], _ network: String
  ) throws -> Double {
    var squares = 0.0
    for (parameter, name) in zip(parameters, names) {
      let sum = loops.sumOfSquares(parameter.gradient)
      guard sum.isFinite else { throw NonFiniteError(place: "\(network) \(name)'s gradient") }
      squares += sum
    }
    return squares.squareRoot()
  }

  /// Adam as `torch.optim.Adam` rounds it (Kingma and Ba 2015, arXiv:1412.6980).
  ///
  /// - Returns: For each parameter, whether its weights and moments are all finite afterwards.
  private func update(_ parameters: [FastParameter], rate: Double, step: Int) -> [Bool] {
    let (beta1, beta2) = (configuration.beta1, configuration.beta2)
    return loops.adam(
      parameters,
      bg_adam(
        one_minus_beta1: Float(1 - beta1), beta2: Float(beta2),
        one_minus_beta2: Float(1 - beta2),
        step_size: Float(rate / (1 - pow(beta1, Double(step)))),
        root_of_correction2: Float((1 - pow(beta2, Double(step))).squareRoot()), epsilon: 1e-8))
  }

  /// Looks at all that an update and the passes before it changed: weights, Adam's moments, running
  /// statistics. Finite gradients do not say it: a variance of large outputs overflows where the
  /// outputs do not, and so does Adam's step where the rate is beyond reason.
  ///
  /// - Parameter areFinite: what ``update(_:rate:step:)`` gave.
  /// - Throws: ``NonFiniteError`` naming the first tensor, or the normalisation, that has a number
  ///   which is none.
  private func check(
    _ layers: [FastLayer], _ areFinite: [Bool], names: [String], _ network: String
  ) throws {
    if let place = areFinite.firstIndex(of: false) {
      throw NonFiniteError(place: "\(network) \(names[place])")
    }
    var first = 0
    for layer in layers {
      if let norm = layer.norm, norm.normalises,
        !(norm.runningMean + norm.runningVariance).allSatisfy(\.isFinite)
      {
        // `main.1.weight` is the scale of `main.1`.
        let name = names[first + 1].split(separator: ".").dropLast().joined(separator: ".")
        throw NonFiniteError(place: "\(network) \(name)")
      }
      first += layer.parameters.count
    }
  }

  // MARK: State

  /// A copy of all that changes from step to step.
  public func state() -> TrainingState {
    TrainingState(
      generator: generator.weights, discriminator: discriminator.weights,
      generatorOptimizer: optimizer(
        of: generator.layers, names: generatorNames, step: generatorUpdates),
      discriminatorOptimizer: optimizer(
        of: discriminator.layers, names: discriminatorNames, step: discriminatorUpdates),
      spectral: Dictionary(
        uniqueKeysWithValues: zip(kernelNames, discriminator.layers).compactMap { name, layer in
          layer.spectral.map { (name, $0.vectors(layer.link)) }
        }))
  }

  /// Goes on from a state that ``state()`` gave, bit for bit.
  ///
  /// - Precondition: the state is of networks of this shape.
  public func restore(_ state: TrainingState) {
    generator.load(state.generator)
    discriminator.load(
      state.discriminator,
      spectral: configuration.techniques.discriminatorNorm != .spectral
        ? []
        : kernelNames.map { name in
          guard let vectors = state.spectral[name] else {
            preconditionFailure("no spectral vectors of \(name)")
          }
          return vectors
        })
    load(state.generatorOptimizer, into: generator.layers, names: generatorNames)
    load(state.discriminatorOptimizer, into: discriminator.layers, names: discriminatorNames)
    generatorUpdates = state.generatorOptimizer.step
    discriminatorUpdates = state.discriminatorOptimizer.step
  }

  /// A copy of the generator alone.
  public func generatorWeights() -> GeneratorWeights { generator.weights }

  private func optimizer(of layers: [FastLayer], names: [String], step: Int) -> OptimizerState {
    var names = names[...]
    var first: [String: Tensor] = [:]
    var second: [String: Tensor] = [:]
    for layer in layers {
      let link = layer.link
      for (index, parameter) in layer.parameters.enumerated() {
        let name = names.removeFirst()
        for (moments, buffer) in [(0, parameter.first), (1, parameter.second)] {
          let tensor =
            index == 0
            ? Tensor(
              shape: [link.coarseChannels, link.fineChannels, 4, 4], values: link.unpacked(buffer))
            : Tensor(
              shape: [layer.norm!.channels], values: Array(buffer.array[..<layer.norm!.channels]))
          if moments == 0 { first[name] = tensor } else { second[name] = tensor }
        }
      }
    }
    return OptimizerState(firstMoments: first, secondMoments: second, step: step)
  }

  private func load(_ state: OptimizerState, into layers: [FastLayer], names: [String]) {
    var names = names[...]
    for layer in layers {
      for (index, parameter) in layer.parameters.enumerated() {
        let name = names.removeFirst()
        for (moments, buffer) in [
          (state.firstMoments, parameter.first), (state.secondMoments, parameter.second),
        ] {
          guard let values = moments[name]?.values else {
            preconditionFailure("no moments of \(name)")
          }
          if index == 0 {
            layer.link.packed(values, into: buffer)
          } else {
            for (c, value) in values.enumerated() { unsafe buffer.base[c] = value }
          }
        }
      }
    }
  }

  // MARK: Gradients

  package func gradients(_ batch: TrainingBatch) throws -> StepGradients {
    let before = state()
    defer { restore(before) }
    let losses = try step(batch)
    return StepGradients(
      losses: losses, discriminator: gradients(of: discriminator.layers, names: discriminatorNames),
      generator: gradients(of: generator.layers, names: generatorNames))
  }

  private func gradients(of layers: [FastLayer], names: [String]) -> [String: [Double]] {
    var names = names[...]
    var found: [String: [Double]] = [:]
    for layer in layers {
      for (index, parameter) in layer.parameters.enumerated() {
        found[names.removeFirst()] =
          (index == 0
          ? layer.link.unpacked(parameter.gradient)
          : Array(parameter.gradient.array[..<layer.norm!.channels])).map(Double.init)
      }
    }
    return found
  }

  // MARK: Samples

  /// Pictures `[count, channels, side, side]` in −1…1 from latents `[count, latent]`.
  public func generate(latents: [Float], batchStatistics: Bool) -> [Float] {
    let shape = configuration.shape
    let layout = generator.pictureLayout
    let count = latents.count / shape.latent
    let pictures = FloatBuffer(count: count * layout.imageStride)
    generator.forward(
      latents, into: pictures, statistics: batchStatistics ? .batchUntracked : .running)
    var values = [Float](repeating: 0, count: count * shape.pictureCount)
    for image in 0..<count {
      for channel in 0..<shape.channels {
        for row in 0..<shape.side {
          let source =
            image * layout.imageStride + layout.origin + row * layout.rowStride + channel
          let target = ((image * shape.channels + channel) * shape.side + row) * shape.side
          for column in 0..<shape.side {
            values[target + column] =
              unsafe pictures.base[source + column * layout.pixelStride]
          }
        }
      }
    }
    return values
  }
}
