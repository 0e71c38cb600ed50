internal import BollyGANKernels
public import BollyGANModel
internal import Synchronization

/// Draws pictures from latents, fast: batch normalisation folded into the weights, activations
/// fused into the transposed convolutions, all threads at work.
///
/// A picture depends on its latent alone, not on its neighbours in a batch, the batch's size or the
/// number of threads: the same weights, latent and instruction set give the same bytes. Instruction
/// sets with fused multiply-add give equal bytes among themselves.
///
/// Against PyTorch's evaluation mode in float64 the largest difference is below 2e-5, in −1…1.
///
/// - SeeAlso: Radford, Metz and Chintala 2015 (arXiv:1511.06434).
public final class Generator: Sendable {
  /// The sizes of the network.
  public let shape: DCGANShape
  /// The level of the loops that run.
  public let instructionSet: InstructionSet
  /// Threads that share the work, the caller's included.
  public var threads: Int { multiplier.workers.count }

  let multiplier: Multiplier
  let layers: [FoldedLayer]
  /// Factor of negative numbers in the hidden activations; 0 is ReLU.
  let slope: Float
  let scratch: Mutex<Scratch>

  /// The processors that this process may use.
  public static var processors: Int { Workers.processors }

  /// Folds and packs the weights.
  ///
  /// - Parameters:
  ///   - weights: A generator of any shape.
  ///   - instructionSet: A level of this processor, see ``InstructionSet/available``.
  ///   - threads: Threads to share the work, the caller's included; at least one is used.
  /// - Complexity: reads and writes each weight about twice.
  public init(
    _ weights: GeneratorWeights, instructionSet: InstructionSet = .best,
    threads: Int = Generator.processors
  ) {
    shape = weights.shape
    self.instructionSet = instructionSet
    multiplier = Multiplier(
      instructionSet: instructionSet, workers: Workers(count: threads))
    let workers = multiplier.workers
    let kernels = unsafe multiplier.kernels
    layers = zip(StridedLink.generator(weights.shape), weights.layers).map {
      unsafe FoldedLayer(link: $0, weights: $1, kernels: kernels, workers: workers)
    }
    slope = weights.slope
    scratch = Mutex(Scratch(links: layers.map(\.link)))
  }

  /// Pictures `[count, channels, side, side]`, −1…1, row-major, as PyTorch's evaluation mode gives
  /// them.
  ///
  /// - Parameter latents: `[count, latent]`, any finite numbers, any count.
  /// - Complexity: 0.104 G multiply-adds a picture for the article's network.
  public func pictures(latents: [Float]) -> [Float] {
    let size = shape.pictureCount
    let count = pictureCount(of: latents)
    return unsafe [Float](unsafeUninitializedCapacity: count * size) { buffer, initialized in
      unsafe draw(latents) { image, rows in
        unsafe rows.planar(into: buffer.baseAddress! + image * size)
      }
      initialized = count * size
    }
  }

  /// Pictures `[count, side, side, channels]`, 0…255: (x + 1)/2 · 255 + 0.5, cut to whole numbers,
  /// as torchvision's `save_image` rounds.
  ///
  /// - Parameter latents: `[count, latent]`, any finite numbers, any count.
  public func pixels(latents: [Float]) -> [UInt8] {
    let size = shape.pictureCount
    let count = pictureCount(of: latents)
    return unsafe [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialized in
      unsafe draw(latents) { image, rows in
        unsafe rows.pixels(into: buffer.baseAddress! + image * size)
      }
      initialized = count * size
    }
  }

  private func pictureCount(of latents: [Float]) -> Int {
    precondition(
      latents.count.isMultiple(of: shape.latent),
      "\(latents.count) numbers are no latents of \(shape.latent)")
    return latents.count / shape.latent
  }

  /// Pictures that go through the network together: enough to amortise reading the weights, few
  /// enough that their maps stay near the processor.
  static let sweep = 16

  /// Runs the network and hands over each picture's last rows, on any thread.
  @unsafe private func draw(_ latents: [Float], _ emit: (Int, NarrowPicture) -> Void) {
    let count = latents.count / shape.latent
    let kernels = unsafe multiplier.kernels
    scratch.withLock { scratch in
      var first = 0
      while first < count {
        let images = min(Self.sweep, count - first)
        scratch.reserve(images)
        let input = layers[0].link.coarseStride
        for image in 0..<images {
          for index in 0..<shape.latent {
            unsafe scratch.maps[0].base[image * input + index] =
              latents[(first + image) * shape.latent + index]
          }
        }
        for (index, layer) in layers.enumerated() {
          let link = layer.link
          unsafe multiplier.run(
            link.up(
              layer.panels, from: scratch.maps[index].base, to: scratch.maps[index + 1].base,
              margin: 1, bias: layer.bias.base,
              rectify: index < layers.count - 1 ? Rectifier(slope: slope) : nil),
            pixels: images * link.coarseSide * link.coarseSide)
        }
        let link = layers[layers.count - 1].link
        let size = link.coarseSide * link.coarseSide * link.narrowColumns
        let rows = unsafe scratch.maps[layers.count].base
        multiplier.workers.run(images) { image, _ in
          let base = unsafe rows + image * size
          unsafe kernels.tanh(size, base, base)
          unsafe emit(
            first + image,
            NarrowPicture(rows: base, side: link.coarseSide, channels: link.fineChannels))
        }
        first += images
      }
    }
  }
}

/// A layer with its normalisation folded in: `scale · (w x) + shift` is `(scale · w) x + shift`.
struct FoldedLayer: Sendable {
  let link: StridedLink
  let panels: [Panels]
  let bias: FloatBuffer

  init(link: StridedLink, weights: LayerWeights, kernels: bg_kernels, workers: Workers) {
    self.link = link
    panels = unsafe link.upPanels(kernels: kernels)
    var kernel = weights.kernel.values
    // A product reads as many addends as its panels have columns.
    let columns = (panels[0].columns).roundedUp(to: panels[0].width)
    bias = FloatBuffer(count: columns)
    if let norm = weights.norm {
      for d in 0..<norm.channels {
        // In float64 and rounded once, so that folding costs half an ulp a weight.
        let scale =
          Double(norm.scale[d])
          / (Double(norm.runningVariance[d]) + Double(NormWeights.epsilon)).squareRoot()
        for c in 0..<link.coarseChannels {
          let start = (c * link.fineChannels + d) * 16
          for index in start..<start + 16 { kernel[index] = Float(Double(kernel[index]) * scale) }
        }
        let shift = Float(Double(norm.shift[d]) - Double(norm.runningMean[d]) * scale)
        for pixel in 0..<(link.isWhole ? 16 : 1) {
          unsafe bias.base[pixel * link.fineStride + d] = shift
        }
      }
    } else if let addends = weights.bias {
      // The layer before the picture: columns are [2, 2, channels].
      for column in 0..<link.narrowColumns {
        unsafe bias.base[column] = addends[column % link.fineChannels]
      }
    }
    let packed = FloatBuffer(count: link.weightCount)
    link.packed(kernel, into: packed)
    unsafe link.fillUp(panels, from: packed.base, workers: workers)
  }
}

/// The maps between the layers, for as many pictures as have been drawn at once so far.
struct Scratch: Sendable {
  let links: [StridedLink]
  private(set) var maps: [FloatBuffer] = []
  private var capacity = 0

  init(links: [StridedLink]) { self.links = links }

  mutating func reserve(_ images: Int) {
    guard images > capacity else { return }
    capacity = images
    // Margins are written by nobody, so they stay zero.
    maps = links.map { FloatBuffer(count: images * $0.coarseLayout(margin: 1).imageStride) }
    let last = links[links.count - 1]
    maps.append(
      FloatBuffer(count: images * last.coarseSide * last.coarseSide * last.narrowColumns))
  }
}

/// A picture as the last layer leaves it: for each coarse pixel the 2x2 fine ones under it.
@unsafe struct NarrowPicture {
  let rows: UnsafePointer<Float>
  let side: Int
  let channels: Int

  @unsafe private func each(_ body: (_ row: Int, _ column: Int, _ channel: Int, Float) -> Void) {
    var source = unsafe rows
    let (side, channels) = unsafe (side, channels)
    for i in 0..<side {
      for j in 0..<side {
        for phase in 0..<4 {
          for d in 0..<channels {
            body(2 * i + phase / 2, 2 * j + phase % 2, d, unsafe source.pointee)
            unsafe source += 1
          }
        }
      }
    }
  }

  @unsafe func planar(into out: UnsafeMutablePointer<Float>) {
    let width = unsafe 2 * side
    unsafe each { row, column, channel, value in
      unsafe out[(channel * width + row) * width + column] = value
    }
  }

  @unsafe func pixels(into out: UnsafeMutablePointer<UInt8>) {
    let (width, channels) = unsafe (2 * side, channels)
    unsafe each { row, column, channel, value in
      let level = (value + 1) / 2 * 255 + 0.5
      // Not a number is not above 0 either: no trap on weights that overflow.
      unsafe out[(row * width + column) * channels + channel] =
        level > 0 ? UInt8(min(level, 255)) : 0
    }
  }
}
