public import BollyGANCompute
internal import BollyGANKernels
import BollyGANModel

/// How a generator draws a batch, layer by layer, and what that costs: counted, predicted and
/// measured.
public struct Plan: Sendable {
  /// One layer's part of the work.
  public struct Layer: Sendable {
    /// The maps that it leads from and to: "512->256 at 4x4".
    public let name: String
    /// How it is computed: "product" or "F(4x4,2x2)".
    public let algorithm: String
    /// Rows and columns of a tile of products that are summed in registers.
    public let tile: (rows: Int, columns: Int)
    /// Images that go through the layer in one pass.
    public let sweep: Int
    /// Bytes of the weights in memory.
    public let weightBytes: Int
    /// Bytes that the layer reads and writes for one image, intermediate values included.
    public let mapBytes: Int
    /// Multiply-adds of its products for one image.
    public let multiplyAdds: Int
    /// Multiply-adds of the transposed convolution by definition for one image, without products
    /// with zeros.
    public let directMultiplyAdds: Int
    /// Seconds for one image if the products ran at the peak and nothing else took time.
    public let predictedSeconds: Double
    /// Measured seconds for one image.
    public let measuredSeconds: Double
    /// The share of the peak that the products reach in the measured time.
    public var share: Double { predictedSeconds / measuredSeconds }
  }

  /// Images in a call.
  public let batch: Int
  /// Threads that share the work.
  public let threads: Int
  /// The instruction set.
  public let instructionSet: InstructionSet
  /// 10⁹ operations a second in registers alone, on the same number of threads.
  public let peak: Double
  /// The layers, from the latent to the image.
  public let layers: [Layer]
  /// Measured seconds for one image, from latents to pixels.
  public let measuredSeconds: Double

  /// Counts the work of a generator, and measures it for about the given time.
  public init(_ generator: Generator, batch: Int, seconds: Double = 0.5) {
    self.batch = batch
    threads = generator.threads
    instructionSet = generator.instructionSet
    peak = Benchmark.peak(
      generator.instructionSet, generator.multiplier.workers, min(0.1, seconds))
    let (times, total) = generator.timedLayers(batch: batch, seconds: seconds)
    measuredSeconds = total
    let passes = generator.imagesPerPass(batch: batch)
    layers = generator.costs.enumerated().map { [peak] index, cost in
      let link = cost.link
      let fine = link.fineSide * link.fineSide
      let maps =
        link.coarseSide * link.coarseSide * link.coarseStride + 2 * cost.intermediateFloats
        + fine * link.fineStride
      return Layer(
        name:
          "\(link.coarseChannels)->\(link.fineChannels) at \(link.coarseSide)x\(link.coarseSide)",
        algorithm: cost.algorithm, tile: cost.tile, sweep: passes[min(index, passes.count - 1)],
        weightBytes: 4 * link.weightCount, mapBytes: 4 * maps, multiplyAdds: cost.multiplyAdds,
        directMultiplyAdds: (link.isPoint ? 16 : 4 * fine) * link.coarseChannels
          * link.fineChannels,
        predictedSeconds: 2 * Double(cost.multiplyAdds) / (peak * 1e9),
        measuredSeconds: times[index])
    }
  }
}

/// What a layer costs for one image, as counted from its sizes.
private struct LayerCost {
  let link: StridedLink
  let algorithm: String
  let tile: (rows: Int, columns: Int)
  let multiplyAdds: Int
  /// Floats of intermediate values, which are written and read again.
  let intermediateFloats: Int
}

extension Generator {
  fileprivate var costs: [LayerCost] {
    let kernels = multiplier.kernels
    let tile = (rows: Int(kernels.rows), columns: Int(kernels.columns))
    let head = LayerCost(
      link: first.link, algorithm: "product", tile: tile, multiplyAdds: first.multiplyAdds,
      intermediateFloats: 0)
    let tail = LayerCost(
      link: last.link, algorithm: "F(4x4,2x2)", tile: tile, multiplyAdds: last.multiplyAdds,
      intermediateFloats: last.intermediateFloats)
    return [head]
      + hidden.map {
        // The four parities share transformed inputs, but not products.
        LayerCost(
          link: $0.link, algorithm: "F(4x4,2x2)", tile: tile,
          multiplyAdds: $0.convolution.multiplyAdds,
          intermediateFloats: UpConvolution.productsPerTile * $0.convolution.tiles
            * ($0.link.coarseStride / 4 + $0.link.fineStride))
      } + [tail]
  }

  /// Median seconds an image, of each layer and from latents to pixels.
  fileprivate func timedLayers(
    batch: Int, seconds: Double
  ) -> (layers: [Double], total: Double) {
    let latents = TorchRandom.latents(seed: 42, count: batch * shape.latent)
    var runs: [[Double]] = []
    let totals = Benchmark.times(seconds) {
      let timer = LayerTimer(layers: hidden.count + 2)
      _ = drawPixels(latents, timer: timer)
      runs.append(timer.seconds)
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] / Double(batch) }
    return ((0..<hidden.count + 2).map { layer in median(runs.map { $0[layer] }) }, median(totals))
  }
}
