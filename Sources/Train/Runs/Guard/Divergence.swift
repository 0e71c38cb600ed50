import BollyGANTraining

/// A training failure, described in words.
package struct Divergence: Sendable, CustomStringConvertible {
  /// The kind of failure.
  package let diagnosis: DivergenceGuard.Diagnosis
  /// Steps made when the failure was found.
  package let step: Int
  /// What was observed.
  package let finding: String
  /// What to try next.
  package let advice: String
  /// The newest checkpoint from before the failure, if there is one.
  package let checkpoint: String?

  package var description: String {
    "training diverged at step \(step): \(finding). \(advice)."
      + (checkpoint.map { " The last checkpoint before it is \($0)" } ?? "")
  }

  /// The usual learning rate of a DCGAN (Radford, Metz and Chintala 2015, section 4).
  private static let usualRate = 0.0002

  /// Describes a diagnosis with the numbers of a run.
  ///
  /// - Parameters:
  ///   - place: The value that is not finite, if that is the diagnosis.
  ///   - rateFactor: The factor on the recipe's learning rates.
  init(
    _ diagnosis: DivergenceGuard.Diagnosis, place: String? = nil, step: Int,
    divergenceGuard: DivergenceGuard, recipe: Recipe, rateFactor: Double, checkpoint: String?
  ) {
    self.diagnosis = diagnosis
    self.step = step
    self.checkpoint = checkpoint
    let period = "over the last \(divergenceGuard.window(of: diagnosis)) steps"
    finding =
      switch diagnosis {
      case .allReal:
        "\(period) the discriminator classified nearly every image as real, including generated "
          + "ones (D(x) and D(G(z)) above 0.9), so the generator learns nothing"
      case .allFake:
        "\(period) the discriminator classified nearly every image as fake, including real ones "
          + "(D(x) and D(G(z)) below 0.1)"
      case .discriminatorLost:
        "\(period) the discriminator's loss was at least a quarter above that of guessing, "
          + "\((divergenceGuard.guessingLoss * 100).rounded() / 100): each step undoes the "
          + "previous one"
      case .discriminatorWon:
        "\(period) the discriminator was right about every image (loss below 0.001), so the "
          + "generator gets no gradient to learn from"
      case .exploding:
        "\(period) gradients were hundreds of times larger than just before, and ten times larger "
          + "than ever"
      case .collapsed:
        "the generator makes nearly the same image from every latent: the images differ by less "
          + "than a quarter of what they once did"
      case .notFinite: "\(place ?? "a value") is not finite"
      }
    let highest = max(recipe.generatorRate, recipe.discriminatorRate) * rateFactor
    let resume =
      "resume from before the failure with half the learning rates (--resume RUN --guard rollback)"
    advice =
      if diagnosis == .discriminatorWon {
        "To weaken a discriminator that wins, use more images, an --lr-discriminator below "
          + "\(recipe.discriminatorRate * rateFactor), or a smaller --discriminator-width"
      } else if highest > 2 * Self.usualRate {
        "The learning rate is \(highest), \(Int((highest / Self.usualRate).rounded())) times the "
          + "usual \(Self.usualRate): start over with --lr \(Self.usualRate), or \(resume)"
      } else {
        "Start over with another --seed or a learning rate below \(highest), or \(resume)"
      }
  }
}
