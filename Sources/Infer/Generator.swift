public import BollyGANCompute
public import BollyGANModel
internal import Synchronization

/// Draws images from latents, fast.
///
/// Batch normalisation is folded into the weights, activations are fused into the transposed
/// convolutions, and all threads work.
///
/// An image depends on its latent alone, not on its neighbours in a batch, the size of the batch or
/// the number of threads: the same weights, latent and instruction set give the same bytes.
/// Instruction sets with fused multiply-add give the same bytes as each other.
///
/// The largest difference from PyTorch's evaluation mode in float64 is below 2e-5, on a scale of
/// −1…1.
///
/// - SeeAlso: Radford, Metz and Chintala 2015 (arXiv:1511.06434).
public final class Generator: Sendable {
  /// The sizes of the network.
  public let shape: DCGANShape
  /// The instruction set of the loops.
  public let instructionSet: InstructionSet
  /// Threads that share the work, the caller's included.
  public var threads: Int { multiplier.workers.count }

  /// All threads together.
  let multiplier: Multiplier
  /// For each thread, a multiplier that has only that thread.
  let singleThreaded: [Multiplier]
  /// From latents to 4x4 maps.
  let first: PointLayer
  /// From each map to one of twice its side.
  let hidden: [UpLayer]
  /// From the last map to the image.
  let last: PictureConvolution
  /// Memory of all threads together, then of each thread on its own.
  let scratch: Mutex<[Scratch]>

  /// The number of processors that this process may use.
  public static var processors: Int { Workers.processors }

  /// Folds and packs the weights.
  ///
  /// - Parameters:
  ///   - weights: A generator of any shape.
  ///   - instructionSet: An instruction set of this processor, see `InstructionSet.available`.
  ///   - threads: Threads to share the work, the caller's included; at least one is used.
  /// - Complexity: Reads and writes each weight about twice.
  public init(
    _ weights: GeneratorWeights, instructionSet: InstructionSet = .best,
    threads: Int = Generator.processors
  ) {
    shape = weights.shape
    self.instructionSet = instructionSet
    let workers = Workers(count: threads)
    multiplier = Multiplier(instructionSet: instructionSet, workers: workers)
    singleThreaded = workers.singleThreaded().map {
      Multiplier(instructionSet: instructionSet, workers: $0)
    }
    let kernels = multiplier.kernels
    let links = StridedLink.generator(weights.shape)
    let layers = weights.layers
    first = PointLayer(
      link: links[0], weights: layers[0], slope: weights.slope, kernels: kernels, workers: workers)
    hidden = (1..<links.count - 1).map {
      UpLayer(
        link: links[$0], weights: layers[$0], slope: weights.slope, kernels: kernels,
        workers: workers)
    }
    let fold = ChannelAffine(layers[links.count - 1], outputs: weights.shape.channels)
    last = PictureConvolution(
      link: links[links.count - 1], kernel: layers[links.count - 1].kernel, scale: fold.factors,
      bias: fold.bias, kernels: kernels)
    scratch = Mutex(Array(repeating: Scratch(), count: 1 + workers.count))
  }

  /// Draws images as float32 planes: `[count, channels, side, side]`, −1…1, row-major, as PyTorch's
  /// evaluation mode returns them.
  ///
  /// - Parameter latents: `[count, latent]`, any finite numbers, any count.
  /// - Complexity: By definition 0.104 G multiply-adds an image for the article's network; the fast
  ///   convolutions do 25/64 of them in all layers but the first.
  public func pictures(latents: [Float]) -> [Float] {
    let size = shape.pictureCount
    let count = imageCount(of: latents)
    return unsafe [Float](unsafeUninitializedCapacity: count * size) { buffer, initialized in
      draw(latents, to: { unsafe .planar(buffer.baseAddress! + $0 * size) })
      initialized = count * size
    }
  }

  /// Draws images as bytes: `[count, side, side, channels]`, 0…255.
  ///
  /// A byte is (x + 1) / 2 · 255 + 0.5, truncated, as torchvision's `save_image` rounds.
  ///
  /// - Parameter latents: `[count, latent]`, any finite numbers, any count.
  public func pixels(latents: [Float]) -> [UInt8] { drawPixels(latents) }

  /// Draws images as bytes, and hands over each image as soon as it is finished.
  ///
  /// - Parameters:
  ///   - latents: `[count, latent]`, any finite numbers, any count.
  ///   - body: Receives an image's index and its pixels `[side, side, channels]`, on one of the
  ///     drawing threads, and for several images at a time. Images arrive almost in order. It must
  ///     not draw with the same generator, which waits for it.
  public func pixels(latents: [Float], each body: @Sendable (Int, [UInt8]) -> Void) {
    _ = withoutActuallyEscaping(body) { drawPixels(latents, each: $0) }
  }

  /// Draws images as bytes; `body` receives each image as soon as it is finished.
  func drawPixels(
    _ latents: [Float], timer: LayerTimer? = nil, each body: ((Int, [UInt8]) -> Void)? = nil
  ) -> [UInt8] {
    let size = shape.pictureCount
    let count = imageCount(of: latents)
    return unsafe [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialized in
      draw(
        latents, timer: timer, to: { unsafe .bytes(buffer.baseAddress! + $0 * size) },
        finished: { images in
          guard let body else { return }
          for image in images {
            unsafe body(image, Array(buffer[image * size..<(image + 1) * size]))
          }
        })
      initialized = count * size
    }
  }

  private func imageCount(of latents: [Float]) -> Int {
    precondition(
      latents.count.isMultiple(of: shape.latent),
      "\(latents.count) numbers are not a whole number of latents of size \(shape.latent)")
    return latents.count / shape.latent
  }
}
