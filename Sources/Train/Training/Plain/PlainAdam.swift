#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Adam for all tensors of one network.
///
/// The order of operations is `torch.optim.Adam`'s, which adds epsilon after the root's bias
/// correction.
///
/// - SeeAlso: Kingma and Ba 2014 (arXiv:1412.6980), algorithm 1.
package struct PlainAdam<Scalar: BinaryFloatingPoint & Sendable>: Equatable, Sendable {
  /// By tensor name (`main.0.weight`, ...).
  package var firstMoments: [String: [Scalar]] = [:]
  /// By tensor name.
  package var secondMoments: [String: [Scalar]] = [:]
  /// Number of updates made.
  package var step = 0

  private static var epsilon: Scalar { 1e-8 }

  /// Starts with moments of zero for all tensors of a network.
  package init(for network: PlainNetwork<Scalar>) {
    for (name, values) in network.parameters {
      firstMoments[name] = values.map { _ in 0 }
      secondMoments[name] = values.map { _ in 0 }
    }
  }

  /// Updates every tensor of the network.
  ///
  /// - Precondition: `gradients` names all of the network's tensors.
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
        // As torch.lerp, which interpolates from the nearer end.
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
