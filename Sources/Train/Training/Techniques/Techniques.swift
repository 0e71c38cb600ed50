/// Techniques of a recipe beyond the DCGAN of 2015. `tutorial` and `article` use none.
public struct Techniques: Hashable, Sendable, Codable {
  /// DiffAugment's changes to every image before the discriminator sees it.
  public var augmentation: Augmentation = []
  /// The loss that both networks minimise.
  public var loss = AdversarialLoss.bce
  /// How far the label of real images is below 1.
  public var labelSmoothing = 0.0
  /// Initial standard deviation of the noise on every image that the discriminator sees. It falls
  /// linearly over the run's epochs, to 0 or ``noiseFloor``.
  public var instanceNoise = 0.0
  /// Lower bound of the noise's standard deviation.
  ///
  /// A little noise shows the discriminator the contrast of images. Without it, batch normalisation
  /// over all real or all generated images hides any scale, because the convolutions have no bias
  /// and LeakyReLU(αx) = α · LeakyReLU(x); the generator's contrast then drifts.
  public var noiseFloor = 0.0
  /// Share of the run's epochs, at its end, over which both learning rates fall linearly to 0.
  public var rateDecay = 0.0
  /// What normalises the discriminator's layers.
  public var discriminatorNorm = DiscriminatorNorm.batch
  /// Weight γ of R1, a gradient penalty on real images: γ/2 times the mean of |∇D(x)|² (Mescheder,
  /// Geiger and Nowozin 2018, arXiv:1801.04406, section 4.1).
  public var r1 = 0.0
  /// Steps from one computation of R1 to the next. Its weight is multiplied by this number (Karras
  /// et al. 2020, arXiv:1912.04958, appendix B).
  public var r1Every = 16

  /// Techniques that consist of a loss, smoothed labels and constant noise at most.
  public init(
    loss: AdversarialLoss = .bce, labelSmoothing: Double = 0, noiseFloor: Double = 0
  ) {
    self.loss = loss
    self.labelSmoothing = labelSmoothing
    self.noiseFloor = noiseFloor
  }

  /// None: the DCGAN of 2015.
  public static let none = Techniques()

  /// Decodes techniques. A technique that the file does not name is not used, so files from before
  /// it existed stay readable.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(
      _ place: WritableKeyPath<Techniques, Value>, _ key: CodingKeys
    ) throws {
      if let value = try container.decodeIfPresent(Value.self, forKey: key) {
        self[keyPath: place] = value
      }
    }
    try read(\.augmentation, .augmentation)
    try read(\.loss, .loss)
    try read(\.labelSmoothing, .labelSmoothing)
    try read(\.instanceNoise, .instanceNoise)
    try read(\.noiseFloor, .noiseFloor)
    try read(\.rateDecay, .rateDecay)
    try read(\.discriminatorNorm, .discriminatorNorm)
    try read(\.r1, .r1)
    try read(\.r1Every, .r1Every)
  }

  /// Whether a step depends on the length of the run.
  package var dependOnLength: Bool { instanceNoise > noiseFloor || rateDecay > 0 }

  /// Factor of both learning rates in a step.
  ///
  /// - Parameters:
  ///   - step: number of steps before it.
  ///   - total: number of steps in all epochs.
  package func rateFactor(step: Int, of total: Int) -> Double {
    let falling = rateDecay * Double(total)
    let left = Double(total - step)
    return falling > left ? left / falling : 1
  }

  /// Weight of R1 in a step, given the number of steps before it; 0 in steps without it.
  package func slopePenalty(step: Int) -> Double {
    step.isMultiple(of: r1Every) ? r1 * Double(r1Every) : 0
  }

  /// Whether the discriminator sees noise on images.
  var hasNoise: Bool { max(instanceNoise, noiseFloor) > 0 }

  /// Standard deviation of the noise in a step.
  ///
  /// - Parameters:
  ///   - step: number of steps before it.
  ///   - total: number of steps in all epochs.
  package func noiseDeviation(step: Int, of total: Int) -> Double {
    max(noiseFloor, instanceNoise * Double(total - step) / Double(total))
  }
}

extension KeyedDecodingContainer {
  /// Called by the synthesised decoding of ``Recipe``: a recipe that names no techniques has none.
  func decode(_ type: Techniques.Type, forKey key: Key) throws -> Techniques {
    try decodeIfPresent(type, forKey: key) ?? .none
  }
}
