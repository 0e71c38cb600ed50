// The gradients of a step, for comparison with another trainer.

extension FastTrainer: GradientEngine {
  package func gradients(_ batch: TrainingBatch) throws -> StepGradients {
    let before = state()
    defer { restore(before) }
    let losses = try step(batch)
    func gradients(_ network: FastNetwork) -> [String: [Double]] {
      Dictionary(
        uniqueKeysWithValues: network.parameters.map { parameter in
          (parameter.name, parameter.tensor(parameter.gradient).values.map { Double($0) })
        })
    }
    return StepGradients(
      losses: losses, discriminator: gradients(discriminator), generator: gradients(generator))
  }
}
