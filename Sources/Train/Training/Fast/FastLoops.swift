import BollyGANCompute
import BollyGANKernels

/// The loops that both networks' passes consist of, on all threads.
///
/// Sums over a batch are computed in pieces whose bounds depend on sizes alone, and the pieces are
/// added in order, so results do not depend on the number of threads.
@safe final class FastLoops {
  let kernels: bg_kernels
  let workers: Workers
  let multiplier: Multiplier
  /// A single-threaded pool for each thread.
  private let singleThreaded: [Workers]
  /// Each thread's transformed maps, of one layer at a time.
  private(set) var planes: [FloatBuffer] = []
  /// Each thread's scratch memory for convolutions.
  private(set) var scratch: [FloatBuffer]
  /// Operands of weight gradients by direct sums: the coarse maps, and each thread's fine ones.
  var leftPanels = FloatBuffer(count: 0)
  let rightPanels: [FloatBuffer]

  init(instructionSet: InstructionSet, threads: Int) {
    workers = Workers(count: threads)
    singleThreaded = workers.singleThreaded()
    multiplier = Multiplier(instructionSet: instructionSet, workers: workers)
    let kernels = multiplier.kernels
    self.kernels = kernels
    rightPanels = (0..<workers.count).map { _ in
      FloatBuffer(count: Self.gradientDepth * Int(kernels.columns))
    }
    scratch = (0..<workers.count).map { _ in
      FloatBuffer(count: UpConvolution.scratchFloats(kernels: kernels))
    }
  }

  /// Work applied to part of a batch just before or after a layer.
  ///
  /// Layers of fast convolutions call it for a few images at a time, on the thread that has them in
  /// its cache. Other layers call it for the whole batch, one image at a time.
  typealias ImageWork = (_ images: Range<Int>) -> Void

  /// Calls `body` for each image, on all threads.
  func eachImage(_ images: Int, _ body: ImageWork?) {
    guard let body else { return }
    workers.run(images) { image, _ in body(image..<image + 1) }
  }

  /// Runs a layer's convolution in one direction, from maps with margin 1.
  ///
  /// - Parameters:
  ///   - margin: margin of `target`.
  ///   - precisely: whether direct sums are in float64 (``FastLayer/forwardsPrecisely``).
  ///   - before: computes `source`.
  ///   - after: reads `target`.
  func run(
    _ layer: FastLayer, _ direction: FastLayer.Direction, from source: FloatBuffer,
    to target: FloatBuffer, margin: Int, images: Int, precisely: Bool = false,
    before: ImageWork?, after: ImageWork?
  ) {
    let link = layer.link
    let products: [MatrixProduct]
    switch (layer.linear, direction) {
    case (.convolutions(let up, let down), _):
      runConvolution(
        link, up, down, direction, from: source, to: target, margin: margin, images: images,
        before: before, after: after)
      return
    case (.products(let panels, _), .up):
      unsafe products = link.up(panels, from: source.base, to: target.base, margin: margin)
    case (.products(_, let panels), .down), (.image(_, let panels), .down):
      unsafe products = [link.down(panels, from: source.base, to: target.base, margin: margin)]
    case (.image, .up): preconditionFailure("see up(_:from:toImages:images:tanh:before:)")
    }
    eachImage(images, before)
    unsafe multiplier.run(
      products, pixels: images * link.coarseSide * link.coarseSide, inFloat64: precisely)
    eachImage(images, after)
  }

  /// Runs a fast convolution: each thread takes a few images at a time through it.
  private func runConvolution(
    _ link: StridedLink, _ upConvolution: UpConvolution, _ downConvolution: DownConvolution,
    _ direction: FastLayer.Direction, from source: FloatBuffer, to target: FloatBuffer,
    margin: Int, images: Int, before: ImageWork?, after: ImageWork?
  ) {
    let (coarse, fine) = (
      link.coarseLayout(margin: direction == .up ? 1 : margin),
      link.fineLayout(margin: direction == .up ? margin : 1)
    )
    let (from, to) = direction == .up ? (coarse, fine) : (fine, coarse)
    let even = (images + workers.count - 1) / workers.count
    let imagesPerPass = min(downConvolution.imagesPerPass, even)
    reservePlanes(
      direction == .up
        ? upConvolution.planeFloats(images: imagesPerPass, kernels: kernels)
        : downConvolution.planeFloats(images: imagesPerPass, kernels: kernels))
    workers.run((images + imagesPerPass - 1) / imagesPerPass) { task, thread in
      let part = task * imagesPerPass..<min((task + 1) * imagesPerPass, images)
      before?(part)
      let source = unsafe source.base + part.lowerBound * from.imageStride
      let target = unsafe target.base + part.lowerBound * to.imageStride
      switch direction {
      case .up:
        unsafe upConvolution.run(
          from: source, source: from, to: target, target: to, images: part.count,
          planes: planes[thread], scratch: [scratch[thread]], kernels: kernels,
          workers: singleThreaded[thread])
      case .down:
        unsafe downConvolution.run(
          from: source, to: target, margin: margin, images: part.count, planes: planes[thread],
          scratch: scratch[thread], kernels: kernels)
      }
      after?(part)
    }
  }

  /// Runs the layer next to the images upwards, from coarse maps to images, both with margin 1.
  ///
  /// - Parameters:
  ///   - tanh: whether tanh is applied to the images.
  ///   - before: computes the coarse maps.
  func up(
    _ layer: FastLayer, from coarse: FloatBuffer, toImages target: FloatBuffer, images: Int,
    tanh: Bool, before: ImageWork?
  ) {
    guard case .image(let up, _) = layer.linear else {
      preconditionFailure("the layer is not next to the images")
    }
    let floats = up.scratchFloats(kernels: kernels)
    if scratch[0].count < floats { scratch = scratch.map { _ in FloatBuffer(count: floats) } }
    // Fewer images than threads are split between threads, so their maps have to be complete.
    let isEach = images >= workers.count
    if !isEach { eachImage(images, before) }
    unsafe up.run(
      from: coarse, source: layer.link.coarseLayout(margin: 1),
      to: .map(target.base, layer.link.fineLayout(margin: 1), tanh: tanh),
      images: images, scratch: scratch, kernels: kernels, workers: workers,
      before: isEach ? before.map { before in { before($0..<$0 + 1) } } : nil)
  }

  /// Ensures memory for each thread's transformed maps.
  func reservePlanes(_ floats: Int) {
    if planes.isEmpty || planes[0].count < floats {
      planes = (0..<workers.count).map { _ in FloatBuffer(count: floats) }
    }
  }
}
