import BollyGANInfer
import BollyGANTraining

/// The best measurement of a run so far.
package struct BestQuality: Equatable, Sendable {
  /// Steps made when it was taken; the checkpoint of that step is kept.
  package var step: Int
  /// ``QualityFigures/choice`` then.
  package var figure: Double

  package init(step: Int, figure: Double) {
    self.step = step
    self.figure = figure
  }
}

extension TrainingRun {
  /// Whether quality is to be measured after an epoch.
  func measuresQuality(after epoch: Int) -> Bool {
    guard let every = options.qualityEvery, every > 0 else { return false }
    // The last epoch always, so that short runs can be compared as well.
    return (epoch % every == 0 || epoch == recipe.epochs) && training.count > 3
      && heldOut.count != 1
  }

  /// Measures what the run would give away now, and keeps it where it is the best so far.
  ///
  /// - Returns: Whether it is, so that a checkpoint should be written.
  func measureQuality() -> Bool {
    let start = ContinuousClock.now
    let meter = meter ?? newMeter()
    self.meter = meter
    if best == nil {
      note("quality_reference") { line in
        line.add("pictures", meter.count)
        line.add("held_out", heldOut.count)
        if !heldOut.names.isEmpty {
          line.add("swd_data", QualityFigures.mean(meter.reference.toData))
        }
        line.add("ssim", meter.reference.similarity)
        line.add("nearest", meter.reference.copies.nearest)
        line.add("copies", meter.reference.copies.share)
      }
    }
    let figures = meter.measure(average?.weights ?? engine.generatorWeights())
    let isBest = best.map { figures.choice < $0.figure } ?? true
    note("quality") { line in
      if let toHeldOut = figures.toHeldOut {
        line.add("swd_holdout", QualityFigures.mean(toHeldOut))
      }
      line.add("swd_data", QualityFigures.mean(figures.toData))
      for (side, value) in zip(meter.sides, figures.toHeldOut ?? figures.toData) {
        line.add("levels_\(side)", value)
      }
      line.add("ssim", figures.similarity)
      line.add("nearest", figures.copies.nearest)
      line.add("copies", figures.copies.share)
      line.add("best", isBest)
      line.add("seconds", seconds(since: start))
    }
    guard isBest else { return false }
    best = BestQuality(step: step, figure: figures.choice)
    attempt("best generator") { try writeGenerator(named: RunFolder.bestGeneratorName) }
    return true
  }

  private func newMeter() -> QualityMeter {
    QualityMeter(
      training: training, heldOut: heldOut, mirrors: recipe.mirror, latentSize: shape.latent,
      instructionSet: InstructionSet(rawValue: options.kernels) ?? .best,
      threads: options.threads)
  }
}
