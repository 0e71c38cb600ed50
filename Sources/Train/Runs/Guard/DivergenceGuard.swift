import BollyGANTraining

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Watches the losses of every step, and some generated images, and reports when training has
/// failed beyond recovery.
///
/// All rules use means over part of an epoch, so that a single good step does not hide a failure
/// and a single bad one does not count as one. Small data sets, which have few steps per epoch,
/// still get enough time. No healthy run reaches any of the bounds; `Documentation/Training.md` has
/// the measurements.
package struct DivergenceGuard: Sendable {
  /// The ways in which training fails.
  package enum Diagnosis: String, Sendable, Codable, CaseIterable {
    /// The discriminator classifies everything as real.
    case allReal
    /// The discriminator classifies everything as fake.
    case allFake
    /// The discriminator does worse than guessing: each network's step overshoots the other's.
    case discriminatorLost
    /// The discriminator is always right, so the generator gets no gradient to learn from.
    case discriminatorWon
    /// Gradients are far larger than ever before.
    case exploding
    /// The generator makes the same image from every latent.
    case collapsed
    /// A value became infinite or NaN.
    case notFinite
  }

  /// The values of a step that the guard looks at.
  package struct StepValues: Equatable, Sendable {
    /// The discriminator loss.
    package var lossD: Double
    /// Mean of D(x) over real images.
    package var dX: Double
    /// Mean of D(G(z)) before the discriminator update.
    package var dGz1: Double
    /// Natural logarithms of the gradient norms; nil if the engine does not report them.
    package var logGradientD: Double?
    package var logGradientG: Double?

    init(_ losses: StepLosses) {
      (lossD, dX, dGz1) = (losses.lossD, losses.dX, losses.dGz1)
      logGradientD = losses.gradientD.map { log(max($0, Self.leastNorm)) }
      logGradientG = losses.gradientG.map { log(max($0, Self.leastNorm)) }
    }

    /// Replaces smaller norms, because 0 has no logarithm. A gradient this small changes nothing.
    private static let leastNorm = 1e-12
  }

  /// The guard's memory. It is part of a checkpoint, so that a resumed run is stopped at the same
  /// step.
  package struct Memory: Equatable, Sendable {
    /// The values of the last steps, the newest last.
    package var steps: [StepValues] = []
    /// The highest mean log norm of a window of gradients so far, for each network.
    package var highestD: Double?
    package var highestG: Double?
    /// The largest spread of the samples so far.
    package var largestSpread = 0.0
    /// Inspections in a row that found too little spread, or too many saturated values.
    package var narrowInspections = 0
    package var saturatedInspections = 0
    /// Whether the user was warned of saturation.
    package var hasWarned = false

    package init() {}
  }

  /// What the guard remembers of earlier steps.
  package private(set) var memory: Memory
  /// Steps for which the discriminator may give the same answer to everything. Also the steps
  /// between two inspections of samples.
  package let patience: Int
  /// Steps for which the discriminator may be right about everything. Early in a healthy run it is
  /// right for dozens of steps.
  package let longPatience: Int
  /// The loss function and the label smoothing, which determine what a loss means.
  private let techniques: Techniques

  package init(stepsPerEpoch: Int, techniques: Techniques = .none, memory: Memory = Memory()) {
    patience = min(max(stepsPerEpoch / 4, 10), 200)
    longPatience = min(max(stepsPerEpoch, 200), 2000)
    self.techniques = techniques
    self.memory = memory
  }

  /// The number of steps that lead to a diagnosis. A checkpoint from before them predates the
  /// failure.
  package func window(of diagnosis: Diagnosis) -> Int {
    switch diagnosis {
    case .allReal, .allFake, .exploding, .notFinite: patience
    case .discriminatorLost, .collapsed: 2 * patience
    case .discriminatorWon: longPatience
    }
  }

  // MARK: Steps

  /// Observes a step.
  ///
  /// - Returns: Why the run has failed, or nil.
  package mutating func observe(_ losses: StepLosses) -> Diagnosis? {
    memory.steps.append(StepValues(losses))
    memory.steps.removeFirst(max(0, memory.steps.count - max(longPatience, 5 * patience)))
    if let verdict = uniformVerdict(patience) { return verdict }
    // A single cross-entropy can be 100. Capped, a few of those do not outweigh half an epoch.
    let ceiling = 3 * guessingLoss
    if let loss = mean(2 * patience, { min($0.lossD, ceiling) }), loss > 1.25 * guessingLoss {
      return uniformVerdict(patience / 2) ?? .discriminatorLost
    }
    // A hinge or relativistic loss may be 0 while the generator still has gradients to learn from.
    if techniques.loss.hasLabels,
      let loss = mean(longPatience, { log(max($0.lossD - techniques.leastLoss, 1e-9)) }),
      loss < log(0.001)
    {
      return .discriminatorWon
    }
    let discriminator = growth(\.logGradientD, highest: memory.highestD)
    let generator = growth(\.logGradientG, highest: memory.highestG)
    memory.highestD = discriminator.highest
    memory.highestG = generator.highest
    return discriminator.explodes || generator.explodes ? .exploding : nil
  }

  /// The lowest discriminator loss possible with one answer for everything.
  package var guessingLoss: Double { techniques.loss.guessing }

  /// Whether the discriminator classified everything alike over the newest steps. The bounds of 0.9
  /// and 0.1 allow one exception in ten steps.
  private func uniformVerdict(_ count: Int) -> Diagnosis? {
    guard let dX = mean(count, \.dX), let dGz1 = mean(count, \.dGz1) else { return nil }
    if dX > 0.9 && dGz1 > 0.9 { return .allReal }
    return dX < 0.1 && dGz1 < 0.1 ? .allFake : nil
  }

  /// The mean over the newest steps; nil if there are too few of them or one lacks the value.
  private func mean(_ count: Int, _ value: (StepValues) -> Double?) -> Double? {
    guard memory.steps.count >= count else { return nil }
    return Self.mean(memory.steps.suffix(count), value)
  }

  private static func mean(
    _ steps: ArraySlice<StepValues>, _ value: (StepValues) -> Double?
  ) -> Double? {
    var sum = 0.0
    for step in steps {
      guard let value = value(step) else { return nil }
      sum += value
    }
    return sum / Double(steps.count)
  }

  /// Whether the gradients of the newest window exceed everything before; and the highest mean of
  /// any window but the newest, which may be the failure itself.
  ///
  /// Gradient norms vary by factors, so the test uses their logarithms. The mean of the newest
  /// window must be six standard deviations above the four windows before it, where a deviation
  /// counts at least as a factor of e. It must also be ten times that of every earlier window: a
  /// discriminator that had won and recovers has tiny gradients before large ones.
  private func growth(
    _ value: (StepValues) -> Double?, highest: Double?
  ) -> (explodes: Bool, highest: Double?) {
    let steps = memory.steps.suffix(5 * patience)
    let (before, newest) = (steps.dropLast(patience), steps.suffix(patience))
    guard before.count >= patience, let level = Self.mean(newest, value),
      let done = Self.mean(before.suffix(patience), value)
    else { return (false, highest) }
    let highest = max(highest ?? done, done)
    guard steps.count == 5 * patience, let usual = Self.mean(before, value),
      let square = Self.mean(before, { value($0).map { ($0 - usual) * ($0 - usual) } })
    else { return (false, highest) }
    let deviation = max(square.squareRoot(), 1)
    return (level > usual + 6 * deviation && level > highest + log(10), highest)
  }

  // MARK: Samples

  /// Statistics of the images generated from the fixed latents.
  package struct SampleInspection: Equatable, Sendable {
    /// Root mean square distance between two images, in −1…1.
    package var spread: Double
    /// Share of the values that are 1 or −1 to three digits.
    package var saturated: Double

    /// Measures `count` images of equal size.
    ///
    /// The mean squared distance between two of n images is 2/(n − 1) times the sum of squared
    /// distances from their mean, divided by the number of values in an image.
    package init(pictures: [Float], count: Int) {
      let size = pictures.count / count
      var deviations = 0.0
      var extremes = 0
      for place in 0..<size {
        var sum = 0.0
        var squares = 0.0
        for picture in 0..<count {
          let value = Double(pictures[picture * size + place])
          sum += value
          squares += value * value
          if abs(value) > 0.999 { extremes += 1 }
        }
        deviations += squares - sum * sum / Double(count)
      }
      spread = (2 * max(deviations, 0) / Double((count - 1) * size)).squareRoot()
      saturated = Double(extremes) / Double(pictures.count)
      if !deviations.isFinite { spread = .nan }
    }
  }

  /// Whether to inspect samples after a step.
  package func inspectsSamples(after step: Int) -> Bool { step % patience == 0 }

  /// Observes samples.
  ///
  /// - Parameter usual: Share of saturated values in the data.
  /// - Returns: Why the run has failed, or nil; and whether to warn of saturation.
  package mutating func observe(
    _ inspection: SampleInspection, usual: Double
  ) -> (diagnosis: Diagnosis?, isSaturated: Bool) {
    guard inspection.spread.isFinite else { return (.notFinite, false) }
    memory.largestSpread = max(memory.largestSpread, inspection.spread)
    let isNarrow = inspection.spread < Self.narrowShare * memory.largestSpread
    memory.narrowInspections = isNarrow ? memory.narrowInspections + 1 : 0
    // Data with a white background is saturated to some extent itself.
    let isSaturated = inspection.saturated > max(0.05, 2 * usual)
    memory.saturatedInspections = isSaturated ? memory.saturatedInspections + 1 : 0
    let warns = memory.saturatedInspections >= 2 && !memory.hasWarned
    if warns { memory.hasWarned = true }
    return (memory.narrowInspections >= 2 ? .collapsed : nil, warns)
  }

  /// The share of the largest spread below which the samples count as all alike.
  package static let narrowShare = 0.25
}

// MARK: - In a checkpoint

extension DivergenceGuard.Memory {
  /// Stands for nil.
  private static let none = -1e300
  /// Numbers before those of the steps.
  private static let headCount = 6

  /// The memory as numbers, for a checkpoint.
  var values: [Double] {
    [
      highestD ?? Self.none, highestG ?? Self.none, largestSpread, Double(narrowInspections),
      Double(saturatedInspections), hasWarned ? 1 : 0,
    ]
      + steps.flatMap {
        [
          $0.lossD, $0.dX, $0.dGz1, $0.logGradientD ?? Self.none, $0.logGradientG ?? Self.none,
        ]
      }
  }

  /// Restores a memory from its ``values``; nil if they are not the values of one.
  init?(values: [Double]) {
    guard values.count >= Self.headCount, (values.count - Self.headCount) % 5 == 0,
      let narrow = Int(exactly: values[3]), let saturated = Int(exactly: values[4])
    else { return nil }
    func optional(_ value: Double) -> Double? { value == Self.none ? nil : value }
    (highestD, highestG) = (optional(values[0]), optional(values[1]))
    (largestSpread, narrowInspections, saturatedInspections) = (values[2], narrow, saturated)
    hasWarned = values[5] == 1
    steps = stride(from: Self.headCount, to: values.count, by: 5).map { start in
      DivergenceGuard.StepValues(
        lossD: values[start], dX: values[start + 1], dGz1: values[start + 2],
        logGradientD: optional(values[start + 3]), logGradientG: optional(values[start + 4]))
    }
  }
}

extension DivergenceGuard.StepValues {
  fileprivate init(
    lossD: Double, dX: Double, dGz1: Double, logGradientD: Double?, logGradientG: Double?
  ) {
    (self.lossD, self.dX, self.dGz1) = (lossD, dX, dGz1)
    (self.logGradientD, self.logGradientG) = (logGradientD, logGradientG)
  }
}
