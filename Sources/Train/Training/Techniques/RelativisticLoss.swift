#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A relativistic loss of two batches of logits, its gradients, and the scores.
///
/// The two batches may differ in size: a last, short batch of real images can meet a full batch of
/// generated ones. The shorter batch is then repeated to form the pairs.
package struct RelativisticLoss<Scalar: BinaryFloatingPoint & Sendable>: Sendable {
  /// The mean loss.
  package let loss: Double
  /// Mean of σ(r − f̄): how likely a real image looks more real than the average generated one.
  package let realScore: Double
  /// Mean of σ(f − r̄), the same for generated images.
  package let fakeScore: Double
  /// Gradient of `loss` with respect to each real image's logit.
  package let realGradient: [Scalar]
  /// Gradient of `loss` with respect to each generated image's logit.
  package let fakeGradient: [Scalar]

  /// The loss of a step.
  ///
  /// - Parameters:
  ///   - real: logits of real images, at least one.
  ///   - fake: logits of generated images, at least one.
  ///   - goal: `.own` for the generator's loss; anything else for the discriminator's.
  /// - Precondition: `loss` is relativistic.
  package init(real: [Scalar], fake: [Scalar], goal: LossGoal, loss: AdversarialLoss) {
    let realMean = Self.mean(real)
    let fakeMean = Self.mean(fake)
    realScore = real.reduce(0) { $0 + Self.sigmoid(Double($1) - fakeMean) } / Double(real.count)
    fakeScore = fake.reduce(0) { $0 + Self.sigmoid(Double($1) - realMean) } / Double(fake.count)
    // The discriminator wants real above generated, the generator the opposite.
    let sign = goal == .own ? -1.0 : 1.0
    var total = 0.0
    var realSlopes = [Double](repeating: 0, count: real.count)
    var fakeSlopes = [Double](repeating: 0, count: fake.count)
    switch loss {
    case .pairedLogistic:
      let pairs = max(real.count, fake.count)
      for pair in 0..<pairs {
        let (r, f) = (pair % real.count, pair % fake.count)
        let gap = sign * (Double(real[r]) - Double(fake[f]))
        // log(1 + e^−gap) without overflow. A NaN stays one.
        total += (gap > 0 ? 0 : -gap) + log1p(exp(-abs(gap)))
        let slope = -sign * Self.sigmoid(-gap) / Double(pairs)
        realSlopes[r] += slope
        fakeSlopes[f] -= slope
      }
      self.loss = total / Double(pairs)
    case .averageLeastSquares:
      // r − f̄ should be `sign`, f − r̄ should be −`sign`; the other batch's mean moves with each of
      // its logits.
      let realExcess = realMean - fakeMean - sign
      let fakeExcess = fakeMean - realMean + sign
      for (index, logit) in real.enumerated() {
        let excess = Double(logit) - fakeMean - sign
        total += excess * excess / (2 * Double(real.count))
        realSlopes[index] = (excess - fakeExcess) / Double(real.count)
      }
      for (index, logit) in fake.enumerated() {
        let excess = Double(logit) - realMean + sign
        total += excess * excess / (2 * Double(fake.count))
        fakeSlopes[index] = (excess - realExcess) / Double(fake.count)
      }
      self.loss = total
    case .bce, .hinge, .logistic:
      preconditionFailure("\(loss.rawValue) is not a relativistic loss")
    }
    realGradient = realSlopes.map { Scalar($0) }
    fakeGradient = fakeSlopes.map { Scalar($0) }
  }

  private static func mean(_ logits: [Scalar]) -> Double {
    logits.reduce(0) { $0 + Double($1) } / Double(logits.count)
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
