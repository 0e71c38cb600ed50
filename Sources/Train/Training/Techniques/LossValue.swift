#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The loss of one batch of logits by itself, in an engine's own arithmetic.
package protocol BatchLoss<Scalar> {
  /// Type of logits and gradients.
  associatedtype Scalar: BinaryFloatingPoint & Sendable

  /// The mean loss.
  var loss: Double { get }
  /// The mean of σ(logit): D(x) or D(G(z)).
  var score: Double { get }
  /// The gradient of `loss` with respect to each logit.
  var gradient: [Scalar] { get }

  /// Computes the loss of a batch.
  ///
  /// - Precondition: `techniques.loss` is not relativistic.
  init(logits: [Scalar], batch: StepBatch, techniques: Techniques)
}

/// One player's loss in a step, with its gradients with respect to the discriminator's logits.
///
/// This is the one place where losses of single batches and relativistic losses part. `Batch` does
/// the arithmetic of the former; the latter are computed here, in float64, for every engine.
package struct LossValue<Batch: BatchLoss> {
  package typealias Scalar = Batch.Scalar

  /// The mean loss.
  package let loss: Double
  /// D(x), the mean of σ(r) over the logits r of real images; for a relativistic loss the mean of
  /// σ(r − f̄), how likely a real image looks more real than the average generated one. 0 where no
  /// real images are involved.
  package let realScore: Double
  /// D(G(z)), the mean of σ(f) over the logits f of generated images; for a relativistic loss the
  /// mean of σ(f − r̄).
  package let fakeScore: Double
  /// Gradient of `loss` with respect to each real image's logit.
  package let realGradient: [Scalar]
  /// Gradient of `loss` with respect to each generated image's logit.
  package let fakeGradient: [Scalar]

  /// Computes the loss of one player.
  ///
  /// - Parameters:
  ///   - real: logits of real images. Ignored for the generator, unless the loss is relativistic.
  ///   - fake: logits of generated images, at least one.
  ///   - player: whose loss it is.
  ///   - techniques: which loss, and its labels.
  package init(real: [Scalar], fake: [Scalar], of player: Player, techniques: Techniques) {
    if techniques.loss.isRelativistic {
      self.init(comparing: real, with: fake, of: player, loss: techniques.loss)
    } else {
      self.init(separately: real, fake, of: player, techniques: techniques)
    }
  }

  /// Computes a loss that takes each batch alone.
  private init(
    separately real: [Scalar], _ fake: [Scalar], of player: Player, techniques: Techniques
  ) {
    switch player {
    case .discriminator:
      let onReal = Batch(logits: real, batch: .real, techniques: techniques)
      let onFake = Batch(logits: fake, batch: .fake, techniques: techniques)
      loss = onReal.loss + onFake.loss
      (realScore, fakeScore) = (onReal.score, onFake.score)
      (realGradient, fakeGradient) = (onReal.gradient, onFake.gradient)
    case .generator:
      let onFake = Batch(logits: fake, batch: .generator, techniques: techniques)
      loss = onFake.loss
      (realScore, fakeScore) = (0, onFake.score)
      (realGradient, fakeGradient) = ([], onFake.gradient)
    }
  }

  /// The gradient of the discriminator's loss with respect to real images' logits, where it can be
  /// known before there are generated images; nil for a relativistic loss.
  package static func realGradient(logits: [Scalar], techniques: Techniques) -> [Scalar]? {
    guard !techniques.loss.isRelativistic else { return nil }
    return Batch(logits: logits, batch: .real, techniques: techniques).gradient
  }
}

// MARK: - Relativistic losses

extension LossValue {
  /// Computes a relativistic loss (see ``AdversarialLoss``).
  ///
  /// The two batches may differ in size: a last, short batch of real images can meet a full batch
  /// of generated ones. The shorter batch is then repeated to form the pairs.
  ///
  /// - Precondition: neither batch is empty.
  private init(
    comparing real: [Scalar], with fake: [Scalar], of player: Player, loss: AdversarialLoss
  ) {
    let realMean = Self.mean(real)
    let fakeMean = Self.mean(fake)
    realScore = real.reduce(0) { $0 + Self.sigmoid(Double($1) - fakeMean) } / Double(real.count)
    fakeScore = fake.reduce(0) { $0 + Self.sigmoid(Double($1) - realMean) } / Double(fake.count)
    // The discriminator wants real above generated, the generator the opposite.
    let sign = player == .generator ? -1.0 : 1.0
    var total = 0.0
    var realSlopes = [Double](repeating: 0, count: real.count)
    var fakeSlopes = [Double](repeating: 0, count: fake.count)
    switch loss {
    case .pairedLogistic:
      let pairs = max(real.count, fake.count)
      for pair in 0..<pairs {
        let (r, f) = (pair % real.count, pair % fake.count)
        let gap = sign * (Double(real[r]) - Double(fake[f]))
        // log(1 + e^−gap) without overflow. NaN stays NaN.
        total += (gap > 0 ? 0 : -gap) + log1p(exp(-abs(gap)))
        let slope = -sign * Self.sigmoid(-gap) / Double(pairs)
        realSlopes[r] += slope
        fakeSlopes[f] -= slope
      }
      self.loss = total / Double(pairs)
    case .averageLeastSquares:
      // r − f̄ should be `sign`, f − r̄ should be −`sign`. Each logit also moves its batch's mean,
      // to which the other batch is compared.
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
