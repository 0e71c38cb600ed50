#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What follows a layer's linear part and normalisation.
package enum PlainActivation: Sendable {
  /// max(0, x)
  case relu
  /// x, or 0.2 x where x is negative
  case leakyReLU
  case tanh
  /// x: the discriminator's logit
  case identity

  package func forward<Scalar: BinaryFloatingPoint>(_ x: [Scalar]) -> [Scalar] {
    switch self {
    case .relu: x.map { $0 > 0 ? $0 : 0 }
    case .leakyReLU: x.map { $0 > 0 ? $0 : 0.2 * $0 }
    case .tanh: x.map { Scalar(hyperbolicTangent(Double($0))) }
    case .identity: x
    }
  }

  /// The gradient to the input from that to the output.
  ///
  /// All slopes can be told from the output `y`; at exactly 0 they are those of negative numbers, as
  /// in PyTorch.
  package func backward<Scalar: BinaryFloatingPoint>(_ gradient: [Scalar], output: [Scalar])
    -> [Scalar]
  {
    switch self {
    case .relu: zip(gradient, output).map { $1 > 0 ? $0 : 0 }
    case .leakyReLU: zip(gradient, output).map { $1 > 0 ? $0 : 0.2 * $0 }
    case .tanh: zip(gradient, output).map { $0 * (1 - $1 * $1) }
    case .identity: gradient
    }
  }
}

/// The C library's `tanh`; within the enumeration above the name means the case.
private func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
