#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The loss of one batch of logits in float32.
///
/// ``AdversarialLoss/bce`` follows PyTorch's sigmoid and cross-entropy one after the other:
/// logarithms are clamped at −100, and the gradient is 0 where the sigmoid has become 0 or 1.
struct FastLoss: BatchLoss {
  let loss: Double
  let score: Double
  let gradient: [Float]

  init(logits: [Float], batch: StepBatch, techniques: Techniques) {
    let target = Float(techniques.target(batch))
    let sign: Float = batch == .fake ? -1 : 1
    let count = logits.count
    var total = 0.0
    var probability = 0.0
    gradient = logits.map { logit in
      let p = 1 / (1 + expf(-logit))
      probability += Double(p)
      switch techniques.loss {
      case .bce:
        if target > 0 { total -= Double(target) * Double(max(logf(p), -100)) }
        if target < 1 { total -= Double(1 - target) * Double(max(log1pf(-p), -100)) }
        let slope = p * (1 - p)
        return (p - target) / max(slope, 1e-12) / Float(count) * slope
      case .logistic:
        // Not max(), so that NaN stays NaN.
        let positive = logit < 0 ? 0 : logit
        total += Double(positive + log1pf(expf(-abs(logit))) - target * logit)
        return (p - target) / Float(count)
      case .hinge:
        let excess = (batch == .generator ? 0 : 1) - sign * logit
        total += Double(batch != .generator && excess < 0 ? 0 : excess)
        return batch == .generator || excess > 0 ? -sign / Float(count) : 0
      case .pairedLogistic, .averageLeastSquares:
        preconditionFailure("\(techniques.loss.rawValue) needs both batches, see LossValue")
      }
    }
    loss = total / Double(count)
    score = probability / Double(count)
  }
}
