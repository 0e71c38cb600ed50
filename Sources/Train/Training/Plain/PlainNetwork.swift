import BollyGANModel

/// One layer: a (transposed) convolution, a normalisation or none, an activation.
package struct PlainLayer<Scalar: BinaryFloatingPoint & Sendable>: Equatable, Sendable {
  /// Which way the map goes through the convolution.
  package enum Direction: Sendable { case up, down }

  package let direction: Direction
  package let convolution: PlainConvolution
  package let activation: PlainActivation
  /// `main.3.weight`
  package let kernelName: String
  /// `main.4`
  package let normName: String
  /// `[smallChannels, bigChannels, 4, 4]`
  package var kernel: [Scalar]
  /// One number for each channel that the layer puts out.
  package var bias: [Scalar]?
  package var norm: PlainNorm<Scalar>?

  /// `main.3.bias`
  package var biasName: String { kernelName.replacingEnd("weight", by: "bias") }

  /// What the backward pass needs of a forward pass.
  package struct Record: Sendable {
    package var input: [Scalar]
    package var norm: PlainNorm<Scalar>.Record?
    package var output: [Scalar]
  }

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

  /// The bias's gradient: each channel's sum.
  private func biasGradient(_ gradient: [Scalar], channels: Int, count: Int) -> [Scalar] {
    let plane = gradient.count / (count * channels)
    var sums = [Double](repeating: 0, count: channels)
    for index in gradient.indices { sums[index / plane % channels] += Double(gradient[index]) }
    return sums.map { Scalar($0) }
  }

  /// The output in training mode; takes the batch's statistics into the running ones.
  mutating func forward(_ x: [Scalar], count: Int) -> Record {
    var y = linear(x, count: count)
    var normRecord: PlainNorm<Scalar>.Record?
    if let (normalised, record) = norm?.forward(y, count: count) {
      y = normalised
      normRecord = record
    }
    return Record(input: x, norm: normRecord, output: activation.forward(y))
  }

  /// Gradients from that to the output: to the input, where it is wanted, and, where those are
  /// wanted, to the weights by their names.
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
          small: record.input, big: gradient, count: count)
      }
      return (
        input ? convolution.down(gradient, kernel: kernel, count: count) : nil, ofWeights
      )
    case .down:
      if weights {
        ofWeights[kernelName] = convolution.kernelGradient(
          small: gradient, big: record.input, count: count)
      }
      return (input ? convolution.up(gradient, kernel: kernel, count: count) : nil, ofWeights)
    }
  }
}

/// A generator or a discriminator as a row of layers.
package struct PlainNetwork<Scalar: BinaryFloatingPoint & Sendable>: Equatable, Sendable {
  package var layers: [PlainLayer<Scalar>]

  /// The generator: transposed convolutions with ReLU, the last with tanh.
  package init(_ weights: GeneratorWeights) {
    self.init(
      weights.layers, direction: .up, hidden: .relu, last: .tanh,
      smallSides: [1] + (0..<weights.shape.doublings).map { 4 << $0 })
  }

  /// The discriminator up to its logit: convolutions with LeakyReLU.
  package init(_ weights: DiscriminatorWeights) {
    self.init(
      weights.layers, direction: .down, hidden: .leakyReLU, last: .identity,
      smallSides: (0..<weights.shape.doublings).map { weights.shape.side >> ($0 + 1) } + [1])
  }

  private init(
    _ layers: [LayerWeights], direction: PlainLayer<Scalar>.Direction, hidden: PlainActivation,
    last: PlainActivation, smallSides: [Int]
  ) {
    self.layers = []
    // PyTorch counts kernel, normalisation and activation as modules of one row.
    var module = 0
    for (index, layer) in layers.enumerated() {
      self.layers.append(
        PlainLayer(
          direction: direction,
          convolution: PlainConvolution(
            smallChannels: layer.kernel.shape[0], bigChannels: layer.kernel.shape[1],
            smallSide: smallSides[index]),
          activation: index == layers.count - 1 ? last : hidden,
          kernelName: "main.\(module).weight", normName: "main.\(module + 1)",
          kernel: layer.kernel.values.map { Scalar($0) },
          bias: layer.bias.map { $0.map { Scalar($0) } }, norm: layer.norm.map { PlainNorm($0) }))
      module += layer.norm == nil ? 2 : 3
    }
  }

  /// Rounded to float32.
  package var layerWeights: [LayerWeights] {
    layers.map { layer in
      LayerWeights(
        kernel: Tensor(
          shape: [layer.convolution.smallChannels, layer.convolution.bigChannels, 4, 4],
          values: layer.kernel.map { Float($0) }),
        bias: layer.bias.map { $0.map { Float($0) } },
        norm: layer.norm?.weights)
    }
  }

  /// All trained tensors in the order of their modules: `main.0.weight`, `main.1.weight`,
  /// `main.1.bias`, ...
  package var parameters: [(name: String, values: [Scalar])] {
    layers.flatMap { layer in
      [(layer.kernelName, layer.kernel)] + (layer.bias.map { [(layer.biasName, $0)] } ?? [])
        + (layer.norm.map {
          [("\(layer.normName).weight", $0.scale), ("\(layer.normName).bias", $0.shift)]
        } ?? [])
    }
  }

  /// Calls `body` with each trained tensor in the order of their modules.
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

  /// A pass in training mode; the last record's output is the network's.
  package mutating func forward(_ x: [Scalar], count: Int) -> [PlainLayer<Scalar>.Record] {
    var records: [PlainLayer<Scalar>.Record] = []
    for index in layers.indices {
      records.append(layers[index].forward(records.last?.output ?? x, count: count))
    }
    return records
  }

  /// The output with the running statistics.
  package func evaluate(_ x: [Scalar], count: Int) -> [Scalar] {
    layers.reduce(x) { x, layer in
      let y = layer.linear(x, count: count)
      return layer.activation.forward(layer.norm?.evaluate(y, count: count) ?? y)
    }
  }

  /// Gradients from that to the output, back to the input and the weights; nothing is computed that
  /// is not wanted.
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
  /// The penalty on a discriminator's slope, weight/2 times the mean of |∇D|² over the pictures, and
  /// its gradients to the kernels.
  ///
  /// Without batch normalisation ∇D = W₁ᵀ M₁ W₂ᵀ M₂ … with the activations' slopes M, which are
  /// constant nearly everywhere. So the derivative along the pictures is one more way through the
  /// network, forward with the slopes in place of activations, and the gradient to a kernel is the
  /// correlation of that way with ∇D's way back. Biases have none.
  ///
  /// - Parameter records: of the forward pass over the pictures.
  package func slopePenalty(
    records: [PlainLayer<Scalar>.Record], count: Int, weight: Double
  ) -> (penalty: Double, gradients: [String: [Scalar]]) {
    // Back from a gradient of 1 at each logit: what arrives before each layer's activation.
    var gradient = [Scalar](repeating: 1, count: count)
    var before = [[Scalar]](repeating: [], count: layers.count)
    for (index, layer) in layers.enumerated().reversed() {
      precondition(layer.norm == nil, "the penalty is for networks that normalise nothing")
      before[index] = layer.activation.backward(gradient, output: records[index].output)
      gradient = layer.convolution.up(before[index], kernel: layer.kernel, count: count)
    }
    let penalty =
      weight / 2 * gradient.reduce(0) { $0 + Double($1) * Double($1) } / Double(count)
    var along = gradient.map { $0 * Scalar(weight) / Scalar(count) }
    var gradients: [String: [Scalar]] = [:]
    for (index, layer) in layers.enumerated() {
      gradients[layer.kernelName] = layer.convolution.kernelGradient(
        small: before[index], big: along, count: count)
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
