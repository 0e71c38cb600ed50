import BollyGANTraining

/// A training step, for display.
package struct StepReport: Sendable {
  /// Steps made since the run began.
  package let step: Int
  /// Steps that the run will have made at its end.
  package let totalSteps: Int
  /// The epoch, counted from 1.
  package let epoch: Int
  /// Epochs in the whole run.
  package let totalEpochs: Int
  /// Real images in this step's batch.
  package let pictures: Int
  package let losses: StepLosses
}

/// Something that follows a run, such as a progress bar or a stream of JSON.
package protocol RunObserver: AnyObject {
  /// Called after every training step.
  func madeStep(_ report: StepReport)
  /// Called for every event, as it was logged.
  func logged(_ event: LogEvent)
  /// Called with a sentence that the user should see.
  func warned(_ message: String)
}

/// How a run ended.
package enum RunEnd: Sendable {
  /// All steps were made.
  case finished
  /// The user asked for it. Everything is saved.
  case stopped
  /// Training failed.
  case diverged(Divergence)
}

extension TrainingRun {
  /// A closing sentence for the user: how far the run is, and how to look at its weights.
  package var summary: String {
    let steps = "\(step) of \(totalSteps) steps made"
    guard step > 0 else { return steps }
    let generator = folder.path(of: RunFolder.generatorName)
    return "\(steps); the weights are in \(generator). To see faces: "
      + "bollygan-infer --model \(generator) --out faces.png"
  }
}
