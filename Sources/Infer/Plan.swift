public import BollyGANCompute
internal import BollyGANKernels
import BollyGANModel

/// How a generator draws a batch, layer by layer, and what that costs: counted, predicted and
/// measured.
public struct Plan: Sendable {
  /// One layer's part of the work.
  public struct Layer: Sendable {
    /// What it does to the map: "512->256 at 4x4".
    public let name: String
    /// How: "product" or "F(4x4,2x2)".
    public let algorithm: String
    /// Rows and columns of a tile of products that are summed in registers.
    public let tile: (rows: Int, columns: Int)
    /// Pictures that go through the layer together.
    public let sweep: Int
    /// Bytes of weights as they lie in memory.
    public let weightBytes: Int
    /// Bytes that the layer reads, writes and reads again in between, and writes, for one picture.
    public let mapBytes: Int
    /// Multiply-adds of its products for one picture.
    public let multiplyAdds: Int
    /// Multiply-adds of the transposed convolution as it is defined, products with zeros left out.
    public let directMultiplyAdds: Int
    /// Seconds for one picture if the products ran at the peak and nothing else took time.
    public let predictedSeconds: Double
    /// Seconds for one picture as measured.
    public let measuredSeconds: Double
    /// The products' part of the peak in the time measured.
    public var share: Double { predictedSeconds / measuredSeconds }
  }

  /// Pictures a call.
  public let batch: Int
  /// Threads that work.
  public let threads: Int
  /// The instruction set.
  public let instructionSet: InstructionSet
  /// 10⁹ operations a second in registers alone, on as many threads.
  public let peak: Double
  /// From the latent to the picture.
  public let layers: [Layer]
  /// Seconds for one picture, from latents to pixels, measured.
  public let measuredSeconds: Double

  /// Counts, and measures for about the given time.
  public init(_ generator: Generator, batch: Int, seconds: Double = 0.5) {
    self.batch = batch
    threads = generator.threads
    instructionSet = generator.instructionSet
    peak = Benchmark.peak(
      generator.instructionSet, generator.multiplier.workers, min(0.1, seconds))
    let (times, total) = generator.timedLayers(batch: batch, seconds: seconds)
    measuredSeconds = total
    let sweeps = generator.sweeps(batch: batch)
    layers = unsafe generator.costs.enumerated().map { [peak] index, cost in
      let link = cost.link
      let fine = link.fineSide * link.fineSide
      let maps =
        link.coarseSide * link.coarseSide * link.coarseStride + 2 * cost.betweenFloats
        + fine * link.fineStride
      return Layer(
        name:
          "\(link.coarseChannels)->\(link.fineChannels) at \(link.coarseSide)x\(link.coarseSide)",
        algorithm: cost.algorithm, tile: cost.tile, sweep: sweeps[min(index, sweeps.count - 1)],
        weightBytes: 4 * link.weightCount, mapBytes: 4 * maps, multiplyAdds: cost.multiplyAdds,
        directMultiplyAdds: (link.isWhole ? 16 : 4 * fine) * link.coarseChannels
          * link.fineChannels,
        predictedSeconds: 2 * Double(cost.multiplyAdds) / (peak * 1e9),
        measuredSeconds: times[index])
    }
  }
}

/// What a layer's way of working comes to, for one picture.
struct LayerCost {
  let link: StridedLink
  let algorithm: String
  let tile: (rows: Int, columns: Int)
  let multiplyAdds: Int
  /// Floats written on the way and read again.
  let betweenFloats: Int
}

extension Generator {
  @unsafe fileprivate var costs: [LayerCost] {
    let kernels = unsafe multiplier.kernels
    let tile = unsafe (rows: Int(kernels.rows), columns: Int(kernels.columns))
    let head = LayerCost(
      link: first.link, algorithm: "product", tile: tile, multiplyAdds: first.multiplyAdds,
      betweenFloats: 0)
    let tail = LayerCost(
      link: last.link, algorithm: "F(4x4,2x2)", tile: tile, multiplyAdds: last.multiplyAdds,
      betweenFloats: last.intermediateFloats)
    return [head]
      + hidden.map {
        LayerCost(
          link: $0.link, algorithm: "F(4x4,2x2)", tile: tile,
          multiplyAdds: $0.convolution.multiplyAdds,
          betweenFloats: UpConvolution.products * $0.convolution.tiles
            * ($0.link.coarseStride / 4 + $0.link.fineStride))
      } + [tail]
  }

  /// Median seconds a picture, of each layer and from latents to pixels.
  fileprivate func timedLayers(
    batch: Int, seconds: Double
  ) -> (layers: [Double], total: Double) {
    let latents = TorchRandom.latents(seed: 42, count: batch * shape.latent)
    let size = shape.pictureCount
    var pixels = [UInt8](repeating: 0, count: batch * size)
    var runs: [[Double]] = []
    let totals = Benchmark.times(seconds) {
      let timer = LayerTimer(layers: hidden.count + 2)
      unsafe pixels.withUnsafeMutableBufferPointer { buffer in
        unsafe draw(latents, timer: timer) { unsafe .bytes(buffer.baseAddress! + $0 * size) }
      }
      runs.append(timer.seconds)
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] / Double(batch) }
    return ((0..<hidden.count + 2).map { layer in median(runs.map { $0[layer] }) }, median(totals))
  }
}
