import BollyGANModel

/// A layer's batch normalisation, in evaluation mode, as a factor and an addend for each channel.
///
/// `(x − mean) / √(variance + 1e-5) · scale + shift` equals `x · factor + addend`.
struct Fold {
  /// The factor of each channel; 1 without normalisation.
  var scale: [Double]
  /// The addend of each channel; the layer's bias, or 0, without normalisation.
  var shift: [Float]

  /// Folds the normalisation of a layer with `outputs` channels.
  init(_ weights: LayerWeights, outputs: Int) {
    guard let norm = weights.norm else {
      scale = Array(repeating: 1, count: outputs)
      shift = weights.bias ?? Array(repeating: 0, count: outputs)
      return
    }
    // In float64 and rounded once, so that folding costs half an ulp per weight.
    scale = (0..<outputs).map {
      Double(norm.scale[$0])
        / (Double(norm.runningVariance[$0]) + Double(NormWeights.epsilon)).squareRoot()
    }
    shift = zip(scale, 0..<outputs).map { scale, d in
      Float(Double(norm.shift[d]) - Double(norm.runningMean[d]) * scale)
    }
  }
}
