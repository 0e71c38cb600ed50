import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A layer's activation.
package enum PlainActivation: Sendable {
  /// max(0, x)
  case relu
  /// x, or 0.2 · x where x is negative
  case leakyReLU
  case tanh
  /// x, for the discriminator's logit
  case identity

  /// The activation of each number.
  package func forward<Scalar: BinaryFloatingPoint>(_ x: [Scalar]) -> [Scalar] {
    switch self {
    case .relu: x.map { $0 > 0 ? $0 : 0 }
    case .leakyReLU: x.map { $0 > 0 ? $0 : Scalar(DiscriminatorWeights.leakySlope) * $0 }
    case .tanh: x.map { Scalar(hyperbolicTangent(Double($0))) }
    case .identity: x
    }
  }

  /// The gradient with respect to the input, from the gradient with respect to the output.
  ///
  /// All slopes follow from the output. At exactly 0 they are the slopes of negative numbers, as in
  /// PyTorch.
  package func backward<Scalar: BinaryFloatingPoint>(_ gradient: [Scalar], output: [Scalar])
    -> [Scalar]
  {
    switch self {
    case .relu: zip(gradient, output).map { $1 > 0 ? $0 : 0 }
    case .leakyReLU:
      zip(gradient, output).map { $1 > 0 ? $0 : Scalar(DiscriminatorWeights.leakySlope) * $0 }
    case .tanh: zip(gradient, output).map { $0 * (1 - $1 * $1) }
    case .identity: gradient
    }
  }
}

/// The C library's `tanh`, which the case of that name hides inside the enumeration.
private func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
