/// One step, for whoever watches.
package struct StepReport: Sendable {
  /// Steps made since the run began.
  package let step: Int
  /// Steps that the run will have made at its end.
  package let totalSteps: Int
  /// The epoch, counted from 1.
  package let epoch: Int
  /// Epochs that the run will have.
  package let totalEpochs: Int
  /// Real pictures in this step's batch.
  package let pictures: Int
  package let losses: StepLosses
}

/// Somebody who watches a run: a progress bar, a stream of JSON.
package protocol RunObserver: AnyObject {
  /// A step was made.
  func madeStep(_ report: StepReport)
  /// A line was added to the log.
  func logged(_ line: LogLine)
  /// Something a user should know, in a sentence.
  func warned(_ message: String)
}

extension TrainingRun {
  /// What there is to see now, for a user.
  package var summary: String {
    let steps = "\(step) of \(totalSteps) steps made"
    guard step > 0 else { return "\(steps)" }
    return "\(steps); the weights are in \(folder.path(of: RunFolder.generatorName)), look at them "
      + "with: bollygan-infer --model \(folder.path(of: RunFolder.generatorName)) --out faces.png"
  }
}

/// How a run came to its end.
package enum RunEnd: Sendable {
  /// All epochs or steps were made.
  case finished
  /// Somebody asked for it; everything is saved.
  case stopped
  /// Training failed beyond recovery.
  case diverged(Divergence)
}

/// What the guard found, in words.
package struct Divergence: Sendable, CustomStringConvertible {
  package let diagnosis: DivergenceGuard.Diagnosis
  /// Steps made when it was found.
  package let step: Int
  /// What was seen.
  package let finding: String
  /// What to try.
  package let advice: String
  /// The newest checkpoint, which is from before.
  package let checkpoint: String?

  package var description: String {
    "training diverged at step \(step): \(finding). \(advice)."
      + (checkpoint.map { " The last checkpoint before it is \($0)" } ?? "")
  }

  /// The rate that DCGANs are trained with (Radford, Metz and Chintala 2015, section 4).
  static let usualRate = 0.0002

  init(
    _ diagnosis: DivergenceGuard.Diagnosis, place: String? = nil, step: Int,
    watch: DivergenceGuard, recipe: Recipe, checkpoint: String?
  ) {
    self.diagnosis = diagnosis
    self.step = step
    self.checkpoint = checkpoint
    finding =
      switch diagnosis {
      case .allReal:
        "for \(watch.patience) steps the discriminator has taken every picture for real, the made ones "
          + "too (D(x) and D(G(z)) above 0.99), so the generator learns nothing"
      case .allFake:
        "for \(watch.patience) steps the discriminator has taken every picture for made, the real ones "
          + "too (D(x) and D(G(z)) below 0.01)"
      case .discriminatorLost:
        "for \(watch.patience) steps the discriminator's loss has been above 20; guessing costs 1.4"
      case .discriminatorWon:
        "for \(watch.longPatience) steps the discriminator has been right about every picture (loss below "
          + "0.001), so the generator has nothing to go by"
      case .notFinite: "\(place ?? "a value") is not finite"
      }
    let highest = max(recipe.generatorRate, recipe.discriminatorRate)
    advice =
      if diagnosis == .discriminatorWon {
        "A discriminator that wins needs more pictures, a lower --lr-discriminator than "
          + "\(recipe.discriminatorRate), or a smaller --discriminator-width"
      } else if highest > 2 * Self.usualRate {
        "The learning rate is \(highest), \(Int((highest / Self.usualRate).rounded())) times the "
          + "usual \(Self.usualRate): begin again with --lr \(Self.usualRate)"
      } else {
        "Begin again with another --seed, or with a learning rate below \(highest)"
      }
  }
}
