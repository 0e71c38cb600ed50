import BollyGANModel

/// Everything random in a run: what it begins with, and the numbers of its steps.
///
/// All of it comes from one seed through PyTorch's generator in the order that the recipe's script
/// has (``Recipe/DrawingOrder``), so a run of `tutorial` with seed 999 begins with the same bits as
/// the tutorial's script with `manualSeed = 999`, and goes on with the same batches and latents.
///
/// An epoch begins with ``epochOrder()``. A step draws, with ``draw(pictureCount:)``, one word a
/// picture where the recipe mirrors, then the discriminator's latents, then the generator's own
/// where the recipe has them, then for DiffAugment the changes of the real pictures, of the fakes,
/// and of those of the generator's step, picture by picture, then two words for instance noise.
///
/// - Note: The article's notebook looks at pictures of its generator before and between the epochs
///   in training mode, which moves the running statistics. They take no part in training, and we
///   leave that out.
public struct TrainingStream: Sendable {
  /// The generator before its first step.
  public let initialGenerator: GeneratorWeights
  /// The discriminator before its first step.
  public let initialDiscriminator: DiscriminatorWeights
  /// Latents of the sample grids, `[64, latent]`.
  public let fixedLatents: [Float]

  private let recipe: Recipe
  private let latent: Int
  private let side: Int
  private let pictureCount: Int
  private var random: TorchRandom

  /// What a step draws.
  public struct StepDraw: Equatable, Sendable {
    /// For each picture whether its columns run from right to left this time.
    public let mirrored: [Bool]
    /// Latents of the fakes that the discriminator sees, `[m, latent]`; `m` may exceed the number
    /// of pictures (``Recipe/LastBatch/shortWithFullLatents``).
    public let latents: [Float]
    /// Latents of the generator's own step, `[m, latent]`; nil where it uses the fakes above.
    public let generatorLatents: [Float]?
    /// What DiffAugment does to the pictures; nil where the recipe has none of it.
    public let changes: BatchChanges?
    /// What the step's instance noise follows from; nil where the recipe has none.
    public let noiseSeed: UInt64?
  }

  /// Draws a run's beginning.
  ///
  /// - Parameters:
  ///   - recipe: Says what is drawn and in which order.
  ///   - shape: Sizes of the networks; its latent size counts, not the recipe's.
  ///   - seed: As `torch.manual_seed` takes it.
  ///   - pictureCount: Pictures that are trained on.
  public init(recipe: Recipe, shape: DCGANShape, seed: Int64, pictureCount: Int) {
    self.recipe = recipe
    latent = shape.latent
    side = shape.side
    self.pictureCount = pictureCount
    random = TorchRandom(seed: seed)
    let normalises = recipe.techniques.discriminatorNorm == .batch
    if recipe.preview { _ = random.loaderOrder(pictureCount) }
    switch recipe.drawingOrder {
    case .tutorial:
      initialGenerator = GeneratorWeights(
        shape: shape, initialisation: recipe.initialisation, random: &random)
      initialDiscriminator = DiscriminatorWeights(
        shape: shape, normalisesFirst: recipe.normalisesFirst, normalises: normalises,
        initialisation: recipe.initialisation, random: &random)
    case .article:
      initialDiscriminator = DiscriminatorWeights(
        shape: shape, normalisesFirst: recipe.normalisesFirst, normalises: normalises,
        initialisation: recipe.initialisation, random: &random)
      initialGenerator = GeneratorWeights(
        shape: shape, initialisation: recipe.initialisation, random: &random)
      // The notebook tries its generator on a batch.
      _ = random.normal(count: recipe.batch * shape.latent)
    }
    fixedLatents = random.normal(count: 64 * shape.latent)
  }

  /// The order of the pictures in the epoch that begins now.
  public mutating func epochOrder() -> [Int] { random.loaderOrder(pictureCount) }

  /// What the next step draws.
  ///
  /// - Parameter pictureCount: Real pictures of the step: a batch, or what is left of an epoch.
  public mutating func draw(pictureCount: Int) -> StepDraw {
    let mirrored =
      recipe.mirror
      ? mirrorings(count: pictureCount) : [Bool](repeating: false, count: pictureCount)
    let count = recipe.lastBatch == .shortWithFullLatents ? recipe.batch : pictureCount
    let latents = latents(count: count)
    let generatorLatents = recipe.freshLatents ? self.latents(count: count) : nil
    let changes =
      recipe.techniques.augmentation.isEmpty
      ? nil
      : BatchChanges(
        real: changes(count: pictureCount), fake: changes(count: count),
        own: changes(count: count))
    return StepDraw(
      mirrored: mirrored, latents: latents, generatorLatents: generatorLatents, changes: changes,
      noiseSeed: recipe.techniques.hasNoise ? random.next64() : nil)
  }

  /// What DiffAugment does to each of some pictures.
  private mutating func changes(count: Int) -> [PictureChange] {
    (0..<count).map { _ in recipe.techniques.augmentation.drawn(side: side, from: &random) }
  }

  /// For each of some pictures whether it is mirrored: the top bit of a word each.
  mutating func mirrorings(count: Int) -> [Bool] {
    (0..<count).map { _ in random.next32() >> 31 == 1 }
  }

  /// The numbers of `torch.randn(count, latent, 1, 1)`.
  mutating func latents(count: Int) -> [Float] { random.normal(count: count * latent) }

  /// All that changes from step to step, as `torch.get_rng_state()` gives it, for ``resume(_:)``.
  public var blob: [UInt8] { random.blob }

  /// Goes on where the stream that gave `blob` was.
  ///
  /// - Throws: `TorchRandomError` where the bytes are no state of PyTorch's generator.
  public mutating func resume(_ blob: [UInt8]) throws(TorchRandomError) {
    random = try TorchRandom(blob: blob)
  }
}

// MARK: - New networks

extension GeneratorWeights {
  /// New weights, as PyTorch draws them.
  package init(
    shape: DCGANShape, initialisation: Recipe.Initialisation, random: inout TorchRandom
  ) {
    let channels = shape.generatorChannels
    self.init(
      shape: shape,
      layers: newLayers(
        kernels: zip(channels, channels.dropFirst()).map { [$0, $1, 4, 4] },
        norms: channels.indices.dropFirst().map { $0 <= shape.doublings ? channels[$0] : nil },
        initialisation: initialisation,
        random: &random))
  }
}

extension DiscriminatorWeights {
  /// New weights, as PyTorch draws them.
  package init(
    shape: DCGANShape, normalisesFirst: Bool, normalises: Bool = true,
    initialisation: Recipe.Initialisation, random: inout TorchRandom
  ) {
    let channels = shape.discriminatorChannels
    self.init(
      shape: shape, normalisesFirst: normalises && normalisesFirst, normalises: normalises,
      layers: newLayers(
        kernels: zip(channels, channels.dropFirst()).map { [$1, $0, 4, 4] },
        norms: channels.indices.dropFirst().map { index in
          normalises && index <= shape.doublings && (index > 1 || normalisesFirst)
            ? channels[index] : nil
        },
        hasBiases: !normalises, initialisation: initialisation, random: &random))
  }
}

/// Layers in the order in which PyTorch makes them: first every layer draws its kernel for itself
/// (`kaiming_uniform_` with a = √5), then, with `.dcgan`, the tutorial's `weights_init` goes over
/// them and draws kernels and scales anew.
private func newLayers(
  kernels: [[Int]], norms: [Int?], hasBiases: Bool = false, initialisation: Recipe.Initialisation,
  random: inout TorchRandom
) -> [LayerWeights] {
  var layers: [LayerWeights] = []
  for (index, (shape, channels)) in zip(kernels, norms).enumerated() {
    var kernel = Tensor(zeros: shape)
    // A discriminator's kernel counts first what it puts out.
    var bias =
      hasBiases && index < kernels.count - 1 ? [Float](repeating: 0, count: shape[0]) : nil
    switch initialisation {
    case .dcgan:
      random.skip(words: kernel.values.count + (bias?.count ?? 0))
    case .torchDefault:
      // The same doubles as in torch.nn.init, which round in this order and not as 1/√fan does.
      let gain = (2 / (1 + 5.0.squareRoot() * 5.0.squareRoot())).squareRoot()
      let fan = Double(shape[1] * 16)
      let bound = 3.0.squareRoot() * (gain / fan.squareRoot())
      kernel.values = random.uniforms(count: kernel.values.count, from: -bound, to: bound)
      // The bias's bound is 1/√fan outright.
      let reach = 1 / fan.squareRoot()
      bias = bias.map { random.uniforms(count: $0.count, from: -reach, to: reach) }
    }
    layers.append(
      LayerWeights(kernel: kernel, bias: bias, norm: channels.map { NormWeights(channels: $0) }))
  }
  if initialisation == .dcgan {
    for index in layers.indices {
      layers[index].kernel.values = random.normal(
        count: layers[index].kernel.values.count, mean: 0, std: 0.02)
      if let channels = layers[index].norm?.channels {
        layers[index].norm?.scale = random.normal(count: channels, mean: 1, std: 0.02)
      }
    }
  }
  return layers
}
