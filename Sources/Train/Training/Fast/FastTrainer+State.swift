import BollyGANCompute
import BollyGANModel

// Copies of the trainer's state, and resuming from them.

extension FastTrainer {
  /// A copy of everything that changes from step to step.
  public func state() -> TrainingState {
    TrainingState(
      generator: generator.weights, discriminator: discriminator.weights,
      generatorOptimizer: generator.optimizer, discriminatorOptimizer: discriminator.optimizer,
      spectral: discriminator.spectral)
  }

  /// Resumes from a state that ``state()`` returned, bit for bit.
  ///
  /// - Precondition: the state belongs to networks of this shape.
  public func restore(_ state: TrainingState) {
    generator.load(state.generator)
    discriminator.load(state.discriminator, spectral: state.spectral)
    generator.load(state.generatorOptimizer)
    discriminator.load(state.discriminatorOptimizer)
  }

  /// A copy of the generator alone.
  public func generatorWeights() -> GeneratorWeights { generator.weights }
}

extension FastNetwork {
  /// A copy of Adam's state.
  fileprivate var optimizer: OptimizerState {
    func tensors(_ moment: KeyPath<FastParameter, FloatBuffer>) -> [String: Tensor] {
      Dictionary(
        uniqueKeysWithValues: parameters.map { ($0.name, $0.tensor($0[keyPath: moment])) })
    }
    return OptimizerState(
      firstMoments: tensors(\.first), secondMoments: tensors(\.second), step: updates)
  }

  fileprivate func load(_ state: OptimizerState) {
    for parameter in parameters {
      guard let first = state.firstMoments[parameter.name],
        let second = state.secondMoments[parameter.name]
      else { preconditionFailure("the state has no moments for \(parameter.name)") }
      parameter.load(first.values, into: parameter.first)
      parameter.load(second.values, into: parameter.second)
    }
    updates = state.step
  }
}
