import BollyGANCompute
import BollyGANModel

/// A moving average of a fast trainer's generator, kernels in the order in which its loops read
/// them.
final class FastAverage: AveragedGenerator {
  private let layers: [FastLayer]
  private let workers: Workers
  private let shape: DCGANShape
  private let kernels: [FloatBuffer]
  private var norms: [NormWeights?]

  /// - Precondition: the weights have the shape of the layers.
  init(from weights: GeneratorWeights, of layers: [FastLayer], workers: Workers) {
    self.layers = layers
    self.workers = workers
    shape = weights.shape
    norms = weights.layers.map(\.norm)
    kernels = zip(layers, weights.layers).map { layer, weights in
      let kernel = FloatBuffer(count: layer.link.weightCount)
      layer.kernel.load(weights.kernel.values, into: kernel)
      return kernel
    }
  }

  var weights: GeneratorWeights {
    GeneratorWeights(
      shape: shape,
      layers: layers.indices.map { index in
        LayerWeights(kernel: layers[index].kernel.tensor(kernels[index]), norm: norms[index])
      })
  }

  func follow(share: Float) {
    let work = kernels.indices.flatMap { index in
      stride(from: 0, to: kernels[index].count, by: FastParameter.slice).map { (index, $0) }
    }
    workers.run(work.count) { task, _ in
      let (index, start) = work[task]
      let count = min(FastParameter.slice, kernels[index].count - start)
      let average = unsafe kernels[index].base + start
      let target = unsafe layers[index].kernel.weight.base + start
      for k in 0..<count { unsafe average[k] += share * (target[k] - average[k]) }
    }
    for (index, layer) in layers.enumerated() {
      if let norm = layer.norm?.weights { norms[index]?.moveAverage(towards: norm, share) }
    }
  }
}

extension FastTrainer: AveragingEngine {
  package func average(from weights: GeneratorWeights) -> any AveragedGenerator {
    FastAverage(from: weights, of: generator.layers, workers: loops.workers)
  }
}
