#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Binary cross-entropy of a batch of logits with one target, its gradient, and the scores.
package struct PlainLoss<Scalar: BinaryFloatingPoint & Sendable>: Sendable {
  /// Mean of the cross-entropies.
  package let loss: Double
  /// Mean of the sigmoids: D(x) or D(G(z)).
  package let score: Double
  /// Gradient of `loss` to each logit.
  package let gradient: [Scalar]

  /// The loss of `nn.Sigmoid` followed by `nn.BCELoss`, which is what both scripts train with.
  ///
  /// It differs from the cross-entropy of logits where the sigmoid rounds to 0 or 1: the logarithms
  /// are cut at −100 and the gradient is 0 there. That is how training at too high a rate gets stuck
  /// at a loss of 100, so it is computed in the scripts' steps and roundings.
  ///
  /// - Parameter real: Whether the discriminator should answer 1 or 0.
  package init(logits: [Scalar], real: Bool) {
    let target: Scalar = real ? 1 : 0
    var loss = 0.0
    var score = 0.0
    var gradient: [Scalar] = []
    for logit in logits {
      let sigmoid = 1 / (1 + Scalar(exp(Double(-logit))))
      let logarithm = Scalar(real ? log(Double(sigmoid)) : log1p(Double(-sigmoid)))
      // Written so that what is no number stays none.
      loss -= Double(logarithm < -100 ? -100 : logarithm)
      score += Double(sigmoid)
      let slope = (1 - sigmoid) * sigmoid
      let toSigmoid = (sigmoid - target) / (slope < 1e-12 ? 1e-12 : slope) / Scalar(logits.count)
      gradient.append(toSigmoid * (1 - sigmoid) * sigmoid)
    }
    self.loss = loss / Double(logits.count)
    self.score = score / Double(logits.count)
    self.gradient = gradient
  }
}
