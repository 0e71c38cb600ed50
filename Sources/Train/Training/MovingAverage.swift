import BollyGANModel

/// The generator's weights averaged over the steps, running statistics included; it makes calmer
/// pictures than the generator of any one step.
///
/// Early on the average follows faster, or its first epochs would still show the random weights:
/// after t updates the decay is min(decay, (1 + t)/(10 + t)).
///
/// - SeeAlso: Yazıcı et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training"
///   (arXiv:1806.04498).
package struct MovingAverage {
  package let decay: Double
  private let generator: any AveragedGenerator

  /// An average of the given weights alone, or as a checkpoint holds it, that follows an engine's.
  package init(_ weights: GeneratorWeights, decay: Double, engine: any TrainingEngine) {
    self.decay = decay
    generator =
      (engine as? any AveragingEngine)?.average(from: weights)
      ?? PlainAverage(from: weights, of: engine)
  }

  /// The average as it is now.
  package var weights: GeneratorWeights { generator.weights }

  /// Takes in the engine's weights after the given number of steps.
  package func update(step: Int) {
    generator.follow(share: Float(1 - min(decay, Double(1 + step) / Double(10 + step))))
  }
}

/// Weights that follow those of an engine's generator.
package protocol AveragedGenerator: AnyObject {
  /// What they are now.
  var weights: GeneratorWeights { get }

  /// Moves each number: a + share · (w − a), rounded after each of the three operations, where w is
  /// what the generator has.
  func follow(share: Float)
}

/// An engine that keeps such weights in its own order. To copy all weights out of an engine after
/// each step takes a seventh of a step of 16 pictures.
package protocol AveragingEngine: TrainingEngine {
  /// Weights that begin as the given ones and follow the engine's.
  func average(from weights: GeneratorWeights) -> any AveragedGenerator
}

/// Weights that follow those of any engine.
package final class PlainAverage: AveragedGenerator {
  package private(set) var weights: GeneratorWeights
  private let engine: any TrainingEngine

  package init(from weights: GeneratorWeights, of engine: any TrainingEngine) {
    self.weights = weights
    self.engine = engine
  }

  package func follow(share: Float) {
    let newest = engine.generatorWeights()
    for index in weights.layers.indices {
      let layer = newest.layers[index]
      moveAverage(&weights.layers[index].kernel.values, towards: layer.kernel.values, share)
      if let norm = layer.norm { weights.layers[index].norm?.moveAverage(towards: norm, share) }
    }
  }
}

private func moveAverage(_ average: inout [Float], towards target: [Float], _ share: Float) {
  let target = target.span
  for index in average.indices { average[index] += share * (target[index] - average[index]) }
}

extension NormWeights {
  /// Moves parameters and running statistics; the count of batches is that of the target.
  mutating func moveAverage(towards norm: NormWeights, _ share: Float) {
    BollyGANTraining.moveAverage(&scale, towards: norm.scale, share)
    BollyGANTraining.moveAverage(&shift, towards: norm.shift, share)
    BollyGANTraining.moveAverage(&runningMean, towards: norm.runningMean, share)
    BollyGANTraining.moveAverage(&runningVariance, towards: norm.runningVariance, share)
    batchesTracked = norm.batchesTracked
  }
}
