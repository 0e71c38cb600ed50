import BollyGANModel

/// Batch normalisation: in training each channel is normalised by its mean and variance over the
/// batch and the map.
///
/// - SeeAlso: Ioffe and Szegedy 2015 (arXiv:1502.03167), algorithm 1 and the gradients below it.
package struct PlainNorm<Scalar: BinaryFloatingPoint & Sendable>: Equatable, Sendable {
  package var scale: [Scalar]
  package var shift: [Scalar]
  package var runningMean: [Scalar]
  package var runningVariance: [Scalar]
  package var batchesTracked: Int

  // In float64, because NormWeights.epsilon and NormWeights.momentum, widened from float32, would
  // be off by 1e-8 and 1e-9.
  private static var epsilon: Double { 1e-5 }
  private static var momentum: Double { 0.1 }

  /// What a forward pass leaves for its backward pass.
  package struct Record: Sendable {
    /// (x − mean) / √(variance + ε), before scale and shift.
    package var normalised: [Scalar]
    /// 1 / √(variance + ε) of each channel.
    package var inverseDeviation: [Double]
  }

  /// Widens weights to `Scalar`.
  package init(_ weights: NormWeights) {
    scale = weights.scale.map { Scalar($0) }
    shift = weights.shift.map { Scalar($0) }
    runningMean = weights.runningMean.map { Scalar($0) }
    runningVariance = weights.runningVariance.map { Scalar($0) }
    batchesTracked = weights.batchesTracked
  }

  /// The weights rounded to float32.
  package var weights: NormWeights {
    var weights = NormWeights(channels: scale.count)
    weights.scale = scale.map { Float($0) }
    weights.shift = shift.map { Float($0) }
    weights.runningMean = runningMean.map { Float($0) }
    weights.runningVariance = runningVariance.map { Float($0) }
    weights.batchesTracked = batchesTracked
    return weights
  }

  /// Normalises `x`, `[count, channels, plane]`, by its own statistics, and updates the running
  /// ones, the variance by its unbiased estimate, as PyTorch does.
  ///
  /// Sums are in float64 for either scalar, as PyTorch's are on a CPU.
  package mutating func forward(_ x: [Scalar], count: Int) -> (y: [Scalar], record: Record) {
    let channels = scale.count
    let plane = x.count / (count * channels)
    let samples = Double(count * plane)
    var normalised = x
    var y = x
    var inverseDeviation: [Double] = []
    for channel in 0..<channels {
      let planes = (0..<count).map { ($0 * channels + channel) * plane }
      var sum = 0.0
      for start in planes {
        for index in start..<start + plane { sum += Double(x[index]) }
      }
      let mean = sum / samples
      var squares = 0.0
      for start in planes {
        for index in start..<start + plane {
          let difference = Double(x[index]) - mean
          squares += difference * difference
        }
      }
      let inverse = 1 / (squares / samples + Self.epsilon).squareRoot()
      for start in planes {
        for index in start..<start + plane {
          normalised[index] = Scalar((Double(x[index]) - mean) * inverse)
          y[index] = normalised[index] * scale[channel] + shift[channel]
        }
      }
      inverseDeviation.append(inverse)
      let unbiased = squares / (samples - 1)
      runningMean[channel] = Scalar(
        Self.momentum * mean + (1 - Self.momentum) * Double(runningMean[channel]))
      runningVariance[channel] = Scalar(
        Self.momentum * unbiased + (1 - Self.momentum) * Double(runningVariance[channel]))
    }
    batchesTracked += 1
    return (y, Record(normalised: normalised, inverseDeviation: inverseDeviation))
  }

  /// Normalises by the running statistics.
  package func evaluate(_ x: [Scalar], count: Int) -> [Scalar] {
    let channels = scale.count
    let plane = x.count / (count * channels)
    var y = x
    for channel in 0..<channels {
      let inverse = 1 / (Double(runningVariance[channel]) + Self.epsilon).squareRoot()
      for n in 0..<count {
        let start = (n * channels + channel) * plane
        for index in start..<start + plane {
          let normalised = Scalar((Double(x[index]) - Double(runningMean[channel])) * inverse)
          y[index] = normalised * scale[channel] + shift[channel]
        }
      }
    }
    return y
  }

  /// All gradients, from the gradient with respect to the output, `[count, channels, plane]`.
  ///
  /// Mean and variance depend on every value of a channel, so the gradient with respect to the
  /// input is the part of `gradient` that neither shifts nor scales the channel:
  ///
  ///     dx = scale · inverseDeviation · (dy − mean(dy) − normalised · mean(dy · normalised))
  package func backward(
    _ gradient: [Scalar], record: Record, count: Int
  ) -> (input: [Scalar], scale: [Scalar], shift: [Scalar]) {
    let channels = scale.count
    let plane = gradient.count / (count * channels)
    let samples = Double(count * plane)
    var input = gradient
    var scaleGradient: [Scalar] = []
    var shiftGradient: [Scalar] = []
    for channel in 0..<channels {
      let planes = (0..<count).map { ($0 * channels + channel) * plane }
      var sum = 0.0
      var correlation = 0.0
      for start in planes {
        for index in start..<start + plane {
          sum += Double(gradient[index])
          correlation += Double(gradient[index]) * Double(record.normalised[index])
        }
      }
      let factor = Double(scale[channel]) * record.inverseDeviation[channel]
      for start in planes {
        for index in start..<start + plane {
          let normalised = Double(record.normalised[index])
          input[index] = Scalar(
            factor
              * (Double(gradient[index]) - sum / samples - normalised * correlation / samples))
        }
      }
      scaleGradient.append(Scalar(correlation))
      shiftGradient.append(Scalar(sum))
    }
    return (input, scaleGradient, shiftGradient)
  }
}
