/// All gradients of one step, widened to double, by tensor name (`main.0.weight`, ...).
package struct StepGradients: Equatable, Sendable {
  /// What the step said of itself.
  package var losses: StepLosses
  /// Gradients that the discriminator's update used: real and fake added.
  package var discriminator: [String: [Double]]
  /// Gradients that the generator's update used, through the discriminator after its update.
  package var generator: [String: [Double]]

  package init(
    losses: StepLosses, discriminator: [String: [Double]], generator: [String: [Double]]
  ) {
    self.losses = losses
    self.discriminator = discriminator
    self.generator = generator
  }
}

/// An engine that can show the gradients of a step, for comparison with an oracle.
package protocol GradientEngine: TrainingEngine {
  /// The gradients that ``TrainingEngine/step(_:)`` would use; the engine stays as it was.
  func gradients(_ batch: TrainingBatch) throws -> StepGradients
}
