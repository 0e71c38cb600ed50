import BollyGANCompute
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
  /// The gradients to `raw`, with margin 1; until ``NormGradientSums/finish(_:_:)`` those behind the activations.
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
      let before: FastLoops.Company? =
        index == 0 ? nil : { self.activate(self.layers[index - 1], index - 1, images: $0) }
      guard let norm = layer.norm else {
        loops.up(
          layer, from: maps[index], toPictures: pictures, images: images, tanh: true,
          before: before)
        continue
      }
      let moments =
        statistics == .running
        ? nil : ChannelMoments(of: raw[index], layout: link.fineLayout(margin: 0), images: images)
      loops.up(
        layer, from: maps[index], to: raw[index], margin: 0, images: images,
        precisely: layer.forwardsPrecisely, before: before,
        after: moments.map { moments in
          { [loops] in moments.take($0, loops) }
        })
      if let moments {
        norm.begin(moments, updatesRunning: statistics == .batch)
      } else {
        norm.beginEvaluation()
      }
    }
  }

  /// Makes what the next layer reads of some pictures.
  private func activate(_ layer: FastLayer, _ index: Int, images: Range<Int>) {
    let link = layer.link
    layer.norm!.activate(
      raw[index], layout: link.fineLayout(margin: 0), to: maps[index + 1],
      target: link.fineLayout(margin: 1), images: images, slope: 0, loops: loops)
  }

  /// All parameters' gradients from the gradient of the last ``forward``'s pictures (margin 1,
  /// overwritten).
  func backward(pictures: FloatBuffer, gradient: FloatBuffer, images: Int) {
    if gradients.isEmpty {
      gradients = layers.dropLast().map {
        scratch.map($0.link.fineLayout(margin: 1), images: capacity)
      }
    }
    loops.tanhBackward(
      pictures: pictures, gradient: gradient, layout: pictureLayout, images: images)
    // A layer's gradient is ready when the layer before it has read it, so weights come last.
    var sums: NormGradientSums?
    for index in layers.indices.reversed() {
      let layer = layers[index]
      let fine = index == layers.count - 1 ? gradient : gradients[index]
      var before: FastLoops.Company?
      if let norm = layer.norm, let taken = sums {
        norm.beginBackward(taken, accumulates: false)
        before = { [loops] in taken.finish($0, loops) }
      }
      if index > 0 {
        let below = layers[index - 1].link
        let next = NormGradientSums(
          layers[index - 1].norm!, values: raw[index - 1], layout: below.fineLayout(margin: 0),
          gradient: gradients[index - 1], target: below.fineLayout(margin: 1), images: images,
          slope: 0)
        loops.down(
          layer, from: fine, to: gradients[index - 1], margin: 1, images: images, before: before,
          after: { [loops] in next.take($0, loops) })
        sums = next
      } else {
        loops.eachPicture(images, before)
      }
      loops.weightGradient(
        layer, coarse: maps[index], coarseMargin: 1, fine: fine, images: images,
        accumulates: false)
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
  /// What a forward pass leaves for its backward pass.
  private struct Record {
    /// `maps[l]` is what layer l + 1 reads, with margin 1; `raw[l]` what layer l's product gave.
    var maps: [FloatBuffer]
    var raw: [FloatBuffer]
    /// Batch statistics of each layer's normalisation.
    var statistics: [BatchStatistics?]
  }
  private var records: [Record] = []
  /// The record of the last forward pass, or the one selected since.
  private var current = 0
  private var maps: [FloatBuffer] { records[current].maps }
  private var raw: [FloatBuffer] { records[current].raw }
  /// The gradients to `raw`, with margin 1; until ``NormGradientSums/finish(_:_:)`` those behind the activations.
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

  /// Makes room for batches of that size; forgets all forward passes where there was less.
  func reserve(_ images: Int) {
    guard images > capacity else { return }
    capacity = images
    let inner = layers.dropLast()
    records = []
    gradients = inner.map { scratch.map($0.link.coarseLayout(margin: 1), images: images) }
    logits = FloatBuffer(count: images * layers[layers.count - 1].link.coarseStride)
    logitGradients = FloatBuffer(count: logits.count)
    tangents = []
  }

  /// Makes the numbered forward pass the one that backward passes belong to. A network that is given
  /// two batches before it goes back needs two records.
  func select(record index: Int) {
    while records.count <= index {
      let inner = layers.dropLast()
      records.append(
        Record(
          maps: inner.map {
            FloatBuffer(count: capacity * $0.link.coarseLayout(margin: 1).imageStride)
          },
          raw: inner.map {
            FloatBuffer(count: capacity * $0.link.coarseLayout(margin: 0).imageStride)
          },
          statistics: layers.map { layer in
            layer.norm.map { records.isEmpty ? $0.statistics : $0.newStatistics() }
          }))
    }
    current = index
    for (layer, statistics) in zip(layers, records[index].statistics) {
      if let statistics { layer.norm?.statistics = statistics }
    }
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
      let last = index == layers.count - 1
      let fine = index == 0 ? scratch : tangents[index - 1]
      loops.weightGradient(
        layer, coarse: last ? logitGradients : gradients[index], coarseMargin: 1, fine: fine,
        images: images, accumulates: true)
      guard layer.norm != nil else { continue }
      let sums = sums(index, gradient: tangents[index], images: images)
      loops.down(
        layer, from: fine, to: tangents[index], margin: 1, images: images, before: nil,
        after: { [loops] in sums.finish($0, loops) })
    }
    return weight / 2 * squares / Double(images)
  }

  /// The way back through what stands behind layer `index`, for a gradient with margin 1.
  private func sums(_ index: Int, gradient: FloatBuffer, images: Int) -> NormGradientSums {
    let link = layers[index].link
    return NormGradientSums(
      layers[index].norm!, values: raw[index], layout: link.coarseLayout(margin: 0),
      gradient: gradient, target: link.coarseLayout(margin: 1), images: images, slope: Self.slope)
  }

  /// The logits of pictures (margin 1), remembered in the numbered record.
  func forward(_ pictures: FloatBuffer, images: Int, record: Int = 0) -> [Float] {
    reserve(images)
    select(record: record)
    for (index, layer) in layers.enumerated() {
      let before: FastLoops.Company? =
        index == 0 ? nil : { self.activate(self.layers[index - 1], index - 1, images: $0) }
      let moments =
        layer.norm?.normalises == true
        ? ChannelMoments(
          of: raw[index], layout: layer.link.coarseLayout(margin: 0), images: images)
        : nil
      loops.down(
        layer, from: index == 0 ? pictures : maps[index - 1],
        to: layer.norm == nil ? logits : raw[index], margin: 0, images: images,
        precisely: layer.forwardsPrecisely, before: before,
        after: moments.map { moments in
          { [loops] in moments.take($0, loops) }
        })
      if let moments { layer.norm!.begin(moments, updatesRunning: true) }
    }
    let stride = layers[layers.count - 1].link.coarseStride
    return (0..<images).map { unsafe logits.base[$0 * stride] }
  }

  /// Makes what the next layer reads of some pictures.
  private func activate(_ layer: FastLayer, _ index: Int, images: Range<Int>) {
    let link = layer.link
    layer.norm!.activate(
      raw[index], layout: link.coarseLayout(margin: 0), to: maps[index],
      target: link.coarseLayout(margin: 1), images: images, slope: Self.slope,
      loops: loops)
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
    func isSummed(_ norm: FastNorm) -> Bool {
      norm.normalises || (norm.kind == .bias && accumulates != nil)
    }
    // A layer's gradient is ready when the layer before it has read it, so weights come last.
    var taken: NormGradientSums?
    for index in layers.indices.reversed() {
      let layer = layers[index]
      let coarse = index == layers.count - 1 ? logitGradients : gradients[index]
      var before: FastLoops.Company?
      if let norm = layer.norm, let taken {
        if isSummed(norm) { norm.beginBackward(taken, accumulates: accumulates) }
        before = { [loops] in taken.finish($0, loops) }
      }
      if index > 0 {
        let norm = layers[index - 1].norm!
        let next = sums(index - 1, gradient: gradients[index - 1], images: images)
        loops.up(
          layer, from: coarse, to: gradients[index - 1], margin: 1, images: images,
          before: before,
          after: !isSummed(norm) ? nil : { [loops] in next.take($0, loops) })
        taken = next
      } else if let pictureGradient {
        loops.up(
          layer, from: coarse, toPictures: pictureGradient, images: images, tanh: false,
          before: before)
      } else {
        loops.eachPicture(images, before)
      }
      if let accumulates {
        loops.weightGradient(
          layer, coarse: coarse, coarseMargin: 1, fine: index == 0 ? pictures : maps[index - 1],
          images: images, accumulates: accumulates)
      }
    }
  }

  var parameters: [FastParameter] { layers.flatMap(\.parameters) }
}
