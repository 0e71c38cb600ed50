import BollyGANCompute
import BollyGANModel

/// A discriminator in training: images down to logits, gradients up to weights or to images.
final class FastDiscriminator: FastNetwork {
  private let shape: DCGANShape
  private let normalisesFirst: Bool
  private let normalises: Bool
  private var logits = FloatBuffer(count: 0)
  private var logitGradient = FloatBuffer(count: 0)
  /// What layer l + 1 reads during ``addSlopePenalty(images:weight:scratch:)``.
  private var tangents: [FloatBuffer] = []

  /// LeakyReLU's slope where its input is negative.
  private static let slope = Float(DiscriminatorWeights.leakySlope)

  init(
    _ weights: DiscriminatorWeights, isSpectral: Bool,
    convolutions: TrainingConfiguration.Convolutions, loops: FastLoops, scratch: FastScratch
  ) {
    shape = weights.shape
    normalisesFirst = weights.normalisesFirst
    normalises = weights.normalises
    super.init(
      name: "discriminator", links: StridedLink.discriminator(shape), direction: .down,
      norms: (0..<shape.doublings).map { index in
        !weights.normalises
          ? .bias : index > 0 || weights.normalisesFirst ? .batch : .identity
      }, slope: Self.slope, isSpectral: isSpectral, convolutions: convolutions, loops: loops,
      scratch: scratch)
    load(weights)
  }

  /// Loads weights.
  ///
  /// - Parameter spectral: vectors of spectral normalisation, by kernel; nil for new kernels.
  func load(_ weights: DiscriminatorWeights, spectral: [String: SpectralVectors]? = nil) {
    for (layer, loaded) in zip(layers, weights.layers) {
      layer.weights = loaded
      guard let norm = layer.spectral else { continue }
      guard let spectral else {
        norm.begin(layer.kernel.weight)
        continue
      }
      guard let vectors = spectral[layer.kernel.name] else {
        preconditionFailure("the state has no spectral vectors for \(layer.kernel.name)")
      }
      norm.load(vectors)
    }
    refresh()
  }

  /// A copy of all weights.
  var weights: DiscriminatorWeights {
    DiscriminatorWeights(
      shape: shape, normalisesFirst: normalisesFirst, normalises: normalises,
      layers: layers.map(\.weights))
  }

  /// The vectors of spectral normalisation, by kernel.
  var spectral: [String: SpectralVectors] {
    Dictionary(
      uniqueKeysWithValues: layers.compactMap { layer in
        layer.spectral.map { (layer.kernel.name, $0.vectors) }
      })
  }

  override func allocate(_ images: Int) {
    super.allocate(images)
    logits = FloatBuffer(count: images * last.link.coarseStride)
    logitGradient = FloatBuffer(count: logits.count)
    tangents = []
  }

  /// Returns the logits of images, and keeps the activations in the record of the given number.
  func forward(_ images: ImageBatch, record: Int = 0) -> [Float] {
    reserve(images.count)
    select(record: record)
    for index in layers.indices {
      forward(
        index, from: index == 0 ? images.values : maps[index - 1],
        to: index == layers.count - 1 ? logits : raw[index], images: images.count,
        statistics: .batch)
    }
    return (0..<images.count).map { logits[$0 * last.link.coarseStride] }
  }

  /// Computes gradients from the gradient with respect to the logits of a forward pass.
  ///
  /// - Parameters:
  ///   - gradient: with respect to the logits.
  ///   - images: what that pass read.
  ///   - record: where that pass kept its activations.
  ///   - accumulates: true adds to the parameters' gradients, false overwrites them, nil computes
  ///     none.
  ///   - imageGradient: where the gradient with respect to the images goes, if wanted.
  func backward(
    _ gradient: [Float], images: ImageBatch, record: Int = 0, toParameters accumulates: Bool?,
    toImages imageGradient: FloatBuffer? = nil
  ) {
    select(record: record)
    for (image, value) in gradient.enumerated() {
      logitGradient[image * last.link.coarseStride] = value
    }
    backward(
      input: images.values, outputGradient: logitGradient, images: images.count,
      toParameters: accumulates, toImages: imageGradient)
  }

  /// Adds the gradients of R1, weight/2 times the mean of |∇D|² over the images, to the kernels'
  /// gradients. ``PlainNetwork/slopePenalty(records:count:weight:)`` derives them.
  ///
  /// - Parameters:
  ///   - images: what the selected forward pass read.
  ///   - scratch: memory for the same number of images, overwritten.
  /// - Returns: The penalty.
  /// - Precondition: the discriminator has no batch normalisation.
  func addSlopePenalty(images: ImageBatch, weight: Double, scratch: FloatBuffer) -> Double {
    precondition(!normalises, "R1 needs a discriminator without batch normalisation")
    if tangents.isEmpty { tangents = layers.dropLast().map { buffer($0.outputLayout(margin: 1)) } }
    let count = images.count
    for image in 0..<count { logitGradient[image * last.link.coarseStride] = 1 }
    backward(
      input: images.values, outputGradient: logitGradient, images: count, toParameters: nil,
      toImages: scratch)
    let squares = loops.scaleAndSquare(
      ImageBatch(values: scratch, count: count), by: Float(weight / Double(count)),
      layout: layers[0].link.fineLayout(margin: 1))
    for (index, layer) in layers.enumerated() {
      let isLast = index == layers.count - 1
      let tangent = index == 0 ? scratch : tangents[index - 1]
      loops.weightGradient(
        layer, input: tangent, outputGradient: isLast ? logitGradient : gradients[index],
        images: count, accumulates: true)
      guard !isLast else { break }
      let sums = normGradientSums(index, gradient: tangents[index], images: count)
      loops.run(
        layer, .down, from: tangent, to: tangents[index], margin: 1, images: count, before: nil,
        after: { [loops] in sums.finish($0, loops) })
    }
    return weight / 2 * squares / Double(count)
  }

  /// Turns gradients with respect to the divided kernels into gradients with respect to the trained
  /// ones.
  func finishGradients() {
    for layer in layers { layer.spectral?.backward(layer.kernel.gradient) }
  }
}
