#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The loss of one batch of logits in float64 or in PyTorch's float32 roundings.
package struct PlainLoss<Scalar: BinaryFloatingPoint & Sendable>: BatchLoss, Sendable {
  package let loss: Double
  package let score: Double
  package let gradient: [Scalar]

  /// Computes `nn.Sigmoid` followed by `nn.BCELoss`, the loss of both scripts.
  ///
  /// It differs from the cross-entropy of logits where the sigmoid rounds to 0 or 1: logarithms are
  /// clamped at −100 and the gradient is 0. That is how training at too high a rate gets stuck at a
  /// loss of 100, so this follows the scripts step by step, rounding by rounding.
  ///
  /// - Parameter real: whether the label is 1 or 0.
  package init(logits: [Scalar], real: Bool) {
    self.init(logits, mean: { Self.crossEntropy($0, target: real ? 1 : 0) })
  }

  package init(logits: [Scalar], batch: StepBatch, techniques: Techniques) {
    let target = Scalar(techniques.target(batch))
    switch techniques.loss {
    case .bce: self.init(logits, mean: { Self.crossEntropy($0, target: target) })
    case .logistic: self.init(logits, mean: { Self.logistic($0, target: target) })
    case .hinge: self.init(logits, mean: { Self.hinge($0, batch: batch) })
    case .pairedLogistic, .averageLeastSquares:
      preconditionFailure("\(techniques.loss.rawValue) needs both batches, see LossValue")
    }
  }

  /// Averages a loss that is given by its value and slope at one logit. `slope` takes the batch
  /// size.
  private init(
    _ logits: [Scalar],
    mean one: ((logit: Scalar, sigmoid: Scalar)) -> (loss: Double, slope: (Scalar) -> Scalar)
  ) {
    var loss = 0.0
    var score = 0.0
    var gradient: [Scalar] = []
    for logit in logits {
      let sigmoid = 1 / (1 + Scalar(exp(Double(-logit))))
      let found = one((logit, sigmoid))
      loss += found.loss
      score += Double(sigmoid)
      gradient.append(found.slope(Scalar(logits.count)))
    }
    self.loss = loss / Double(logits.count)
    self.score = score / Double(logits.count)
    self.gradient = gradient
  }

  private static func crossEntropy(
    _ x: (logit: Scalar, sigmoid: Scalar), target: Scalar
  ) -> (loss: Double, slope: (Scalar) -> Scalar) {
    let sigmoid = x.sigmoid
    // Not max(), which would turn NaN into −100.
    func clamped(_ logarithm: Double) -> Double {
      let rounded = Scalar(logarithm)
      return Double(rounded < -100 ? -100 : rounded)
    }
    var loss = 0.0
    if target > 0 { loss -= Double(target) * clamped(log(Double(sigmoid))) }
    if target < 1 { loss -= Double(1 - target) * clamped(log1p(Double(-sigmoid))) }
    return (
      loss,
      { count in
        let slope = (1 - sigmoid) * sigmoid
        let toSigmoid = (sigmoid - target) / (slope < 1e-12 ? 1e-12 : slope) / count
        return toSigmoid * (1 - sigmoid) * sigmoid
      }
    )
  }

  /// log(1 + e^D) − target · D, with the larger exponential factored out.
  private static func logistic(
    _ x: (logit: Scalar, sigmoid: Scalar), target: Scalar
  ) -> (loss: Double, slope: (Scalar) -> Scalar) {
    let logit = Double(x.logit)
    let loss =
      (logit < 0 ? 0 : logit) + log1p(exp(-abs(logit))) - Double(target) * logit
    return (loss, { count in (x.sigmoid - target) / count })
  }

  /// At the corner the slope is 0, as in PyTorch.
  private static func hinge(
    _ x: (logit: Scalar, sigmoid: Scalar), batch: StepBatch
  ) -> (loss: Double, slope: (Scalar) -> Scalar) {
    let sign: Scalar = batch == .fake ? 1 : -1
    if batch == .generator { return (Double(-x.logit), { count in sign / count }) }
    let excess = 1 + sign * x.logit
    return (Double(excess < 0 ? 0 : excess), { count in excess > 0 ? sign / count : 0 })
  }
}
