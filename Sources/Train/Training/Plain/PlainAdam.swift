#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Adam for all tensors of one network.
///
/// - SeeAlso: Kingma and Ba 2014 (arXiv:1412.6980), algorithm 1; the order of operations is that of
///   `torch.optim.Adam`, where epsilon is added after the root's bias correction.
package struct PlainAdam<Scalar: BinaryFloatingPoint & Sendable>: Equatable, Sendable {
  package var firstMoments: [String: [Scalar]] = [:]
  package var secondMoments: [String: [Scalar]] = [:]
  package var step = 0

  private static var epsilon: Scalar { 1e-8 }

  /// Moments of zero for the tensors of a network.
  package init(for network: PlainNetwork<Scalar>) {
    for (name, values) in network.parameters {
      firstMoments[name] = values.map { _ in 0 }
      secondMoments[name] = values.map { _ in 0 }
    }
  }

  /// Moves every tensor of the network against its gradient.
  ///
  /// - Precondition: `gradients` has all of the network's tensors.
  package mutating func update(
    _ network: inout PlainNetwork<Scalar>, gradients: [String: [Scalar]], rate: Double,
    beta1: Double, beta2: Double
  ) {
    step += 1
    let stepSize = Scalar(rate / (1 - pow(beta1, Double(step))))
    let correction = Scalar((1 - pow(beta2, Double(step))).squareRoot())
    let firstWeight = 1 - beta1
    let secondWeight = Scalar(1 - beta2)
    network.update { name, values in
      let gradient = gradients[name]!
      var first = firstMoments.removeValue(forKey: name)!
      var second = secondMoments.removeValue(forKey: name)!
      for index in values.indices {
        let slope = gradient[index]
        // torch.lerp, which starts from the nearer end.
        first[index] =
          firstWeight < 0.5
          ? first[index] + Scalar(firstWeight) * (slope - first[index])
          : slope - (slope - first[index]) * (1 - Scalar(firstWeight))
        second[index] = second[index] * Scalar(beta2) + secondWeight * slope * slope
        let denominator = second[index].squareRoot() / correction + Self.epsilon
        values[index] -= stepSize * first[index] / denominator
      }
      firstMoments[name] = first
      secondMoments[name] = second
    }
  }
}
