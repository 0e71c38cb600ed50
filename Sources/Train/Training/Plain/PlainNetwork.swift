import BollyGANModel

/// One layer: a convolution or transposed convolution, then batch normalisation or a bias if it has
/// one, then an activation.
package struct PlainLayer<Scalar: BinaryFloatingPoint & Sendable>: Equatable, Sendable {
  /// Direction of the forward pass: `up` is a transposed convolution, `down` a convolution.
  package enum Direction: Sendable { case up, down }

  package let direction: Direction
  package let convolution: PlainConvolution
  package let activation: PlainActivation
  /// The kernel's name in a state_dict (`main.3.weight`).
  package let kernelName: String
  /// The normalisation's name in a state_dict (`main.4`).
  package let normName: String
  /// `[coarseChannels, fineChannels, 4, 4]`
  package var kernel: [Scalar]
  /// One number for each output channel.
  package var bias: [Scalar]?
  package var norm: PlainNorm<Scalar>?

  /// The bias's name in a state_dict (`main.3.bias`).
  package var biasName: String { kernelName.replacingEnd("weight", by: "bias") }

  /// What a forward pass leaves for its backward pass.
  package struct Record: Sendable {
    package var input: [Scalar]
    package var norm: PlainNorm<Scalar>.Record?
    package var output: [Scalar]
  }

  /// The convolution and the bias.
  func linear(_ x: [Scalar], count: Int) -> [Scalar] {
    var y =
      switch direction {
      case .up: convolution.up(x, kernel: kernel, count: count)
      case .down: convolution.down(x, kernel: kernel, count: count)
      }
    if let bias {
      let plane = y.count / (count * bias.count)
      for index in y.indices { y[index] += bias[index / plane % bias.count] }
    }
    return y
  }

  /// The bias's gradient: the sum over each channel.
  private func biasGradient(_ gradient: [Scalar], channels: Int, count: Int) -> [Scalar] {
    let plane = gradient.count / (count * channels)
    var sums = [Double](repeating: 0, count: channels)
    for index in gradient.indices { sums[index / plane % channels] += Double(gradient[index]) }
    return sums.map { Scalar($0) }
  }

  /// The forward pass in training mode, which updates the running statistics.
  mutating func forward(_ x: [Scalar], count: Int) -> Record {
    var y = linear(x, count: count)
    var normRecord: PlainNorm<Scalar>.Record?
    if let (normalised, record) = norm?.forward(y, count: count) {
      y = normalised
      normRecord = record
    }
    return Record(input: x, norm: normRecord, output: activation.forward(y))
  }

  /// The backward pass, from the gradient with respect to the output.
  ///
  /// - Parameters:
  ///   - weights: whether the weights' gradients are wanted.
  ///   - input: whether the gradient with respect to the input is wanted.
  /// - Returns: The wanted gradients, the weights' by tensor name.
  func backward(
    _ gradient: [Scalar], record: Record, count: Int, weights: Bool, input: Bool
  ) -> (input: [Scalar]?, weights: [String: [Scalar]]) {
    var gradient = activation.backward(gradient, output: record.output)
    var ofWeights: [String: [Scalar]] = [:]
    if let norm, let normRecord = record.norm {
      let (toInput, toScale, toShift) = norm.backward(gradient, record: normRecord, count: count)
      gradient = toInput
      if weights {
        ofWeights["\(normName).weight"] = toScale
        ofWeights["\(normName).bias"] = toShift
      }
    }
    if weights, let bias {
      ofWeights[biasName] = biasGradient(gradient, channels: bias.count, count: count)
    }
    switch direction {
    case .up:
      if weights {
        ofWeights[kernelName] = convolution.kernelGradient(
          coarse: record.input, fine: gradient, count: count)
      }
      return (
        input ? convolution.down(gradient, kernel: kernel, count: count) : nil, ofWeights
      )
    case .down:
      if weights {
        ofWeights[kernelName] = convolution.kernelGradient(
          coarse: gradient, fine: record.input, count: count)
      }
      return (input ? convolution.up(gradient, kernel: kernel, count: count) : nil, ofWeights)
    }
  }
}

/// A generator or a discriminator as a sequence of layers.
package struct PlainNetwork<Scalar: BinaryFloatingPoint & Sendable>: Equatable, Sendable {
  /// The layers, in the order of the forward pass.
  package var layers: [PlainLayer<Scalar>]

  /// A generator: transposed convolutions with ReLU, the last with tanh.
  package init(_ weights: GeneratorWeights) {
    self.init(
      weights.layers, direction: .up, hidden: .relu, last: .tanh,
      coarseSides: [1] + (0..<weights.shape.doublings).map { 4 << $0 })
  }

  /// A discriminator up to its logit: convolutions with LeakyReLU.
  package init(_ weights: DiscriminatorWeights) {
    self.init(
      weights.layers, direction: .down, hidden: .leakyReLU, last: .identity,
      coarseSides: (0..<weights.shape.doublings).map { weights.shape.side >> ($0 + 1) } + [1])
  }

  private init(
    _ layers: [LayerWeights], direction: PlainLayer<Scalar>.Direction, hidden: PlainActivation,
    last: PlainActivation, coarseSides: [Int]
  ) {
    self.layers = []
    // PyTorch numbers convolutions, normalisations and activations as modules of one row.
    var module = 0
    for (index, layer) in layers.enumerated() {
      self.layers.append(
        PlainLayer(
          direction: direction,
          convolution: PlainConvolution(
            coarseChannels: layer.kernel.shape[0], fineChannels: layer.kernel.shape[1],
            coarseSide: coarseSides[index]),
          activation: index == layers.count - 1 ? last : hidden,
          kernelName: "main.\(module).weight", normName: "main.\(module + 1)",
          kernel: layer.kernel.values.map { Scalar($0) },
          bias: layer.bias.map { $0.map { Scalar($0) } }, norm: layer.norm.map { PlainNorm($0) }))
      module += layer.norm == nil ? 2 : 3
    }
  }

  /// The weights rounded to float32.
  package var layerWeights: [LayerWeights] {
    layers.map { layer in
      LayerWeights(
        kernel: Tensor(
          shape: [layer.convolution.coarseChannels, layer.convolution.fineChannels, 4, 4],
          values: layer.kernel.map { Float($0) }),
        bias: layer.bias.map { $0.map { Float($0) } },
        norm: layer.norm?.weights)
    }
  }

  /// All trained tensors in the order of a state_dict: `main.0.weight`, `main.1.weight`,
  /// `main.1.bias`, ...
  package var parameters: [(name: String, values: [Scalar])] {
    layers.flatMap { layer in
      [(layer.kernelName, layer.kernel)] + (layer.bias.map { [(layer.biasName, $0)] } ?? [])
        + (layer.norm.map {
          [("\(layer.normName).weight", $0.scale), ("\(layer.normName).bias", $0.shift)]
        } ?? [])
    }
  }

  /// Calls `body` with each trained tensor, in the order of a state_dict.
  package mutating func update(_ body: (_ name: String, _ values: inout [Scalar]) -> Void) {
    for index in layers.indices {
      body(layers[index].kernelName, &layers[index].kernel)
      if layers[index].bias != nil { body(layers[index].biasName, &layers[index].bias!) }
      if layers[index].norm != nil {
        body("\(layers[index].normName).weight", &layers[index].norm!.scale)
        body("\(layers[index].normName).bias", &layers[index].norm!.shift)
      }
    }
  }

  /// The forward pass in training mode. The last record's output is the network's output.
  package mutating func forward(_ x: [Scalar], count: Int) -> [PlainLayer<Scalar>.Record] {
    var records: [PlainLayer<Scalar>.Record] = []
    for index in layers.indices {
      records.append(layers[index].forward(records.last?.output ?? x, count: count))
    }
    return records
  }

  /// The output in evaluation mode, with the running statistics.
  package func evaluate(_ x: [Scalar], count: Int) -> [Scalar] {
    layers.reduce(x) { x, layer in
      let y = layer.linear(x, count: count)
      return layer.activation.forward(layer.norm?.evaluate(y, count: count) ?? y)
    }
  }

  /// The backward pass, from the gradient with respect to the output.
  ///
  /// - Parameters:
  ///   - records: records of the forward pass.
  ///   - weights: whether the weights' gradients are wanted.
  ///   - input: whether the gradient with respect to the input is wanted.
  /// - Returns: The wanted gradients, the weights' by tensor name.
  package func backward(
    _ gradient: [Scalar], records: [PlainLayer<Scalar>.Record], count: Int, weights: Bool,
    input: Bool
  ) -> (input: [Scalar]?, weights: [String: [Scalar]]) {
    var gradient = gradient
    var ofWeights: [String: [Scalar]] = [:]
    for index in layers.indices.reversed() {
      let (toInput, toWeights) = layers[index].backward(
        gradient, record: records[index], count: count, weights: weights,
        input: input || index > 0)
      ofWeights.merge(toWeights) { $1 }
      guard let toInput else { return (nil, ofWeights) }
      gradient = toInput
    }
    return (gradient, ofWeights)
  }
}

extension PlainNetwork {
  /// R1, weight/2 times the mean of |∇D|² over a batch of images, and its gradients with respect to
  /// the kernels.
  ///
  /// Without batch normalisation ∇D = W₁ᵀ M₁ W₂ᵀ M₂ …, where M are the activations' slopes, which
  /// are constant almost everywhere. So the derivative of |∇D|²/2 with respect to W₁ᵀ, W₂ᵀ, … needs
  /// one more pass: ∇D goes forward through the network, with the slopes in place of the
  /// activations. The gradient of a kernel is the correlation of what it reads in that pass with
  /// what reaches it in ∇D's backward pass. Biases have no gradient.
  ///
  /// - Parameter records: records of the forward pass over the images.
  package func slopePenalty(
    records: [PlainLayer<Scalar>.Record], count: Int, weight: Double
  ) -> (penalty: Double, gradients: [String: [Scalar]]) {
    // ∇D's backward pass, from 1 at each logit; `before[l]` is what reaches layer l's convolution.
    var gradient = [Scalar](repeating: 1, count: count)
    var before = [[Scalar]](repeating: [], count: layers.count)
    for (index, layer) in layers.enumerated().reversed() {
      precondition(layer.norm == nil, "R1 needs a discriminator without batch normalisation")
      before[index] = layer.activation.backward(gradient, output: records[index].output)
      gradient = layer.convolution.up(before[index], kernel: layer.kernel, count: count)
    }
    let penalty =
      weight / 2 * gradient.reduce(0) { $0 + Double($1) * Double($1) } / Double(count)
    var along = gradient.map { $0 * Scalar(weight) / Scalar(count) }
    var gradients: [String: [Scalar]] = [:]
    for (index, layer) in layers.enumerated() {
      gradients[layer.kernelName] = layer.convolution.kernelGradient(
        coarse: before[index], fine: along, count: count)
      along = layer.activation.backward(
        layer.convolution.down(along, kernel: layer.kernel, count: count),
        output: records[index].output)
    }
    return (penalty, gradients)
  }
}

extension String {
  fileprivate func replacingEnd(_ end: String, by other: String) -> String {
    precondition(hasSuffix(end), "\(self) does not end with \(end)")
    return dropLast(end.count) + other
  }
}
