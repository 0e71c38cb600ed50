#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The loss of a batch of logits, its gradient, and the scores.
package struct PlainLoss<Scalar: BinaryFloatingPoint & Sendable>: Sendable {
  /// Mean of the losses.
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
    self.init(logits, mean: { Self.crossEntropy($0, target: real ? 1 : 0) })
  }

  /// The loss of a recipe's techniques, the scripts' where there are none.
  package init(logits: [Scalar], goal: LossGoal, techniques: Techniques) {
    let target = Scalar(techniques.target(goal))
    switch techniques.loss {
    case .bce: self.init(logits, mean: { Self.crossEntropy($0, target: target) })
    case .logistic: self.init(logits, mean: { Self.logistic($0, target: target) })
    case .hinge: self.init(logits, mean: { Self.hinge($0, goal: goal) })
    case .pairedLogistic, .averageLeastSquares:
      preconditionFailure("a relativistic loss needs both batches: RelativisticLoss")
    }
  }

  /// The mean of a loss given by its value and slope at a logit of given sigmoid.
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
    // Written so that what is no number stays none.
    func cut(_ logarithm: Double) -> Double {
      let rounded = Scalar(logarithm)
      return Double(rounded < -100 ? -100 : rounded)
    }
    var loss = 0.0
    if target > 0 { loss -= Double(target) * cut(log(Double(sigmoid))) }
    if target < 1 { loss -= Double(1 - target) * cut(log1p(Double(-sigmoid))) }
    return (
      loss,
      { count in
        let slope = (1 - sigmoid) * sigmoid
        let toSigmoid = (sigmoid - target) / (slope < 1e-12 ? 1e-12 : slope) / count
        return toSigmoid * (1 - sigmoid) * sigmoid
      }
    )
  }

  /// log(1 + e^D) − target · D, where the larger exponential is taken out.
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
    _ x: (logit: Scalar, sigmoid: Scalar), goal: LossGoal
  ) -> (loss: Double, slope: (Scalar) -> Scalar) {
    let sign: Scalar = goal == .fake ? 1 : -1
    if goal == .own { return (Double(-x.logit), { count in sign / count }) }
    let excess = 1 + sign * x.logit
    return (Double(excess < 0 ? 0 : excess), { count in excess > 0 ? sign / count : 0 })
  }
}

/// The discriminator's loss of a real and a generated batch, for any loss.
struct PlainDiscriminatorLoss<Scalar: BinaryFloatingPoint & Sendable>: Sendable {
  let loss: Double
  let realScore: Double
  let fakeScore: Double
  let realGradient: [Scalar]
  let fakeGradient: [Scalar]

  init(real: [Scalar], fake: [Scalar], techniques: Techniques) {
    guard !techniques.loss.isRelativistic else {
      let pair = RelativisticLoss(real: real, fake: fake, goal: .real, loss: techniques.loss)
      (loss, realScore, fakeScore) = (pair.loss, pair.realScore, pair.fakeScore)
      (realGradient, fakeGradient) = (pair.realGradient, pair.fakeGradient)
      return
    }
    let onReal = PlainLoss(logits: real, goal: .real, techniques: techniques)
    let onFake = PlainLoss(logits: fake, goal: .fake, techniques: techniques)
    (loss, realScore, fakeScore) = (onReal.loss + onFake.loss, onReal.score, onFake.score)
    (realGradient, fakeGradient) = (onReal.gradient, onFake.gradient)
  }
}

extension PlainLoss {
  /// The generator's part of a relativistic loss.
  init(_ pair: RelativisticLoss<Scalar>) {
    loss = pair.loss
    score = pair.fakeScore
    gradient = pair.fakeGradient
  }
}
