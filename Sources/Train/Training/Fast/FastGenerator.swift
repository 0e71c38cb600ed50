import BollyGANCompute
import BollyGANModel

/// A generator in training: latents up to images, gradients down to weights.
final class FastGenerator: FastNetwork {
  private let shape: DCGANShape
  /// What the first layer reads: `[images, latent]`, padded.
  private var latents = FloatBuffer(count: 0)

  init(
    _ weights: GeneratorWeights, convolutions: TrainingConfiguration.Convolutions,
    loops: FastLoops, scratch: FastScratch
  ) {
    shape = weights.shape
    super.init(
      name: "generator", links: StridedLink.generator(shape), direction: .up,
      norms: [FastNorm.Kind](repeating: .batch, count: shape.doublings), slope: 0,
      convolutions: convolutions, loops: loops, scratch: scratch)
    load(weights)
  }

  /// Loads weights.
  func load(_ weights: GeneratorWeights) {
    for (layer, loaded) in zip(layers, weights.layers) { layer.weights = loaded }
    refresh()
  }

  /// A copy of all weights.
  var weights: GeneratorWeights {
    GeneratorWeights(shape: shape, layers: layers.map(\.weights))
  }

  /// Layout of the images, with margin 1.
  var imageLayout: MapLayout { last.outputLayout(margin: 1) }

  override func allocate(_ images: Int) {
    super.allocate(images)
    latents = FloatBuffer(count: images * layers[0].link.coarseStride)
  }

  /// Generates an image for each of the latents `[images, latent]`.
  func forward(
    _ latents: [Float], into images: FloatBuffer, statistics: Statistics = .batch
  ) -> ImageBatch {
    let count = latents.count / shape.latent
    reserve(count)
    select(record: 0)
    for image in 0..<count {
      let start = image * layers[0].link.coarseStride
      self.latents.write(start..<start + shape.latent) { padded in
        for index in padded.indices { padded[index] = latents[image * shape.latent + index] }
      }
    }
    for index in layers.indices.dropLast() {
      forward(
        index, from: index == 0 ? self.latents : maps[index - 1], to: raw[index], images: count,
        statistics: statistics)
    }
    loops.up(
      last, from: maps[maps.count - 1], toImages: images, images: count, tanh: true,
      before: activation(before: layers.count - 1))
    return ImageBatch(values: images, count: count)
  }

  /// Computes all parameters' gradients from the gradient with respect to the last ``forward``'s
  /// images. The gradient is overwritten.
  func backward(images: ImageBatch, gradient: FloatBuffer) {
    loops.tanhBackward(images, gradient: gradient, layout: imageLayout)
    backward(
      input: latents, outputGradient: gradient, images: images.count, toParameters: false)
  }
}
