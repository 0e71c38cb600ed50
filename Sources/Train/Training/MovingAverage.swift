import BollyGANModel

/// An exponential moving average (EMA) of the generator's weights and running statistics.
///
/// It generates more consistent images than the generator of any single step. Early on it follows
/// faster, because otherwise its first epochs would still show the random initial weights: after t
/// updates the decay is min(decay, (1 + t)/(10 + t)).
///
/// - SeeAlso: Yazıcı et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training"
///   (arXiv:1806.04498).
package struct MovingAverage {
  /// Decay per step, once the average no longer follows faster.
  package let decay: Double
  private let generator: any AveragedGenerator

  /// Starts from the given weights, new ones or those of a checkpoint, and follows an engine's.
  package init(_ weights: GeneratorWeights, decay: Double, engine: any TrainingEngine) {
    self.decay = decay
    generator =
      (engine as? any AveragingEngine)?.average(from: weights)
      ?? PlainAverage(from: weights, of: engine)
  }

  /// The current average.
  package var weights: GeneratorWeights { generator.weights }

  /// Averages in the engine's weights, after the given number of steps.
  package func update(step: Int) {
    generator.follow(share: Float(1 - min(decay, Double(1 + step) / Double(10 + step))))
  }
}

/// Weights that follow an engine's generator.
package protocol AveragedGenerator: AnyObject {
  /// The current weights.
  var weights: GeneratorWeights { get }

  /// Moves each number a towards the generator's w: a + share · (w − a), rounded after each of the
  /// three operations.
  func follow(share: Float)
}

/// An engine that averages weights in its own memory layout.
///
/// Copying all weights out of an engine after each step would take a seventh of the time of a step
/// of 16 images.
package protocol AveragingEngine: TrainingEngine {
  /// Returns weights that start as the given ones and follow the engine's.
  func average(from weights: GeneratorWeights) -> any AveragedGenerator
}

/// Weights that follow any engine's generator, by copying it after each step.
package final class PlainAverage: AveragedGenerator {
  package private(set) var weights: GeneratorWeights
  private let engine: any TrainingEngine

  /// Starts from the given weights.
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
  /// Moves parameters and running statistics. The count of batches is copied.
  mutating func moveAverage(towards norm: NormWeights, _ share: Float) {
    BollyGANTraining.moveAverage(&scale, towards: norm.scale, share)
    BollyGANTraining.moveAverage(&shift, towards: norm.shift, share)
    BollyGANTraining.moveAverage(&runningMean, towards: norm.runningMean, share)
    BollyGANTraining.moveAverage(&runningVariance, towards: norm.runningVariance, share)
    batchesTracked = norm.batchesTracked
  }
}
