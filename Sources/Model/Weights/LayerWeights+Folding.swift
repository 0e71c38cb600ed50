import BollyGANModel

/// A layer with its normalisation worked into it: y = x ∗ kernel + bias.
struct FoldedLayer {
  /// `[in, out, 4, 4]` where `outputAxis` is 1, `[out, in, 4, 4]` where it is 0.
  var kernel: Tensor
  /// One number an output channel; nil where the layer has neither normalisation nor bias.
  var bias: [Float]?

  /// The biases, zeros where there are none.
  func biases(outputAxis: Int) -> [Float] {
    bias ?? [Float](repeating: 0, count: kernel.shape[outputAxis])
  }

  /// Folds in Double and rounds once, so that a folded value is off by half an ulp at most.
  init(_ layer: LayerWeights, outputAxis: Int) {
    guard let norm = layer.norm else {
      kernel = layer.kernel
      bias = layer.bias
      return
    }
    let factors = zip(norm.scale, norm.runningVariance).map { scale, variance in
      Double(scale) / (Double(variance) + NormWeights.epsilon).squareRoot()
    }
    bias = (0..<norm.channels).map { channel in
      Float(
        Double(norm.shift[channel]) - Double(norm.runningMean[channel]) * factors[channel])
    }
    let shape = layer.kernel.shape
    let outputs = shape[outputAxis]
    // Numbers that share an output channel and lie side by side.
    let run = shape[(outputAxis + 1)...].reduce(1, *)
    var values = layer.kernel.values
    for start in stride(from: 0, to: values.count, by: run) {
      let factor = factors[start / run % outputs]
      for index in start..<start + run {
        values[index] = Float(Double(values[index]) * factor)
      }
    }
    kernel = Tensor(shape: shape, values: values)
  }
}
