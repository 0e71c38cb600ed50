import BollyGANTraining

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Watches the figures of each step, and now and then pictures, and says when training has failed
/// beyond recovery.
///
/// Every rule looks at means over a share of an epoch: a single lucky step does not hide a failure, a
/// single unlucky one is none, and small sets, which have few steps in an epoch, get no less time
/// than they need. No bound is reached by a healthy run; `Documentation/Training.md` says what was
/// measured.
package struct DivergenceGuard: Sendable {
  /// Why a run is given up.
  package enum Diagnosis: String, Sendable, Codable, CaseIterable {
    /// The discriminator takes everything for real.
    case allReal
    /// The discriminator takes everything for made.
    case allFake
    /// The discriminator is wrong more often than if it guessed: the networks throw each other from
    /// one side to the other.
    case discriminatorLost
    /// The discriminator is never wrong, so that the generator has nothing to go by.
    case discriminatorWon
    /// Gradients have grown out of all proportion.
    case exploding
    /// The generator draws the same face from every latent.
    case collapsed
    /// A number overflowed or was never one.
    case notFinite
  }

  /// What the guard watches for in a step.
  package struct Figures: Equatable, Sendable {
    package var lossD: Double
    package var dX: Double
    package var dGz1: Double
    /// Natural logarithms of the gradients' norms; nil where the engine does not say.
    package var logGradientD: Double?
    package var logGradientG: Double?

    init(_ losses: StepLosses) {
      (lossD, dX, dGz1) = (losses.lossD, losses.dX, losses.dGz1)
      logGradientD = losses.gradientD.map { log(max($0, Self.leastNorm)) }
      logGradientG = losses.gradientG.map { log(max($0, Self.leastNorm)) }
    }

    /// A gradient of 0 has no logarithm; one this small moves nothing either.
    private static let leastNorm = 1e-12
  }

  /// What is remembered; part of a checkpoint, so that a resumed run is stopped at the same step.
  package struct Memory: Equatable, Sendable {
    /// Figures of the last steps, the newest last.
    package var figures: [Figures] = []
    /// The highest mean of a window of gradients so far, by network.
    package var highestD: Double?
    package var highestG: Double?
    /// The largest spread of pictures so far.
    package var largestSpread = 0.0
    /// Looks in a row that found too small a spread, and too many saturated values.
    package var narrowLooks = 0
    package var saturatedLooks = 0
    /// Whether saturation was warned of.
    package var hasWarned = false

    package init() {}
  }

  package private(set) var memory: Memory
  /// Steps for which the discriminator may answer alike; also those from one look at pictures to the
  /// next.
  package let patience: Int
  /// Steps for which the discriminator may be right about everything: early in a healthy run it
  /// is, for some dozens.
  package let longPatience: Int
  /// The loss and how it is to be read.
  private let techniques: Techniques

  package init(stepsPerEpoch: Int, techniques: Techniques = .none, memory: Memory = Memory()) {
    patience = min(max(stepsPerEpoch / 4, 10), 200)
    longPatience = min(max(stepsPerEpoch, 200), 2000)
    self.techniques = techniques
    self.memory = memory
  }

  /// Steps that lead to a diagnosis: what was saved before them is from before the failure.
  package func window(of diagnosis: Diagnosis) -> Int {
    switch diagnosis {
    case .allReal, .allFake, .exploding, .notFinite: patience
    case .discriminatorLost, .collapsed: 2 * patience
    case .discriminatorWon: longPatience
    }
  }

  // MARK: Steps

  /// Takes in one step's figures.
  ///
  /// - Returns: Why the run should be given up now, or nil.
  package mutating func observe(_ losses: StepLosses) -> Diagnosis? {
    memory.figures.append(Figures(losses))
    memory.figures.removeFirst(max(0, memory.figures.count - max(longPatience, 5 * patience)))
    if let end = end(patience) { return end }
    // One answer's cross-entropy may be 100: a few such steps are not half an epoch of them.
    let ceiling = 3 * guessingLoss
    if let loss = mean(2 * patience, { min($0.lossD, ceiling) }), loss > 1.25 * guessingLoss {
      return end(patience / 2) ?? .discriminatorLost
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

  /// The discriminator's loss where it answers alike to everything, the best it can then.
  package var guessingLoss: Double { techniques.loss.guessing }

  /// Whether the discriminator has been at either end over the newest steps. Both are 0.1 wide, so
  /// that of ten steps one may be elsewhere.
  private func end(_ count: Int) -> Diagnosis? {
    guard let dX = mean(count, \.dX), let dGz1 = mean(count, \.dGz1) else { return nil }
    if dX > 0.9 && dGz1 > 0.9 { return .allReal }
    return dX < 0.1 && dGz1 < 0.1 ? .allFake : nil
  }

  /// Mean over the newest steps; nil where there are not so many or one has no such figure.
  private func mean(_ count: Int, _ figure: (Figures) -> Double?) -> Double? {
    guard memory.figures.count >= count else { return nil }
    return Self.mean(memory.figures.suffix(count), figure)
  }

  private static func mean(_ steps: ArraySlice<Figures>, _ figure: (Figures) -> Double?) -> Double?
  {
    var sum = 0.0
    for step in steps {
      guard let value = figure(step) else { return nil }
      sum += value
    }
    return sum / Double(steps.count)
  }

  /// Whether gradients have been, over the newest window, beyond everything before; and the highest
  /// mean of a window by now, the newest left out, which may be the failure itself.
  ///
  /// Norms vary by factors, so their logarithms are looked at: the newest window's mean must lie six
  /// standard deviations above the four windows before it, a deviation counting at least a factor
  /// of e, and ten times above every earlier window, for a discriminator that had won and comes back
  /// has tiny gradients before large ones.
  private func growth(
    _ figure: (Figures) -> Double?, highest: Double?
  ) -> (explodes: Bool, highest: Double?) {
    let steps = memory.figures.suffix(5 * patience)
    let (before, newest) = (steps.dropLast(patience), steps.suffix(patience))
    guard before.count >= patience, let level = Self.mean(newest, figure),
      let done = Self.mean(before.suffix(patience), figure)
    else { return (false, highest) }
    let highest = max(highest ?? done, done)
    guard steps.count == 5 * patience, let usual = Self.mean(before, figure),
      let square = Self.mean(before, { figure($0).map { ($0 - usual) * ($0 - usual) } })
    else { return (false, highest) }
    let deviation = max(square.squareRoot(), 1)
    return (level > usual + 6 * deviation && level > highest + log(10), highest)
  }

  // MARK: Pictures

  /// What the fixed latents' pictures look like together.
  package struct Look: Equatable, Sendable {
    /// Root mean square distance between two pictures, in the pixels' own unit.
    package var spread: Double
    /// Share of the values that are 1 or -1 to three digits.
    package var saturated: Double

    /// Looks at `count` pictures of equal size.
    ///
    /// The mean square of all distances between two of n pictures is 2/(n − 1) times the sum of
    /// squared distances from their mean, divided by the values in a picture.
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

  /// Whether the pictures are to be looked at after the given step.
  package func looks(after step: Int) -> Bool { step % patience == 0 }

  /// Takes in what the pictures look like.
  ///
  /// - Parameter usual: Share of saturated values in the data.
  /// - Returns: Why the run should be given up now, or nil; and whether to warn of saturation.
  package mutating func observe(
    _ look: Look, usual: Double
  ) -> (diagnosis: Diagnosis?, isSaturated: Bool) {
    guard look.spread.isFinite else { return (.notFinite, false) }
    memory.largestSpread = max(memory.largestSpread, look.spread)
    let isNarrow = look.spread < Self.narrowShare * memory.largestSpread
    memory.narrowLooks = isNarrow ? memory.narrowLooks + 1 : 0
    // A white background is as the data have it.
    let isSaturated = look.saturated > max(0.05, 2 * usual)
    memory.saturatedLooks = isSaturated ? memory.saturatedLooks + 1 : 0
    let warns = memory.saturatedLooks >= 2 && !memory.hasWarned
    if warns { memory.hasWarned = true }
    return (memory.narrowLooks >= 2 ? .collapsed : nil, warns)
  }

  /// The share of the largest spread below which pictures are all alike.
  package static let narrowShare = 0.25
}

// MARK: - In a checkpoint

extension DivergenceGuard.Memory {
  private static let none = -1e300
  private static let headCount = 6

  /// All of it as numbers.
  var values: [Double] {
    [
      highestD ?? Self.none, highestG ?? Self.none, largestSpread, Double(narrowLooks),
      Double(saturatedLooks), hasWarned ? 1 : 0,
    ]
      + figures.flatMap {
        [
          $0.lossD, $0.dX, $0.dGz1, $0.logGradientD ?? Self.none, $0.logGradientG ?? Self.none,
        ]
      }
  }

  /// What ``values`` gave; nil where these are other numbers.
  init?(values: [Double]) {
    guard values.count >= Self.headCount, (values.count - Self.headCount) % 5 == 0,
      let narrow = Int(exactly: values[3]), let saturated = Int(exactly: values[4])
    else { return nil }
    func optional(_ value: Double) -> Double? { value == Self.none ? nil : value }
    (highestD, highestG) = (optional(values[0]), optional(values[1]))
    (largestSpread, narrowLooks, saturatedLooks) = (values[2], narrow, saturated)
    hasWarned = values[5] == 1
    figures = stride(from: Self.headCount, to: values.count, by: 5).map { start in
      DivergenceGuard.Figures(
        lossD: values[start], dX: values[start + 1], dGz1: values[start + 2],
        logGradientD: optional(values[start + 3]), logGradientG: optional(values[start + 4]))
    }
  }
}

extension DivergenceGuard.Figures {
  fileprivate init(
    lossD: Double, dX: Double, dGz1: Double, logGradientD: Double?, logGradientG: Double?
  ) {
    (self.lossD, self.dX, self.dGz1) = (lossD, dX, dGz1)
    (self.logGradientD, self.logGradientG) = (logGradientD, logGradientG)
  }
}
