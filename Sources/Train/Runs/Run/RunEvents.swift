import BollyGANTraining

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
    watch: DivergenceGuard, recipe: Recipe, rateFactor: Double = 1, checkpoint: String?
  ) {
    self.diagnosis = diagnosis
    self.step = step
    self.checkpoint = checkpoint
    let window = watch.window(of: diagnosis)
    finding =
      switch diagnosis {
      case .allReal:
        "over the last \(window) steps the discriminator has taken nearly every picture for real, the "
          + "made ones too (D(x) and D(G(z)) above 0.9), so the generator learns nothing"
      case .allFake:
        "over the last \(window) steps the discriminator has taken nearly every picture for made, the "
          + "real ones too (D(x) and D(G(z)) below 0.1)"
      case .discriminatorLost:
        "over the last \(window) steps the discriminator's loss has been far above what guessing costs, "
          + "\((watch.guessingLoss * 100).rounded() / 100): each step undoes the one before"
      case .discriminatorWon:
        "over the last \(window) steps the discriminator has been right about every picture (loss below "
          + "0.001), so the generator has nothing to go by"
      case .exploding:
        "over the last \(window) steps gradients have been hundreds of times larger than ever before"
      case .collapsed:
        "the generator draws nearly the same face from every latent: pictures differ by less than a "
          + "quarter of what they once did"
      case .notFinite: "\(place ?? "a value") is not finite"
      }
    let highest = max(recipe.generatorRate, recipe.discriminatorRate) * rateFactor
    advice =
      if diagnosis == .discriminatorWon {
        "A discriminator that wins needs more pictures, a lower --lr-discriminator than "
          + "\(recipe.discriminatorRate * rateFactor), or a smaller --discriminator-width"
      } else if highest > 2 * Self.usualRate {
        "The learning rate is \(highest), \(Int((highest / Self.usualRate).rounded())) times the "
          + "usual \(Self.usualRate): begin again with --lr \(Self.usualRate), or go on from before it "
          + "with half the rate by --resume RUN --guard rollback"
      } else {
        "Begin again with another --seed or a learning rate below \(highest), or go on from before it "
          + "with half the rate by --resume RUN --guard rollback"
      }
  }
}
