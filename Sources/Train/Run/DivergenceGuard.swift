/// Watches the figures of each step and says when training has failed beyond recovery.
///
/// Every rule counts the steps in a row for which something holds that no healthy run shows for
/// long. How many it takes is a share of an epoch, for small sets have few steps in one.
package struct DivergenceGuard: Sendable {
  /// Why a run is given up.
  package enum Diagnosis: String, Sendable {
    /// The discriminator takes everything for real.
    case allReal
    /// The discriminator takes everything for made.
    case allFake
    /// The discriminator is wrong beyond measure.
    case discriminatorLost
    /// The discriminator is never wrong, so that the generator has nothing to go by.
    case discriminatorWon
    /// A number overflowed or was never one.
    case notFinite
  }

  /// Steps in a row at which each rule held; part of a checkpoint, so that a resumed run is
  /// stopped at the same step.
  package struct Counts: Equatable, Sendable {
    package var allReal = 0
    package var allFake = 0
    package var discriminatorLost = 0
    package var discriminatorWon = 0

    package init() {}

    /// The counts in the order above.
    var values: [Int] { [allReal, allFake, discriminatorLost, discriminatorWon] }

    /// Counts that ``values`` gave; nil where there are not four or one is negative.
    init?(values: [Int]) {
      guard values.count == 4, values.allSatisfy({ $0 >= 0 }) else { return nil }
      (allReal, allFake, discriminatorLost, discriminatorWon) =
        (values[0], values[1], values[2], values[3])
    }
  }

  package private(set) var counts: Counts
  /// Steps for which the discriminator may answer alike or be wrong.
  package let patience: Int
  /// Steps for which the discriminator may be right about everything: early in a healthy run it
  /// is, for some dozens.
  package let longPatience: Int

  package init(stepsPerEpoch: Int, counts: Counts = Counts()) {
    patience = min(max(stepsPerEpoch / 4, 10), 200)
    longPatience = max(stepsPerEpoch, 200)
    self.counts = counts
  }

  /// Takes in one step's figures.
  ///
  /// - Parameter leastLoss: What the discriminator's loss is where it is right about everything.
  /// - Returns: Why the run should be given up now, or nil.
  package mutating func observe(_ losses: StepLosses, leastLoss: Double = 0) -> Diagnosis? {
    func count(_ holds: Bool, _ steps: inout Int) { steps = holds ? steps + 1 : 0 }
    count(losses.dX > 0.99 && losses.dGz1 > 0.99, &counts.allReal)
    count(losses.dX < 0.01 && losses.dGz1 < 0.01, &counts.allFake)
    // Answering 1/2 to everything costs 1.4; the cross-entropy of one answer ends at 100.
    count(losses.lossD > 20, &counts.discriminatorLost)
    count(losses.lossD < leastLoss + 0.001, &counts.discriminatorWon)
    if counts.allReal >= patience { return .allReal }
    if counts.allFake >= patience { return .allFake }
    if counts.discriminatorLost >= patience { return .discriminatorLost }
    if counts.discriminatorWon >= longPatience { return .discriminatorWon }
    return nil
  }
}
