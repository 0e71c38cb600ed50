import BollyGANModel

/// The generator's weights averaged over the steps, running statistics included; it makes calmer
/// pictures than the generator of any one step.
///
/// Early on the average follows faster, or its first epochs would still show the random weights:
/// after t updates the decay is min(decay, (1 + t)/(10 + t)).
///
/// - SeeAlso: Yazıcı et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training"
///   (arXiv:1806.04498).
struct MovingAverage {
  private(set) var weights: GeneratorWeights
  let decay: Double

  /// An average of the given weights alone, or as a checkpoint holds it.
  init(_ weights: GeneratorWeights, decay: Double) {
    self.weights = weights
    self.decay = decay
  }

  /// Takes in the weights after the given number of steps.
  mutating func update(with newest: GeneratorWeights, step: Int) {
    let share = Float(1 - min(decay, Double(1 + step) / Double(10 + step)))
    func follow(_ average: inout [Float], _ target: [Float]) {
      let target = target.span
      for index in average.indices {
        average[index] += share * (target[index] - average[index])
      }
    }
    for index in weights.layers.indices {
      let layer = newest.layers[index]
      follow(&weights.layers[index].kernel.values, layer.kernel.values)
      guard let norm = layer.norm, var average = weights.layers[index].norm else { continue }
      follow(&average.scale, norm.scale)
      follow(&average.shift, norm.shift)
      follow(&average.runningMean, norm.runningMean)
      follow(&average.runningVariance, norm.runningVariance)
      average.batchesTracked = norm.batchesTracked
      weights.layers[index].norm = average
    }
  }
}
