#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A pair of losses, the discriminator's and the generator's. D is the discriminator's logit,
/// before any sigmoid.
public enum AdversarialLoss: String, Sendable, Codable, CaseIterable {
  /// Binary cross-entropy of a sigmoid, each rounded as PyTorch's layers round it, with the
  /// generator's non-saturating loss (Goodfellow et al. 2014, arXiv:1406.2661). The gradient is 0
  /// where the sigmoid rounds to 0 or 1.
  case bce
  /// The discriminator: mean of max(0, 1 − D(x)) and of max(0, 1 + D(G(z))); the generator:
  /// −D(G(z)) (Lim and Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, section 4).
  case hinge
  /// The same function as ``bce``, computed from the logit so that it never saturates:
  /// log(1 + e^−D(x)), log(1 + e^D(G(z))) and log(1 + e^−D(G(z))).
  case logistic
  /// Relativistic paired: each real image is compared with one generated image. The discriminator
  /// minimises log(1 + e^−(D(x) − D(G(z)))), the generator the same with the two exchanged
  /// (Jolicoeur-Martineau 2019, arXiv:1807.00734; Huang et al. 2024, arXiv:2501.05441).
  case pairedLogistic = "rp-logistic"
  /// Relativistic average least squares: each logit is compared with the mean logit of the opposite
  /// batch. With r = D(x), f = D(G(z)), the discriminator minimises half the sum of the means of
  /// (r − f̄ − 1)² and (f − r̄ + 1)², the generator the same with r and f exchanged
  /// (Jolicoeur-Martineau 2019, section 4.2; Mao et al. 2017, arXiv:1611.04076).
  case averageLeastSquares = "ra-ls"

  /// Whether the loss depends on real and generated images together, so that the generator's step
  /// needs logits of real images as well.
  public var isRelativistic: Bool {
    switch self {
    case .bce, .hinge, .logistic: false
    case .pairedLogistic, .averageLeastSquares: true
    }
  }

  /// Whether the loss compares probabilities with labels, which can be smoothed.
  package var hasLabels: Bool {
    switch self {
    case .bce, .logistic: true
    case .hinge, .pairedLogistic, .averageLeastSquares: false
    }
  }

  /// The discriminator's loss if it gives every image the same logit: the best such constant for
  /// the losses with labels, any constant for the relativistic ones.
  package var guessing: Double {
    switch self {
    case .bce, .logistic: 2 * log(2)
    case .hinge: 2
    case .pairedLogistic: log(2)
    case .averageLeastSquares: 1
    }
  }
}

extension Techniques {
  /// The label of a batch: the probability of being real that the discriminator should answer, or
  /// that the generator wants it to answer.
  ///
  /// Only the label of real images is smoothed. Smoothing the label of generated ones would
  /// reinforce the generator's mistakes (Salimans et al. 2016, arXiv:1606.03498, section 3.4).
  func target(_ batch: StepBatch) -> Double {
    switch batch {
    case .real: 1 - labelSmoothing
    case .fake: 0
    case .generator: 1
    }
  }

  /// The minimum of the discriminator's loss: the entropy of smoothed labels, 0 without smoothing.
  package var leastLoss: Double {
    guard labelSmoothing > 0 else { return 0 }
    let target = target(.real)
    return -target * log(target) - labelSmoothing * log(labelSmoothing)
  }
}
