import BollyGANInfer

/// The best quality measurement of a run so far.
package struct BestQuality: Equatable, Sendable {
  /// Steps made at that time. The checkpoint of that step is kept.
  package var step: Int
  /// ``QualityMetrics/selectionMetric`` at that time; lower is better.
  package var value: Double

  package init(step: Int, value: Double) {
    self.step = step
    self.value = value
  }
}

extension TrainingRun {
  /// Whether to measure quality after an epoch.
  func measuresQuality(after epoch: Int) -> Bool {
    guard let every = options.qualityEvery, every > 0 else { return false }
    // Always after the last epoch, so that short runs can be compared too.
    return (epoch % every == 0 || epoch == recipe.epochs) && training.count > 3
      && heldOut.count != 1
  }

  /// Measures the quality of the weights that the run would hand out now, and saves them if they
  /// are the best so far.
  ///
  /// - Returns: Whether they are, in which case a checkpoint should be written.
  func measureQuality() -> Bool {
    let start = ContinuousClock.now
    let meter = meter ?? newMeter()
    self.meter = meter
    if best == nil {
      emit(
        .qualityReference(meter.reference, pictures: meter.count, heldOut: heldOut.count))
    }
    let metrics = meter.measure(average?.weights ?? engine.generatorWeights())
    let isBest = best.map { metrics.selectionMetric < $0.value } ?? true
    emit(
      .quality(metrics, sides: meter.sides, isBest: isBest, seconds: seconds(since: start)))
    guard isBest else { return false }
    best = BestQuality(step: step, value: metrics.selectionMetric)
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
