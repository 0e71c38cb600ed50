import BollyGANModel

/// Everything that determines a training step, apart from the data and the state.
public struct TrainingConfiguration: Hashable, Sendable {
  /// Shape of both networks.
  public var shape: DCGANShape
  /// Whether batch normalisation follows the discriminator's first convolution. False if the
  /// discriminator has no batch normalisation (``Techniques/discriminatorNorm``).
  public let normalisesFirst: Bool
  /// Whether the generator's step has its own latents (the article) instead of using the images
  /// that the discriminator has just seen (the tutorial).
  public var freshLatents: Bool
  /// Adam's learning rate for the generator.
  public var generatorRate: Double
  /// Adam's learning rate for the discriminator.
  public var discriminatorRate: Double
  /// Adam's decay rate for the first moment.
  public var beta1: Double
  /// Adam's decay rate for the second moment.
  public var beta2: Double
  /// Techniques beyond the DCGAN of 2015.
  public let techniques: Techniques
  /// How the fast trainer computes its convolutions.
  public var convolutions: Convolutions

  /// Ways to compute a convolution.
  public enum Convolutions: Sendable {
    /// As direct sums, forward in float64 except for the generator's last layer. Rounds least.
    case direct
    /// With 25 products instead of 64 (Winograd 1980). Takes half the time, with rounding errors
    /// that are a few times larger.
    case fast
  }

  /// A configuration that defaults to the article's settings.
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

/// The data of one step.
public struct TrainingBatch: Sendable {
  /// Real images `[count, side, side, channels]`, 8 bits per value. A value v means
  /// (v/255 − 0.5)/0.5.
  public var pixels: [UInt8]
  /// Latents `[m, latent]` of the generated images in the discriminator's step. `m` may differ from
  /// the number of real images.
  public var latents: [Float]
  /// Latents `[m, latent]` of the generator's step; nil if it uses ``latents`` again.
  public var generatorLatents: [Float]?
  /// DiffAugment's changes; nil if ``Techniques/augmentation`` is empty.
  public var changes: BatchChanges?
  /// Noise on all images that the discriminator sees; nil for none.
  public var noise: InstanceNoise?
  /// Factor of both learning rates.
  public var rateFactor: Double
  /// Weight γ of R1 in this step (see ``Techniques/r1``); 0 for none.
  public var slopePenalty: Double

  /// A batch of images and latents.
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

/// Losses and scores of one step, as the tutorial prints them.
public struct StepLosses: Equatable, Sendable {
  /// The discriminator's loss: the sum over real and generated images.
  public var lossD: Double
  /// The generator's loss.
  public var lossG: Double
  /// Mean of D(x) over the real images.
  public var dX: Double
  /// Mean of D(G(z)) before the discriminator's update.
  public var dGz1: Double
  /// Mean of D(G(z)) after the discriminator's update.
  public var dGz2: Double
  /// R1, which ``lossD`` does not include; nil in a step without it.
  public var r1: Double?
  /// Euclidean norm of all gradients of the discriminator's update; nil if not recorded.
  public var gradientD: Double?
  /// Euclidean norm of all gradients of the generator's update; nil if not recorded.
  public var gradientG: Double?

  /// Collects the figures of a step.
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

/// Adam's state for one network.
public struct OptimizerState: Equatable, Sendable {
  /// Adam's first moments by tensor name (`main.0.weight`, ...), shaped like the weights.
  public var firstMoments: [String: Tensor]
  /// Adam's second moments, likewise.
  public var secondMoments: [String: Tensor]
  /// Number of updates made.
  public var step: Int

  /// A state of the given moments.
  public init(firstMoments: [String: Tensor], secondMoments: [String: Tensor], step: Int) {
    self.firstMoments = firstMoments
    self.secondMoments = secondMoments
    self.step = step
  }
}

/// Everything that an engine needs to resume training exactly.
public struct TrainingState: Equatable, Sendable {
  /// The generator, running statistics included.
  public var generator: GeneratorWeights
  /// The discriminator, running statistics included.
  public var discriminator: DiscriminatorWeights
  /// Adam's state for the generator.
  public var generatorOptimizer: OptimizerState
  /// Adam's state for the discriminator.
  public var discriminatorOptimizer: OptimizerState
  /// Vectors of spectral normalisation by kernel (`main.0.weight`, ...); empty without it.
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

/// A trainer: ``FastTrainer``, or ``PlainTrainer`` as its oracle.
public protocol TrainingEngine: AnyObject {
  /// The settings it was made with.
  var configuration: TrainingConfiguration { get }

  /// Trains the discriminator on real and generated images, then the generator.
  ///
  /// - Throws: ``NonFiniteError`` if a loss or gradient is not finite; the update that would have
  ///   used it is not made. Also if a weight, moment or running statistic is not finite after the
  ///   step; an engine may then need ``restore(_:)`` with an earlier state.
  func step(_ batch: TrainingBatch) throws -> StepLosses

  /// A copy of the current generator, as in ``state()``.
  func generatorWeights() -> GeneratorWeights

  /// A copy of everything that changes from step to step.
  func state() -> TrainingState

  /// Resumes from a state that ``state()`` returned, bit for bit.
  func restore(_ state: TrainingState)

  /// Generates images `[count, channels, side, side]` in −1…1.
  ///
  /// - Parameters:
  ///   - latents: `[count, latent]`.
  ///   - batchStatistics: whether to normalise by the batch's own statistics, as the article's
  ///     notebook samples, instead of the running ones. The running ones do not change.
  func generate(latents: [Float], batchStatistics: Bool) -> [Float]
}

extension TrainingEngine {
  /// Copies the whole ``state()``. Engines override this if they can copy the generator alone.
  public func generatorWeights() -> GeneratorWeights { state().generator }
}

/// A loss, gradient, weight, moment or statistic became NaN or infinite.
public struct NonFiniteError: Error, Equatable, CustomStringConvertible {
  /// Where it was found: `loss_d`, `loss_g`, `r1`, or a network and tensor
  /// (`generator main.3.weight`).
  public let place: String

  /// An error at the given place.
  public init(place: String) { self.place = place }

  /// Where the number was found, in a sentence.
  public var description: String { "\(place) is not finite" }
}
