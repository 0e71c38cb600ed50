import BollyGANModel

// Copies of the plain trainer's state, rounded to float32, and resuming from them.

extension PlainTrainer {
  /// A copy of everything that changes from step to step, rounded to float32.
  public func state() -> TrainingState {
    TrainingState(
      generator: GeneratorWeights(
        shape: configuration.shape, layers: exactState.generator.layerWeights),
      discriminator: DiscriminatorWeights(
        shape: configuration.shape, normalisesFirst: configuration.normalisesFirst,
        normalises: configuration.techniques.discriminatorNorm == .batch,
        layers: exactState.discriminator.layerWeights),
      generatorOptimizer: exactState.generatorAdam.rounded(for: exactState.generator),
      discriminatorOptimizer: exactState.discriminatorAdam.rounded(for: exactState.discriminator),
      spectral: Dictionary(
        uniqueKeysWithValues: zip(exactState.discriminator.layers, exactState.spectral).map {
          ($0.kernelName, $1.vectors)
        }))
  }

  /// Resumes from a state that ``state()`` returned.
  ///
  /// - Note: ``state()`` rounds to float32, so only `PlainTrainer<Float>` resumes bit for bit.
  /// - Precondition: the state belongs to networks of this shape.
  public func restore(_ state: TrainingState) {
    exactState.generator = PlainNetwork(state.generator)
    exactState.discriminator = PlainNetwork(state.discriminator)
    exactState.generatorAdam.restore(state.generatorOptimizer)
    exactState.discriminatorAdam.restore(state.discriminatorOptimizer)
    for index in exactState.spectral.indices {
      let name = exactState.discriminator.layers[index].kernelName
      guard let vectors = state.spectral[name] else {
        preconditionFailure("the state has no spectral vectors for \(name)")
      }
      exactState.spectral[index] = PlainSpectral(vectors)
    }
  }
}

extension PlainAdam {
  fileprivate func rounded(for network: PlainNetwork<Scalar>) -> OptimizerState {
    var shapes: [String: [Int]] = [:]
    for layer in network.layers {
      shapes[layer.kernelName] = [
        layer.convolution.coarseChannels, layer.convolution.fineChannels, 4, 4,
      ]
      if let bias = layer.bias { shapes[layer.biasName] = [bias.count] }
      guard let norm = layer.norm else { continue }
      for part in ["weight", "bias"] { shapes["\(layer.normName).\(part)"] = [norm.scale.count] }
    }
    func tensors(_ moments: [String: [Scalar]]) -> [String: Tensor] {
      Dictionary(
        uniqueKeysWithValues: moments.map { name, values in
          (name, Tensor(shape: shapes[name]!, values: values.map { Float($0) }))
        })
    }
    return OptimizerState(
      firstMoments: tensors(firstMoments), secondMoments: tensors(secondMoments), step: step)
  }

  fileprivate mutating func restore(_ state: OptimizerState) {
    precondition(
      state.firstMoments.keys.sorted() == firstMoments.keys.sorted()
        && state.secondMoments.keys.sorted() == secondMoments.keys.sorted(),
      "the optimiser's state belongs to another network")
    firstMoments = state.firstMoments.mapValues { $0.values.map { Scalar($0) } }
    secondMoments = state.secondMoments.mapValues { $0.values.map { Scalar($0) } }
    step = state.step
  }
}
