import BollyGANModel

/// What normalises a discriminator's layers.
public enum DiscriminatorNorm: String, Sendable, Codable, CaseIterable {
  /// Batch normalisation, as in DCGAN.
  case batch
  /// Nothing: each hidden layer has a bias instead. R1 needs this (or ``spectral``), because batch
  /// normalisation makes an image's score depend on its batch.
  case none
  /// Biases, and every kernel divided by its largest singular value.
  case spectral
}

/// The two vectors that estimate a kernel's largest singular value by power iteration.
///
/// The kernel `[out, in, 4, 4]` is a matrix W of `[out, in · 16]`. One round sets `right` to
/// Wᵀ · `left` and `left` to W · `right`, each scaled to length 1. `left`ᵀ · W · `right` is then
/// close to the largest singular value. One round after each update is enough, because a kernel
/// changes little in a step.
///
/// - SeeAlso: Miyato, Kataoka, Koyama and Yoshida 2018 (arXiv:1802.05957), section 2.1 and appendix
///   A.
public struct SpectralVectors: Equatable, Sendable {
  /// Approximates the left singular vector, `out` numbers.
  public var left: [Float]
  /// Approximates the right singular vector, `in · 16` numbers.
  public var right: [Float]

  /// Collects the two vectors.
  public init(left: [Float], right: [Float]) {
    self.left = left
    self.right = right
  }

  /// Rounds before the first step, as in `torch.nn.utils.parametrizations.spectral_norm`.
  static let firstRounds = 15
  /// Lower bound of a length before something is divided by it: PyTorch's eps.
  static let leastLength = 1e-12

  /// Numbers in −1…1 to start from. They are the same in every run, so no random numbers are drawn
  /// for them.
  static func beginning(count: Int) -> [Double] {
    (0..<count).map {
      Double(Int64(bitPattern: SplitMix64.mix(UInt64($0 + 1)))) * 0x1p-63
    }
  }
}

extension TrainingState {
  /// The discriminator as images see it: with spectral normalisation, its kernels are divided by
  /// their largest singular values.
  package var effectiveDiscriminator: DiscriminatorWeights {
    var effective = discriminator
    for (index, layer) in PlainNetwork<Double>(discriminator).layers.enumerated() {
      guard let vectors = spectral[layer.kernelName] else { continue }
      effective.layers[index].kernel.values = PlainSpectral<Double>(vectors).normalised(
        layer.kernel
      )
      .map { Float($0) }
    }
    return effective
  }
}
