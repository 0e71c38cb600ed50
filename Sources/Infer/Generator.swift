public import BollyGANCompute
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
  /// For each thread one that is that thread alone.
  private let soloists: [Multiplier]
  let first: PointLayer
  let hidden: [UpLayer]
  let last: PictureConvolution
  /// Of all threads together, then each thread's own.
  private let scratch: Mutex<[Scratch]>

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
    soloists = workers.soloists().map {
      Multiplier(instructionSet: instructionSet, workers: $0)
    }
    let kernels = unsafe multiplier.kernels
    let links = StridedLink.generator(weights.shape)
    let layers = weights.layers
    first = unsafe PointLayer(
      link: links[0], weights: layers[0], slope: weights.slope, kernels: kernels, workers: workers)
    hidden = (1..<links.count - 1).map {
      unsafe UpLayer(
        link: links[$0], weights: layers[$0], slope: weights.slope, kernels: kernels,
        workers: workers)
    }
    let fold = Fold(layers[links.count - 1], outputs: weights.shape.channels)
    last = unsafe PictureConvolution(
      link: links[links.count - 1], kernel: layers[links.count - 1].kernel, scale: fold.scale,
      bias: fold.shift, kernels: kernels)
    scratch = Mutex(Array(repeating: Scratch(), count: 1 + workers.count))
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
      unsafe draw(latents) { unsafe .planar(buffer.baseAddress! + $0 * size) }
      initialized = count * size
    }
  }

  /// Pictures `[count, side, side, channels]`, 0…255: (x + 1)/2 · 255 + 0.5, cut to whole numbers,
  /// as torchvision's `save_image` rounds.
  ///
  /// - Parameter latents: `[count, latent]`, any finite numbers, any count.
  public func pixels(latents: [Float]) -> [UInt8] { pixels(latents, each: nil) }

  /// The same, each picture handed over as soon as it is there, while others are drawn.
  ///
  /// - Parameters:
  ///   - latents: `[count, latent]`, any finite numbers, any count.
  ///   - body: Takes a picture's number and its pixels `[side, side, channels]`, on one of the threads
  ///     that draw, and several at a time. Pictures come nearly in order. It must not draw with the
  ///     same generator, which waits for it.
  public func pixels(latents: [Float], each body: @Sendable (Int, [UInt8]) -> Void) {
    _ = withoutActuallyEscaping(body) { pixels(latents, each: $0) }
  }

  private func pixels(_ latents: [Float], each body: ((Int, [UInt8]) -> Void)?) -> [UInt8] {
    let size = shape.pictureCount
    let count = pictureCount(of: latents)
    return unsafe [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialized in
      unsafe draw(
        latents, { unsafe .bytes(buffer.baseAddress! + $0 * size) },
        finished: { pictures in
          guard let body else { return }
          for picture in pictures {
            unsafe body(picture, Array(buffer[picture * size..<(picture + 1) * size]))
          }
        })
      initialized = count * size
    }
  }

  private func pictureCount(of latents: [Float]) -> Int {
    precondition(
      latents.count.isMultiple(of: shape.latent),
      "\(latents.count) numbers are no latents of \(shape.latent)")
    return latents.count / shape.latent
  }

  private func sharesLayers(_ count: Int) -> Bool { threads == 1 || count < 2 * threads }

  /// Pictures that went together through each layer but the last, when so many were drawn.
  func sweeps(batch: Int) -> [Int] { scratch.withLock { $0[sharesLayers(batch) ? 0 : 1].sweeps } }

  /// Runs the network.
  ///
  /// All threads share each layer of a few pictures; of more, each thread takes its own through all
  /// layers (see ``Workers/soloists()``), every so many-th one, so that pictures come nearly in order.
  ///
  /// - Parameters:
  ///   - target: Says where picture n goes.
  ///   - finished: Is told which pictures are there, on the thread that drew them.
  @unsafe func draw(
    _ latents: [Float], timer: LayerTimer? = nil, _ target: (Int) -> PictureTarget,
    finished: (Range<Int>) -> Void = { _ in }
  ) {
    let count = latents.count / shape.latent
    guard count > 0 else { return }
    scratch.withLock { scratch in
      guard !sharesLayers(count) else {
        unsafe scratch[0].reserve(count, for: self, threads: threads)
        unsafe draw(
          latents, Array(0..<count), with: multiplier, scratch[0], timer, target, finished)
        return
      }
      let most = UpConvolution.largestSweep * threads
      let rounds = (count + most - 1) / most
      let share = (count + rounds * threads - 1) / (rounds * threads)
      for thread in 1...threads { unsafe scratch[thread].reserve(share, for: self, threads: 1) }
      let (own, timers) = (scratch, timer?.copies(threads))
      multiplier.workers.run(rounds * threads) { part, thread in
        let (round, place) = part.quotientAndRemainder(dividingBy: threads)
        let pictures = stride(
          from: count * round / rounds + place, to: count * (round + 1) / rounds, by: threads)
        unsafe draw(
          latents, Array(pictures), with: soloists[thread], own[1 + thread], timers?[thread],
          target, finished)
      }
      if let timers { timer?.add(timers) }
    }
  }

  /// Draws some of the pictures.
  @unsafe private func draw(
    _ latents: [Float], _ pictures: [Int], with multiplier: Multiplier, _ scratch: Scratch,
    _ timer: LayerTimer?, _ target: (Int) -> PictureTarget,
    _ finished: (Range<Int>) -> Void
  ) {
    let input = first.link.coarseStride
    for start in stride(from: 0, to: pictures.count, by: scratch.sweeps[0]) {
      let sweep = pictures[start..<min(start + scratch.sweeps[0], pictures.count)]
      for (image, picture) in sweep.enumerated() {
        for index in 0..<shape.latent {
          unsafe scratch.maps[0].base[image * input + index] =
            latents[picture * shape.latent + index]
        }
      }
      timer?.begin(0)
      unsafe first.run(
        from: scratch.maps[0], to: scratch.maps[1], images: sweep.count, multiplier: multiplier)
      timer?.end()
      unsafe draw(
        hidden[...], 0..<sweep.count, of: sweep, with: multiplier, scratch, timer, target, finished)
    }
  }

  /// Runs the given layers and the last one on images that have come as far as the first of them,
  /// sweep by sweep; `pictures` says which these are.
  @unsafe private func draw(
    _ layers: ArraySlice<UpLayer>, _ images: Range<Int>, of pictures: ArraySlice<Int>,
    with multiplier: Multiplier, _ scratch: Scratch, _ timer: LayerTimer?,
    _ target: (Int) -> PictureTarget, _ finished: (Range<Int>) -> Void
  ) {
    let kernels = unsafe multiplier.kernels
    let workers = multiplier.workers
    let map = scratch.maps[layers.startIndex + 1]
    guard let layer = layers.first else {
      // Pictures that follow each other are drawn together.
      var start = images.lowerBound
      while start < images.upperBound {
        let first = pictures[pictures.startIndex + start]
        let run = pictures[(pictures.startIndex + start)...].enumerated()
          .prefix { $0.element == first + $0.offset }.count
        timer?.begin(hidden.count + 1)
        unsafe last.run(
          from: map, at: start, source: last.link.coarseChunks, to: target(first), images: run,
          scratch: scratch.threads, kernels: kernels, workers: workers)
        timer?.end()
        finished(first..<first + run)
        start += run
      }
      return
    }
    let sweep = scratch.sweeps[layers.startIndex + 1]
    for begin in stride(from: images.lowerBound, to: images.upperBound, by: sweep) {
      let part = begin..<min(begin + sweep, images.upperBound)
      timer?.begin(layers.startIndex + 1)
      unsafe layer.run(
        from: map, images: part, to: scratch.maps[layers.startIndex + 2], planes: scratch.planes,
        scratch: scratch.threads, kernels: kernels, workers: workers)
      timer?.end()
      unsafe draw(
        layers.dropFirst(), 0..<part.count, of: pictures.dropFirst(begin).prefix(part.count),
        with: multiplier, scratch, timer, target, finished)
    }
  }
}

/// Adds up the time that each layer takes.
final class LayerTimer {
  private(set) var seconds: [Double]
  private var layer = 0
  private var start = ContinuousClock.now

  init(layers: Int) { seconds = Array(repeating: 0, count: layers) }

  func begin(_ layer: Int) {
    self.layer = layer
    start = .now
  }

  func end() { seconds[layer] += (ContinuousClock.now - start) / .seconds(1) }

  /// For threads that work beside each other.
  func copies(_ count: Int) -> [LayerTimer] {
    (0..<count).map { _ in LayerTimer(layers: seconds.count) }
  }

  /// Adds the mean of what such threads took.
  func add(_ others: [LayerTimer]) {
    for layer in seconds.indices {
      seconds[layer] += others.map { $0.seconds[layer] }.reduce(0, +) / Double(others.count)
    }
  }
}

/// Memory of some threads of a generator at work, for as many pictures as they have drawn at once so
/// far.
struct Scratch: Sendable {
  /// What each layer reads.
  private(set) var maps: [FloatBuffer] = []
  /// Pictures that go together through the layers up to the first hidden one, then through each of the
  /// hidden ones.
  private(set) var sweeps: [Int] = []
  /// Transformed inputs of a hidden layer.
  private(set) var planes = FloatBuffer(count: 0)
  /// Each thread's own.
  private(set) var threads: [FloatBuffer] = []
  private var capacity = 0

  @unsafe mutating func reserve(_ images: Int, for generator: Generator, threads count: Int) {
    guard images > capacity, capacity < UpConvolution.largestSweep else { return }
    capacity = min(images, UpConvolution.largestSweep)
    let kernels = unsafe generator.multiplier.kernels
    let (first, hidden, last) = (generator.first, generator.hidden, generator.last)
    sweeps = [capacity]
    for layer in hidden {
      sweeps.append(min(sweeps.last!, layer.convolution.sweep))
    }
    maps = zip([first.link] + hidden.map(\.link) + [last.link], [capacity] + sweeps).map {
      FloatBuffer(count: $1 * $0.coarseChunks.imageStride)
    }
    planes = FloatBuffer(
      count: zip(hidden, sweeps.dropFirst()).map {
        unsafe $0.convolution.planeFloats(images: $1, kernels: kernels)
      }.max()!)
    let own = unsafe max(
      UpConvolution.scratchFloats(kernels: kernels), last.scratchFloats(kernels: kernels))
    threads = (0..<count).map { _ in FloatBuffer(count: own) }
  }
}
