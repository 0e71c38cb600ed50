/// A factor and an addend per channel, `y = factor · x + addend`, in double precision.
///
/// This is the one place that folds a batch normalisation into the convolution before it. The
/// engine, the exporters and the ONNX reader all use it, so their folded weights agree to the last
/// bit.
package struct ChannelAffine: Equatable, Sendable {
  /// One factor per channel.
  package var factors: [Double]
  /// One addend per channel.
  package var addends: [Double]

  /// The identity.
  package init(channels: Int) {
    factors = [Double](repeating: 1, count: channels)
    addends = [Double](repeating: 0, count: channels)
  }

  /// A batch normalisation by running statistics.
  ///
  ///     factor = scale / √(variance + epsilon)
  ///     addend = shift − mean · factor
  ///
  /// Both are computed in float64 from float32 values; rounding them, or a weight times a factor,
  /// to float32 then costs half an ulp.
  package init(_ norm: NormWeights, epsilon: Double = NormWeights.epsilon) {
    let factors = zip(norm.scale, norm.runningVariance).map { scale, variance in
      Double(scale) / (Double(variance) + epsilon).squareRoot()
    }
    self.factors = factors
    addends = norm.shift.indices.map {
      Double(norm.shift[$0]) - Double(norm.runningMean[$0]) * factors[$0]
    }
  }

  /// Applies another map after this one.
  package mutating func append(_ next: ChannelAffine) {
    for channel in factors.indices {
      factors[channel] *= next.factors[channel]
      addends[channel] = addends[channel] * next.factors[channel] + next.addends[channel]
    }
  }
}

extension LayerWeights {
  /// The same layer as a convolution with a bias: the normalisation is folded into the kernel.
  ///
  /// A layer without normalisation is returned unchanged.
  ///
  /// - Parameter outputAxis: the kernel's axis of output channels, see ``NetworkKind/outputAxis``.
  package func folded(outputAxis: Int) -> LayerWeights {
    guard let norm else { return self }
    let affine = ChannelAffine(norm)
    return LayerWeights(
      kernel: kernel.scaled(by: affine.factors, axis: outputAxis),
      bias: affine.addends.map { Float($0) })
  }
}

extension Tensor {
  /// Each slice along an axis times its own factor, rounded once.
  package func scaled(by factors: [Double], axis: Int) -> Tensor {
    // Values that share an index of the axis and are adjacent in memory.
    let run = shape[(axis + 1)...].reduce(1, *)
    var values = values
    for start in stride(from: 0, to: values.count, by: run) {
      let factor = factors[start / run % factors.count]
      for index in start..<start + run {
        values[index] = Float(Double(values[index]) * factor)
      }
    }
    return Tensor(shape: shape, values: values)
  }
}
