import BollyGANModel

/// What keeps a discriminator's layers in bounds.
public enum DiscriminatorNorm: String, Sendable, Codable, CaseIterable {
  /// Batch normalisation, as a DCGAN has it.
  case batch
  /// Nothing: each hidden layer has a bias instead. What R1 asks for, since batch normalisation makes
  /// a picture's score depend on its neighbours.
  case none
  /// Biases, and every kernel is divided by its largest singular value.
  case spectral
}

/// The two vectors by which a kernel's largest singular value is followed from step to step.
///
/// The kernel `[out, in, 4, 4]` is taken as a matrix W of `[out, in · 16]`. A round of power
/// iteration makes `right` Wᵀ `left` and `left` W `right`, each of length 1; `left`ᵀ W `right` is then
/// near the largest singular value. One round after each update of the kernel is enough, since a
/// kernel changes little in a step.
///
/// - SeeAlso: Miyato, Kataoka, Koyama and Yoshida 2018 (arXiv:1802.05957), section 2.1 and
///   appendix A.
public struct SpectralVectors: Equatable, Sendable {
  /// Of `out` numbers.
  public var left: [Float]
  /// Of `in · 16` numbers.
  public var right: [Float]

  /// The two vectors.
  public init(left: [Float], right: [Float]) {
    self.left = left
    self.right = right
  }

  /// Rounds before the first step, as many as `torch.nn.utils.parametrizations.spectral_norm` makes.
  static let firstRounds = 15
  /// What a length is at least before something is divided by it.
  static let leastLength = 1e-12

  /// Numbers in −1…1 to begin from: the same for every run, so that they cost no random numbers.
  static func beginning(count: Int) -> [Double] {
    (0..<count).map {
      Double(Int64(bitPattern: SplitMix64.mix(UInt64($0 + 1)))) * 0x1p-63
    }
  }
}

extension TrainingState {
  /// The discriminator that judges: with spectral normalisation, kernels divided by their largest
  /// singular values.
  package var judge: DiscriminatorWeights {
    var judge = discriminator
    for (index, layer) in PlainNetwork<Double>(discriminator).layers.enumerated() {
      guard let vectors = spectral[layer.kernelName] else { continue }
      judge.layers[index].kernel.values = PlainSpectral<Double>(vectors).normalised(layer.kernel)
        .map { Float($0) }
    }
    return judge
  }
}
