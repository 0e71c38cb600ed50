/// What a recipe may do beyond the DCGAN of 2015; nothing of it in `tutorial` and `article`.
public struct Techniques: Hashable, Sendable, Codable {
  /// Changes that every picture undergoes before the discriminator sees it.
  public var augmentation: Augmentation = []
  /// What both networks try to make small.
  public var loss = AdversarialLoss.bce
  /// By how much less than 1 the discriminator should answer to real pictures.
  public var labelSmoothing = 0.0
  /// Standard deviation of the noise on every picture that the discriminator sees, at the beginning;
  /// it falls linearly over the run's epochs, to 0 or ``noiseFloor``.
  public var instanceNoise = 0.0
  /// What that deviation does not fall below. A little noise shows the discriminator how strong the
  /// contrast is: normalised by batches of all real or all drawn pictures it sees no scale, since its
  /// convolutions have no addends and LeakyReLU(αx) is α · LeakyReLU(x), and the generator's contrast
  /// wanders.
  public var noiseFloor = 0.0
  /// Last share of the run's epochs over which both learning rates fall linearly to 0.
  public var rateDecay = 0.0
  /// What keeps the discriminator's layers in bounds.
  public var discriminatorNorm = DiscriminatorNorm.batch
  /// Weight γ of the penalty on the discriminator's slope where pictures are real: γ/2 times the mean
  /// of the squared length of its gradient to them (Mescheder, Geiger and Nowozin 2018,
  /// arXiv:1801.04406, section 4.1).
  public var r1 = 0.0
  /// Steps from one that has the penalty to the next, where it then weighs as many times as much
  /// (Karras et al. 2020, arXiv:1912.04958, appendix B).
  public var r1Every = 16

  /// A loss, with or without smoothed labels and constant noise, and nothing else.
  public init(
    loss: AdversarialLoss = .bce, labelSmoothing: Double = 0, noiseFloor: Double = 0
  ) {
    self.loss = loss
    self.labelSmoothing = labelSmoothing
    self.noiseFloor = noiseFloor
  }

  /// None of them: a DCGAN as it was.
  public static let none = Techniques()

  /// What a file does not name is not used: files from before a technique was known stay readable.
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

  /// Whether what is done in a step depends on how many the run will have.
  package var dependOnLength: Bool { instanceNoise > noiseFloor || rateDecay > 0 }

  /// What both learning rates are multiplied by in a step.
  ///
  /// - Parameters:
  ///   - step: Steps made before it.
  ///   - total: Steps of all epochs.
  package func rateFactor(step: Int, of total: Int) -> Double {
    let falling = rateDecay * Double(total)
    let left = Double(total - step)
    return falling > left ? left / falling : 1
  }

  /// Weight of the penalty in a step, given the steps before it.
  package func slopePenalty(step: Int) -> Double {
    step.isMultiple(of: r1Every) ? r1 * Double(r1Every) : 0
  }

  /// Whether the discriminator sees noise on pictures.
  var hasNoise: Bool { max(instanceNoise, noiseFloor) > 0 }

  /// Standard deviation of the noise in a step; parameters as above.
  package func noiseDeviation(step: Int, of total: Int) -> Double {
    max(noiseFloor, instanceNoise * Double(total - step) / Double(total))
  }
}

extension KeyedDecodingContainer {
  /// Read by the recipe's synthesised initialiser: a recipe that names no techniques has none.
  func decode(_ type: Techniques.Type, forKey key: Key) throws -> Techniques {
    try decodeIfPresent(type, forKey: key) ?? .none
  }
}
