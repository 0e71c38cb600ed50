internal import BollyGANCompute

/// The memory of one pool of threads that draws, for batches as large as it has drawn so far.
struct Scratch: Sendable {
  /// The maps that each layer reads, for one pass.
  private(set) var maps: [FloatBuffer] = []
  /// Images in one pass through the layers before the first hidden one, then through each hidden
  /// layer.
  private(set) var imagesPerPass: [Int] = []
  /// Transformed inputs of a hidden layer.
  private(set) var planes = FloatBuffer(count: 0)
  /// Each thread's own.
  private(set) var threads: [FloatBuffer] = []
  /// Images that `maps[0]` has room for.
  private var capacity = 0

  /// Makes room for a batch of `images` images, or for the most that go through a layer in one
  /// pass.
  mutating func reserve(_ images: Int, for generator: Generator, threads count: Int) {
    guard images > capacity, capacity < UpConvolution.mostImagesPerPass else { return }
    capacity = min(images, UpConvolution.mostImagesPerPass)
    let kernels = generator.multiplier.kernels
    let (first, hidden, last) = (generator.first, generator.hidden, generator.last)
    imagesPerPass = [capacity]
    for layer in hidden {
      imagesPerPass.append(min(imagesPerPass.last!, layer.convolution.imagesPerPass))
    }
    // A layer reads what one pass through the layer before it wrote.
    let links = [first.link] + hidden.map(\.link) + [last.link]
    maps = zip(links, [capacity] + imagesPerPass).map { link, images in
      FloatBuffer(count: images * link.coarseChunkedLayout.imageStride)
    }
    planes = FloatBuffer(
      count: zip(hidden, imagesPerPass.dropFirst()).map { layer, images in
        layer.convolution.planeFloats(images: images, kernels: kernels)
      }.max()!)
    let own = max(
      UpConvolution.scratchFloats(kernels: kernels), last.scratchFloats(kernels: kernels))
    threads = (0..<count).map { _ in FloatBuffer(count: own) }
  }
}
