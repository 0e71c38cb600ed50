import BollyGANModel

/// All random numbers of a run: its initial weights, and the numbers of its steps.
///
/// They come from one seed through PyTorch's generator, in the order of the recipe's script
/// (``Recipe/DrawingOrder``). So a run of `tutorial` with seed 999 starts with the same bits as the
/// tutorial's script with `manualSeed = 999`, and continues with the same batches and latents.
///
/// An epoch starts with ``epochOrder()``. Each step draws, with ``draw(pictureCount:)``:
///
/// 1. one word per image, if the recipe mirrors;
/// 2. the latents of the discriminator's step;
/// 3. the latents of the generator's step, if the recipe has separate ones;
/// 4. DiffAugment's changes, image by image: of the real images, of the generated ones, and of
///    those in the generator's step;
/// 5. two words for instance noise.
///
/// - Note: The article's notebook generates images before and between the epochs in training mode,
///   which moves the running statistics. They do not affect training, so we leave that out.
public struct TrainingStream: Sendable {
  /// The generator before its first step.
  public let initialGenerator: GeneratorWeights
  /// The discriminator before its first step.
  public let initialDiscriminator: DiscriminatorWeights
  /// Latents `[64, latent]` of the sample grids.
  public let fixedLatents: [Float]

  private let recipe: Recipe
  private let latent: Int
  private let side: Int
  private let pictureCount: Int
  private var random: TorchRandom

  /// The random numbers of one step.
  public struct StepDraw: Equatable, Sendable {
    /// For each real image, whether it is mirrored.
    public let mirrored: [Bool]
    /// Latents `[m, latent]` of the discriminator's step; `m` may exceed the number of real images
    /// (``Recipe/LastBatch/shortWithFullLatents``).
    public let latents: [Float]
    /// Latents `[m, latent]` of the generator's step; nil if it uses ``latents`` again.
    public let generatorLatents: [Float]?
    /// DiffAugment's changes; nil if the recipe has none.
    public let changes: BatchChanges?
    /// Seed of the step's instance noise; nil if the recipe has none.
    public let noiseSeed: UInt64?
  }

  /// Draws the initial weights and the fixed latents of a run.
  ///
  /// - Parameters:
  ///   - recipe: what is drawn, and in which order.
  ///   - shape: shape of the networks. Its latent size is used, not the recipe's.
  ///   - seed: a seed as `torch.manual_seed` takes it.
  ///   - pictureCount: number of training images.
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
      // The notebook tries its generator on one batch.
      _ = random.normal(count: recipe.batch * shape.latent)
    }
    fixedLatents = random.normal(count: 64 * shape.latent)
  }

  /// Draws the order of the images in the next epoch.
  public mutating func epochOrder() -> [Int] { random.loaderOrder(pictureCount) }

  /// Draws the numbers of the next step.
  ///
  /// - Parameter pictureCount: real images of the step: a batch, or the rest of an epoch.
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
        generator: changes(count: count))
    return StepDraw(
      mirrored: mirrored, latents: latents, generatorLatents: generatorLatents, changes: changes,
      noiseSeed: recipe.techniques.hasNoise ? random.next64() : nil)
  }

  /// Draws DiffAugment's changes of a batch.
  private mutating func changes(count: Int) -> [PictureChange] {
    (0..<count).map { _ in recipe.techniques.augmentation.drawn(side: side, from: &random) }
  }

  /// Draws for each image whether it is mirrored: the top bit of a word.
  mutating func mirrorings(count: Int) -> [Bool] {
    (0..<count).map { _ in random.next32() >> 31 == 1 }
  }

  /// Draws the numbers of `torch.randn(count, latent, 1, 1)`.
  mutating func latents(count: Int) -> [Float] { random.normal(count: count * latent) }

  /// The state of the random numbers as `torch.get_rng_state()` returns it, for ``resume(_:)``.
  public var blob: [UInt8] { random.blob }

  /// Continues where the stream that returned `blob` was.
  ///
  /// - Throws: `TorchRandomError` if the bytes are not a state of PyTorch's generator.
  public mutating func resume(_ blob: [UInt8]) throws(TorchRandomError) {
    random = try TorchRandom(blob: blob)
  }
}

// MARK: - New networks

extension GeneratorWeights {
  /// Draws new weights as PyTorch does.
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
  /// Draws new weights as PyTorch does.
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

/// Draws layers in PyTorch's order: first each layer's default kernel (`kaiming_uniform_` with
/// a = √5), then, for `.dcgan`, the kernels and scales of the tutorial's `weights_init`, which
/// replace them.
private func newLayers(
  kernels: [[Int]], norms: [Int?], hasBiases: Bool = false, initialisation: Recipe.Initialisation,
  random: inout TorchRandom
) -> [LayerWeights] {
  var layers: [LayerWeights] = []
  for (index, (shape, channels)) in zip(kernels, norms).enumerated() {
    var kernel = Tensor(zeros: shape)
    // A discriminator's kernel has its output channels first.
    var bias =
      hasBiases && index < kernels.count - 1 ? [Float](repeating: 0, count: shape[0]) : nil
    switch initialisation {
    case .dcgan:
      random.skip(words: kernel.values.count + (bias?.count ?? 0))
    case .torchDefault:
      // The doubles of torch.nn.init, which are rounded in this order, not as 1/√fan.
      let gain = (2 / (1 + 5.0.squareRoot() * 5.0.squareRoot())).squareRoot()
      let fan = Double(shape[1] * 16)
      let bound = 3.0.squareRoot() * (gain / fan.squareRoot())
      kernel.values = random.uniforms(count: kernel.values.count, from: -bound, to: bound)
      // The bias's bound is 1/√fan itself.
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
