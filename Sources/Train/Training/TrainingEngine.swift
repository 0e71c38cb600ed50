import BollyGANModel

/// What determines the arithmetic of a training step, apart from the data.
public struct TrainingConfiguration: Hashable, Sendable {
  /// Sizes of both networks.
  public var shape: DCGANShape
  /// Whether batch normalisation follows the discriminator's first convolution; it does not where it
  /// follows none (``Techniques/discriminatorNorm``).
  public let normalisesFirst: Bool
  /// Whether the generator's step draws latents of its own (the article) or uses the fakes that
  /// the discriminator has just seen (the tutorial).
  public var freshLatents: Bool
  /// Adam's learning rate for the generator.
  public var generatorRate: Double
  /// Adam's learning rate for the discriminator.
  public var discriminatorRate: Double
  /// Adam's decay of the first moment.
  public var beta1: Double
  /// Adam's decay of the second moment.
  public var beta2: Double
  /// What is done beyond the DCGAN of 2015.
  public let techniques: Techniques
  /// How the fast trainer computes its convolutions.
  public var convolutions: Convolutions

  /// Ways to compute a convolution.
  public enum Convolutions: Sendable {
    /// As sums of products, in float64 on the way forward (but for the last layer's): rounded least.
    case direct
    /// With 25 products for 64 (Winograd 1980), in half the time, and rounded some times as much.
    case fast
  }

  /// The article's settings for a shape.
  public init(
    shape: DCGANShape, normalisesFirst: Bool = true, freshLatents: Bool = true,
    generatorRate: Double = 0.0002, discriminatorRate: Double = 0.0002, beta1: Double = 0.5,
    beta2: Double = 0.999, techniques: Techniques = .none,
    convolutions: Convolutions = .fast
  ) {
    self.shape = shape
    self.normalisesFirst = normalisesFirst && techniques.discriminatorNorm == .batch
    self.freshLatents = freshLatents
    self.generatorRate = generatorRate
    self.discriminatorRate = discriminatorRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.techniques = techniques
    self.convolutions = convolutions
  }
}

/// What one step learns from.
public struct TrainingBatch: Sendable {
  /// Real pictures, 8 bits a value, `[count, side, side, channels]`; a value v stands for
  /// (v/255 − 0.5)/0.5.
  public var pixels: [UInt8]
  /// Latents of the fakes that the discriminator sees, `[m, latent]`; `m` may be another number
  /// than that of the pictures.
  public var latents: [Float]
  /// Latents of the generator's own step, `[m, latent]`; nil where it uses the fakes above.
  public var generatorLatents: [Float]?
  /// What DiffAugment does to the pictures; nil where ``Techniques/augmentation`` is empty.
  public var changes: BatchChanges?
  /// Noise on what the discriminator sees; nil for none.
  public var noise: InstanceNoise?
  /// What both learning rates are multiplied by.
  public var rateFactor: Double
  /// Weight of the penalty on the discriminator's slope; 0 for none.
  public var slopePenalty: Double

  /// A batch of pictures and latents.
  public init(
    pixels: [UInt8], latents: [Float], generatorLatents: [Float]? = nil,
    changes: BatchChanges? = nil, noise: InstanceNoise? = nil, rateFactor: Double = 1,
    slopePenalty: Double = 0
  ) {
    self.pixels = pixels
    self.latents = latents
    self.generatorLatents = generatorLatents
    self.changes = changes
    self.noise = noise
    self.rateFactor = rateFactor
    self.slopePenalty = slopePenalty
  }
}

/// What one step says of itself, as the tutorial prints it.
public struct StepLosses: Equatable, Sendable {
  /// Discriminator's loss: that of real pictures and of fakes added.
  public var lossD: Double
  /// Generator's loss.
  public var lossG: Double
  /// Mean of D(x) over the real pictures.
  public var dX: Double
  /// Mean of D(G(z)) before the discriminator's update.
  public var dGz1: Double
  /// Mean of D(G(z)) after it.
  public var dGz2: Double
  /// The penalty on the discriminator's slope, which ``lossD`` leaves out; nil in a step without.
  public var r1: Double?
  /// Euclidean norm of all gradients of the discriminator's update; nil where they were not looked at.
  public var gradientD: Double?
  /// That of the generator's update.
  public var gradientG: Double?

  /// The figures.
  public init(
    lossD: Double, lossG: Double, dX: Double, dGz1: Double, dGz2: Double, r1: Double? = nil,
    gradientD: Double? = nil, gradientG: Double? = nil
  ) {
    self.lossD = lossD
    self.lossG = lossG
    self.dX = dX
    self.dGz1 = dGz1
    self.dGz2 = dGz2
    self.r1 = r1
    self.gradientD = gradientD
    self.gradientG = gradientG
  }
}

/// One network's state between two steps.
public struct OptimizerState: Equatable, Sendable {
  /// Adam's first moments by tensor name (`main.0.weight`, ...), shaped like the weights.
  public var firstMoments: [String: Tensor]
  /// Adam's second moments.
  public var secondMoments: [String: Tensor]
  /// Updates made.
  public var step: Int

  /// A state of the given moments.
  public init(firstMoments: [String: Tensor], secondMoments: [String: Tensor], step: Int) {
    self.firstMoments = firstMoments
    self.secondMoments = secondMoments
    self.step = step
  }
}

/// All that an engine needs to go on as if it had never stopped.
public struct TrainingState: Equatable, Sendable {
  /// The generator, running statistics included.
  public var generator: GeneratorWeights
  /// The discriminator, running statistics included.
  public var discriminator: DiscriminatorWeights
  /// Adam of the generator.
  public var generatorOptimizer: OptimizerState
  /// Adam of the discriminator.
  public var discriminatorOptimizer: OptimizerState
  /// The vectors of spectral normalisation by kernel (`main.0.weight`, ...); empty without it.
  public var spectral: [String: SpectralVectors]

  /// A state of the given parts.
  public init(
    generator: GeneratorWeights, discriminator: DiscriminatorWeights,
    generatorOptimizer: OptimizerState, discriminatorOptimizer: OptimizerState,
    spectral: [String: SpectralVectors] = [:]
  ) {
    self.generator = generator
    self.discriminator = discriminator
    self.generatorOptimizer = generatorOptimizer
    self.discriminatorOptimizer = discriminatorOptimizer
    self.spectral = spectral
  }
}

/// Something that can make training steps: the plain trainer (the oracle) or the fast one.
public protocol TrainingEngine: AnyObject {
  /// The settings it was made with.
  var configuration: TrainingConfiguration { get }

  /// Discriminator on real, discriminator on fake, its update, then the generator's update.
  ///
  /// - Throws: ``NonFiniteError`` where a loss or a gradient is not finite; the weights are then
  ///   those before the update that would have spoilt them. Or where what a step leaves behind is not
  ///   finite (weights, Adam's moments, running statistics); an engine may then need a state from before it.
  func step(_ batch: TrainingBatch) throws -> StepLosses

  /// The generator as it is now: ``state()``'s, for those who need no more.
  func generatorWeights() -> GeneratorWeights

  /// A copy of all that changes from step to step.
  func state() -> TrainingState

  /// Goes on from a state that ``state()`` gave, bit for bit.
  func restore(_ state: TrainingState)

  /// Pictures `[count, channels, side, side]` in −1…1.
  ///
  /// - Parameters:
  ///   - latents: `[count, latent]`.
  ///   - batchStatistics: normalise by the batch's own statistics (the article's notebook samples
  ///     so) and not by the running ones; running ones are left as they are.
  func generate(latents: [Float], batchStatistics: Bool) -> [Float]
}

extension TrainingEngine {
  /// Part of ``state()``; engines that can copy the generator alone do so more cheaply.
  public func generatorWeights() -> GeneratorWeights { state().generator }
}

/// A loss, gradient or weight that is no number any more.
public struct NonFiniteError: Error, Equatable, CustomStringConvertible {
  /// Where it was seen: `loss_d`, `loss_g`, or a network and tensor (`generator main.3.weight`).
  public let place: String

  /// An error at the given place.
  public init(place: String) { self.place = place }

  /// A sentence that says where the number was lost.
  public var description: String { "\(place) is not finite" }
}
