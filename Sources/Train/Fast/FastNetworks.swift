import BollyGANInfer
import BollyGANKernels
import BollyGANModel

/// A generator in training: latents up to pictures, gradients down to weights.
final class FastGenerator {
  let shape: DCGANShape
  let layers: [FastLayer]
  let loops: FastLoops
  private let scratch: FastScratch
  /// `maps[l]` is what layer l reads, with margin 1; `raw[l]` what its product gave.
  private var maps: [FloatBuffer] = []
  private var raw: [FloatBuffer] = []
  private var rawGradients: [FloatBuffer] = []
  private var gradients: [FloatBuffer] = []
  private var capacity = 0

  init(
    _ weights: GeneratorWeights, loops: FastLoops, scratch: FastScratch,
    convolutions: TrainingConfiguration.Convolutions
  ) {
    shape = weights.shape
    self.loops = loops
    self.scratch = scratch
    layers = StridedLink.generator(weights.shape).enumerated().map { index, link in
      unsafe FastLayer(
        link: link,
        norm: index == weights.shape.doublings
          ? nil
          : FastNorm(
            channels: link.fineChannels, stride: link.fineStride, kind: .batch),
        kernels: loops.kernels, convolutions: convolutions)
    }
    load(weights)
  }

  func load(_ weights: GeneratorWeights) {
    for (layer, loaded) in zip(layers, weights.layers) { layer.load(loaded) }
    refresh()
  }

  var weights: GeneratorWeights {
    GeneratorWeights(
      shape: shape,
      layers: layers.map {
        $0.weights(kernelShape: [$0.link.coarseChannels, $0.link.fineChannels, 4, 4])
      })
  }

  func refresh() { for layer in layers { layer.refresh(loops) } }

  private var last: FastLayer { layers[layers.count - 1] }

  /// How its pictures lie.
  var pictureLayout: MapLayout { last.link.fineLayout(margin: 1) }

  private func reserve(_ images: Int) {
    guard images > capacity else { return }
    capacity = images
    maps = layers.map {
      FloatBuffer(count: images * $0.link.coarseLayout(margin: 1).imageStride)
    }
    raw = layers.dropLast().map {
      FloatBuffer(count: images * $0.link.fineLayout(margin: 0).imageStride)
    }
    gradients = []
    rawGradients = []
  }

  enum Statistics { case batch, batchUntracked, running }

  /// Draws pictures (margin 1) from latents `[images, latent]`.
  func forward(_ latents: [Float], into pictures: FloatBuffer, statistics: Statistics) {
    let images = latents.count / shape.latent
    reserve(images)
    let stride = layers[0].link.coarseStride
    for image in 0..<images {
      for index in 0..<shape.latent {
        unsafe maps[0].base[image * stride + index] = latents[image * shape.latent + index]
      }
    }
    for (index, layer) in layers.enumerated() {
      let link = layer.link
      guard let norm = layer.norm else {
        loops.up(layer, from: maps[index], toPictures: pictures, images: images, tanh: true)
        continue
      }
      loops.up(
        layer, from: maps[index], to: raw[index], images: images,
        precisely: layer.forwardsPrecisely)
      let layout = link.fineLayout(margin: 0)
      if statistics == .running {
        norm.beginEvaluation()
      } else {
        let (mean, deviation) = loops.statistics(of: raw[index], layout: layout, images: images)
        norm.begin(
          mean: mean, deviation: deviation, count: images * layout.pixels,
          updatesRunning: statistics == .batch)
      }
      loops.activate(
        norm, from: raw[index], layout: layout, to: maps[index + 1],
        target: link.fineLayout(margin: 1), images: images, slope: 0)
    }
  }

  /// All parameters' gradients from the gradient of the last ``forward``'s pictures (margin 1,
  /// overwritten).
  func backward(pictures: FloatBuffer, gradient: FloatBuffer, images: Int) {
    if gradients.isEmpty {
      let inner = layers.dropLast()
      let largest = inner.map { $0.link.fineLayout(margin: 0).imageStride }.max() ?? 0
      gradients = inner.map { _ in scratch.map(count: capacity * largest) }
      rawGradients = inner.map { scratch.map($0.link.fineLayout(margin: 1), images: capacity) }
    }
    loops.tanhBackward(
      pictures: pictures, gradient: gradient, layout: pictureLayout, images: images)
    for index in layers.indices.reversed() {
      let layer = layers[index]
      let link = layer.link
      let fine = index == layers.count - 1 ? gradient : rawGradients[index]
      if let norm = layer.norm {
        loops.activateBackward(
          norm, values: raw[index], gradient: gradients[index],
          layout: link.fineLayout(margin: 0), to: fine, target: link.fineLayout(margin: 1),
          images: images, slope: 0, accumulates: false)
      }
      loops.weightGradient(
        layer, coarse: maps[index], coarseMargin: 1, fine: fine, images: images,
        accumulates: false)
      if index > 0 { loops.down(layer, from: fine, to: gradients[index - 1], images: images) }
    }
  }

  var parameters: [FastParameter] { layers.flatMap(\.parameters) }
}

/// A discriminator in training: pictures down to logits, gradients up to weights or to pictures.
final class FastDiscriminator {
  let shape: DCGANShape
  let normalisesFirst: Bool
  let normalises: Bool
  let layers: [FastLayer]
  let loops: FastLoops
  private let scratch: FastScratch
  /// `maps[l]` is what layer l + 1 reads, with margin 1; `raw[l]` what layer l's product gave.
  private var maps: [FloatBuffer] = []
  private var raw: [FloatBuffer] = []
  private var rawGradients: [FloatBuffer] = []
  private var gradients: [FloatBuffer] = []
  /// What layer l + 1 reads on the way of ``addSlopePenalty``; as ``maps``.
  private var tangents: [FloatBuffer] = []
  private var logits = FloatBuffer(count: 0)
  private var logitGradients = FloatBuffer(count: 0)
  private var capacity = 0

  /// What LeakyReLU makes of negative values.
  static let slope: Float = 0.2

  init(
    _ weights: DiscriminatorWeights, isSpectral: Bool, loops: FastLoops, scratch: FastScratch,
    convolutions: TrainingConfiguration.Convolutions
  ) {
    shape = weights.shape
    normalisesFirst = weights.normalisesFirst
    normalises = weights.normalises
    self.loops = loops
    self.scratch = scratch
    layers = StridedLink.discriminator(weights.shape).enumerated().map { index, link in
      unsafe FastLayer(
        link: link,
        norm: index == weights.shape.doublings
          ? nil
          : FastNorm(
            channels: link.coarseChannels, stride: link.coarseStride,
            kind: !weights.normalises
              ? .bias : index > 0 || weights.normalisesFirst ? .batch : .none),
        kernels: loops.kernels, convolutions: convolutions,
        spectral: isSpectral ? FastSpectral(link: link, workers: loops.workers) : nil)
    }
    load(weights)
  }

  /// Takes over weights, and the vectors of their spectral normalisation where they are not new.
  func load(_ weights: DiscriminatorWeights, spectral: [SpectralVectors] = []) {
    for (index, (layer, loaded)) in zip(layers, weights.layers).enumerated() {
      layer.load(loaded)
      if spectral.isEmpty {
        layer.spectral?.begin(layer.kernel.weight)
      } else {
        layer.spectral?.load(spectral[index], layer.link)
      }
    }
    refresh()
  }

  /// After an update: another round for the largest singular values, and kernels made ready.
  func refreshUpdated() {
    for layer in layers { layer.spectral?.iterate(layer.kernel.weight) }
    refresh()
  }

  /// Turns gradients to the kernels that were used into those to the kernels that are trained.
  func finishGradients() {
    for layer in layers { layer.spectral?.backward(layer.kernel.gradient) }
  }

  var weights: DiscriminatorWeights {
    DiscriminatorWeights(
      shape: shape, normalisesFirst: normalisesFirst, normalises: normalises,
      layers: layers.map {
        $0.weights(kernelShape: [$0.link.coarseChannels, $0.link.fineChannels, 4, 4])
      })
  }

  func refresh() { for layer in layers { layer.refresh(loops) } }

  private func reserve(_ images: Int) {
    guard images > capacity else { return }
    capacity = images
    let inner = layers.dropLast()
    raw = inner.map { FloatBuffer(count: images * $0.link.coarseLayout(margin: 0).imageStride) }
    maps = inner.map { FloatBuffer(count: images * $0.link.coarseLayout(margin: 1).imageStride) }
    let largest = inner.map { $0.link.coarseLayout(margin: 0).imageStride }.max() ?? 0
    gradients = inner.map { _ in scratch.map(count: images * largest) }
    rawGradients = inner.map { scratch.map($0.link.coarseLayout(margin: 1), images: images) }
    logits = FloatBuffer(count: images * layers[layers.count - 1].link.coarseStride)
    logitGradients = FloatBuffer(count: logits.count)
    tangents = []
  }

  /// Adds to the kernels' gradients that of the penalty on the slope at the last ``forward``'s
  /// pictures, as ``PlainNetwork/slopePenalty(records:count:weight:)`` explains it.
  ///
  /// - Parameter scratch: for pictures (margin 1), overwritten.
  /// - Returns: The penalty.
  func addSlopePenalty(pictures: FloatBuffer, images: Int, weight: Double, scratch: FloatBuffer)
    -> Double
  {
    precondition(!normalises, "the penalty is for networks that normalise nothing")
    if tangents.isEmpty {
      tangents = layers.dropLast().map {
        FloatBuffer(count: capacity * $0.link.coarseLayout(margin: 1).imageStride)
      }
    }
    backward(
      pictures: pictures, logitGradient: [Float](repeating: 1, count: images), toParameters: nil,
      toPictures: scratch)
    let squares = loops.scaleAndSquare(
      scratch, by: Float(weight / Double(images)), layout: layers[0].link.fineLayout(margin: 1),
      images: images)
    for (index, layer) in layers.enumerated() {
      let link = layer.link
      let last = index == layers.count - 1
      let fine = index == 0 ? scratch : tangents[index - 1]
      loops.weightGradient(
        layer, coarse: last ? logitGradients : rawGradients[index], coarseMargin: 1, fine: fine,
        images: images, accumulates: true)
      guard let norm = layer.norm else { continue }
      loops.down(layer, from: fine, to: gradients[index], images: images)
      loops.activateBackward(
        norm, values: raw[index], gradient: gradients[index], layout: link.coarseLayout(margin: 0),
        to: tangents[index], target: link.coarseLayout(margin: 1), images: images,
        slope: Self.slope, accumulates: nil)
    }
    return weight / 2 * squares / Double(images)
  }

  /// The logits of pictures (margin 1).
  func forward(_ pictures: FloatBuffer, images: Int) -> [Float] {
    reserve(images)
    for (index, layer) in layers.enumerated() {
      let link = layer.link
      let source = index == 0 ? pictures : maps[index - 1]
      loops.down(
        layer, from: source, to: layer.norm == nil ? logits : raw[index], images: images,
        precisely: layer.forwardsPrecisely)
      guard let norm = layer.norm else { continue }
      let layout = link.coarseLayout(margin: 0)
      if norm.normalises {
        let (mean, deviation) = loops.statistics(of: raw[index], layout: layout, images: images)
        norm.begin(
          mean: mean, deviation: deviation, count: images * layout.pixels, updatesRunning: true)
      }
      loops.activate(
        norm, from: raw[index], layout: layout, to: maps[index],
        target: link.coarseLayout(margin: 1), images: images, slope: Self.slope)
    }
    let stride = layers[layers.count - 1].link.coarseStride
    return (0..<images).map { unsafe logits.base[$0 * stride] }
  }

  /// The gradients of the last ``forward``, from those of its logits: to all parameters (adding to
  /// what is there where `accumulates`), or to the pictures alone.
  func backward(
    pictures: FloatBuffer, logitGradient: [Float], toParameters accumulates: Bool?,
    toPictures pictureGradient: FloatBuffer? = nil
  ) {
    let images = logitGradient.count
    let stride = layers[layers.count - 1].link.coarseStride
    for (image, value) in logitGradient.enumerated() {
      unsafe logitGradients.base[image * stride] = value
    }
    for index in layers.indices.reversed() {
      let layer = layers[index]
      let link = layer.link
      let last = index == layers.count - 1
      let coarse = last ? logitGradients : rawGradients[index]
      if let norm = layer.norm {
        loops.activateBackward(
          norm, values: raw[index], gradient: gradients[index],
          layout: link.coarseLayout(margin: 0), to: coarse,
          target: link.coarseLayout(margin: 1), images: images, slope: Self.slope,
          accumulates: accumulates)
      }
      if let accumulates {
        loops.weightGradient(
          layer, coarse: coarse, coarseMargin: 1, fine: index == 0 ? pictures : maps[index - 1],
          images: images, accumulates: accumulates)
      }
      if index > 0 {
        loops.up(layer, from: coarse, to: gradients[index - 1], images: images)
      } else if let pictureGradient {
        loops.up(layer, from: coarse, toPictures: pictureGradient, images: images, tanh: false)
      }
    }
  }

  var parameters: [FastParameter] { layers.flatMap(\.parameters) }
}
