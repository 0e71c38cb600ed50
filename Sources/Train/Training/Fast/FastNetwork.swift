import BollyGANCompute
import BollyGANModel

/// Images, or gradients with respect to images, in the networks' layout with margin 1.
struct ImageBatch {
  let values: FloatBuffer
  let count: Int
}

/// What the generator and the discriminator have in common: layers, activations, and the passes
/// between the two ends.
class FastNetwork {
  /// `generator` or `discriminator`, for errors.
  let name: String
  let layers: [FastLayer]
  let loops: FastLoops
  /// Updates made by Adam.
  var updates = 0
  /// Slope of the hidden activations where their input is negative.
  private let slope: Float
  private let scratch: FastScratch

  /// What a forward pass keeps for its backward pass.
  private struct Record {
    /// `raw[l]` is the output of layer l's convolution, without margin.
    var raw: [FloatBuffer]
    /// `maps[l]` is the output of layer l's activation, with margin 1: what layer l + 1 reads.
    var maps: [FloatBuffer]
    /// Batch statistics of each layer's normalisation.
    var statistics: [BatchStatistics?]
  }
  private var records: [Record] = []
  /// The record of the last forward pass, or the one selected since.
  private var current = 0
  var raw: [FloatBuffer] { records[current].raw }
  var maps: [FloatBuffer] { records[current].maps }
  /// `gradients[l]` is the gradient with respect to `raw[l]`, with margin 1; until
  /// ``NormGradientSums/finish(_:_:)`` the gradient with respect to `maps[l]`.
  private(set) var gradients: [FloatBuffer] = []
  /// Number of images that memory is allocated for.
  private(set) var capacity = 0

  /// - Parameters:
  ///   - links: one for each layer, in the order of the forward pass.
  ///   - norms: what follows each convolution but the last.
  init(
    name: String, links: [StridedLink], direction: FastLayer.Direction, norms: [FastNorm.Kind],
    slope: Float, isSpectral: Bool = false,
    convolutions: TrainingConfiguration.Convolutions, loops: FastLoops, scratch: FastScratch
  ) {
    self.name = name
    self.slope = slope
    self.loops = loops
    self.scratch = scratch
    // PyTorch numbers convolutions, normalisations and activations as modules in one sequence.
    var module = 0
    layers = links.enumerated().map { index, link in
      let layer = FastLayer(
        link: link, direction: direction, norm: index < norms.count ? norms[index] : nil,
        module: module, isSpectral: isSpectral, convolutions: convolutions, loops: loops)
      module += layer.modules
      return layer
    }
  }

  /// All trained tensors, in the order of a state_dict.
  final var parameters: [FastParameter] { layers.flatMap(\.parameters) }

  final var last: FastLayer { layers[layers.count - 1] }

  /// Reorders all kernels for both passes. Call it after each change of the weights.
  final func refresh() { for layer in layers { layer.refresh(loops) } }

  /// Prepares updated weights for the next pass. Spectrally normalised kernels get one more round
  /// of power iteration.
  final func refreshUpdated() {
    for layer in layers { layer.spectral?.iterate(layer.kernel.weight) }
    refresh()
  }

  // MARK: Memory

  /// Ensures memory for batches of `images`. Growing discards all records.
  final func reserve(_ images: Int) {
    if images > capacity { allocate(images) }
  }

  /// Discards what depends on the batch size. Subclasses allocate both ends of the network.
  func allocate(_ images: Int) {
    capacity = images
    records = []
    gradients = []
  }

  /// Selects the record that the next pass uses. A network needs a second one if two forward passes
  /// precede the first backward pass.
  final func select(record index: Int) {
    while records.count <= index {
      let inner = layers.dropLast()
      records.append(
        Record(
          raw: inner.map { buffer($0.outputLayout(margin: 0)) },
          maps: inner.map { buffer($0.outputLayout(margin: 1)) },
          statistics: layers.map { layer in
            layer.norm.map { records.isEmpty ? $0.statistics : $0.newStatistics() }
          }))
    }
    current = index
    for (layer, statistics) in zip(layers, records[index].statistics) {
      if let statistics { layer.norm?.statistics = statistics }
    }
  }

  final func buffer(_ layout: MapLayout) -> FloatBuffer {
    FloatBuffer(count: capacity * layout.imageStride)
  }

  // MARK: Passes

  /// The source of batch normalisation's mean and variance.
  enum Statistics {
    /// The batch. The running statistics are updated.
    case batch
    /// The batch. The running statistics stay unchanged.
    case batchUntracked
    /// The running statistics.
    case running
  }

  /// The forward pass of one layer's convolution, after the activation of the layer before.
  final func forward(
    _ index: Int, from input: FloatBuffer, to output: FloatBuffer, images: Int,
    statistics: Statistics
  ) {
    let layer = layers[index]
    let norm = layer.norm?.normalises == true ? layer.norm : nil
    let moments =
      norm == nil || statistics == .running
      ? nil
      : ChannelMoments(of: output, layout: layer.outputLayout(margin: 0), images: images)
    loops.run(
      layer, layer.direction, from: input, to: output, margin: 0, images: images,
      precisely: layer.forwardsPrecisely, before: activation(before: index),
      after: moments.map { moments in { [loops] in moments.take($0, loops) } })
    if let moments {
      norm?.begin(moments, updatesRunning: statistics == .batch)
    } else {
      norm?.beginEvaluation()
    }
  }

  /// Computes what layer `index` reads, for part of a batch; nil for the first layer.
  final func activation(before index: Int) -> FastLoops.ImageWork? {
    guard index > 0 else { return nil }
    let layer = layers[index - 1]
    return { [loops, slope, raw = raw[index - 1], map = maps[index - 1]] images in
      layer.norm!.activate(
        raw, layout: layer.outputLayout(margin: 0), to: map,
        target: layer.outputLayout(margin: 1), images: images, slope: slope, loops: loops)
    }
  }

  /// The backward pass of the selected record.
  ///
  /// - Parameters:
  ///   - input: what the first layer read.
  ///   - outputGradient: gradient with respect to the last layer's convolution, with margin 1.
  ///   - accumulates: true adds to the parameters' gradients, false overwrites them, nil computes
  ///     none.
  ///   - imageGradient: where the gradient with respect to a discriminator's images goes.
  final func backward(
    input: FloatBuffer, outputGradient: FloatBuffer, images: Int, toParameters accumulates: Bool?,
    toImages imageGradient: FloatBuffer? = nil
  ) {
    if gradients.isEmpty {
      gradients = layers.dropLast().map {
        scratch.map($0.outputLayout(margin: 1), images: capacity)
      }
    }
    func isSummed(_ norm: FastNorm) -> Bool {
      norm.normalises || (norm.kind == .bias && accumulates != nil)
    }
    // A layer's gradient is finished while the layer before reads it, so weight gradients come
    // last.
    var sums: NormGradientSums?
    for index in layers.indices.reversed() {
      let layer = layers[index]
      let gradient = index == layers.count - 1 ? outputGradient : gradients[index]
      var before: FastLoops.ImageWork?
      if let norm = layer.norm, let sums {
        if isSummed(norm) { norm.beginBackward(sums, accumulates: accumulates) }
        before = { [loops] in sums.finish($0, loops) }
      }
      if index > 0 {
        let next = normGradientSums(index - 1, gradient: gradients[index - 1], images: images)
        loops.run(
          layer, layer.direction.opposite, from: gradient, to: gradients[index - 1], margin: 1,
          images: images, before: before,
          after: isSummed(layers[index - 1].norm!) ? { [loops] in next.take($0, loops) } : nil)
        sums = next
      } else if let imageGradient {
        loops.up(
          layer, from: gradient, toImages: imageGradient, images: images, tanh: false,
          before: before)
      } else {
        loops.eachImage(images, before)
      }
      if let accumulates {
        loops.weightGradient(
          layer, input: index == 0 ? input : maps[index - 1], outputGradient: gradient,
          images: images, accumulates: accumulates)
      }
    }
  }

  /// The backward pass through the activation and the norm of layer `index`.
  final func normGradientSums(
    _ index: Int, gradient: FloatBuffer, images: Int
  ) -> NormGradientSums {
    let layer = layers[index]
    return NormGradientSums(
      layer.norm!, values: raw[index], layout: layer.outputLayout(margin: 0), gradient: gradient,
      target: layer.outputLayout(margin: 1), images: images, slope: slope)
  }
}
