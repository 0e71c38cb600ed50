/// All gradients of one step, widened to float64, by tensor name (`main.0.weight`, ...).
package struct StepGradients: Equatable, Sendable {
  /// Losses and scores of the step.
  package var losses: StepLosses
  /// Gradients of the discriminator's update: the sum over real and generated images.
  package var discriminator: [String: [Double]]
  /// Gradients of the generator's update, through the updated discriminator.
  package var generator: [String: [Double]]

  package init(
    losses: StepLosses, discriminator: [String: [Double]], generator: [String: [Double]]
  ) {
    self.losses = losses
    self.discriminator = discriminator
    self.generator = generator
  }
}

/// An engine that can report the gradients of a step, for comparison with an oracle.
package protocol GradientEngine: TrainingEngine {
  /// Returns the gradients that ``TrainingEngine/step(_:)`` would use, and leaves the engine
  /// unchanged.
  func gradients(_ batch: TrainingBatch) throws -> StepGradients
}
