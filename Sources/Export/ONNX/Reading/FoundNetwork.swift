import BollyGANInfer
public import BollyGANModel

/// A generator found in an ONNX file, and what was noticed on the way.
public struct ONNXGenerator: Sendable {
  /// The weights, in the form that the engines here run.
  public let weights: GeneratorWeights
  /// What the file says of itself, by key; the keys are those of the file.
  public let metadata: [String: String]
  /// What somebody should know who uses it here: constants that nothing uses, pictures that came in
  /// another range or order of axes.
  public let notes: [String]

  /// Finds a DCGAN's generator in a model.
  ///
  /// The graph is computed symbolically from its one input to its one output. Whatever no latent
  /// reaches is computed on the way (weights in any encoding, casts, quantised weights, shapes); on
  /// the way of the latent, transposed convolutions, normalisations, additions and multiplications
  /// by constants, and activations are gathered into layers. A layer with a bias instead of a
  /// normalisation gets one that does nothing but add.
  ///
  /// - Throws: ``ONNXError`` naming the node, its operator, the reason, and what would be accepted.
  public init(_ model: ONNXModel) throws(ONNXError) {
    var reader = ONNXGeneratorReader(model)
    let network = try reader.network()
    weights = try network.weights()
    metadata = try model.metadataByKey()
    notes = reader.notes
  }
}

/// A discriminator found in an ONNX file, and what was noticed on the way.
public struct ONNXDiscriminator: Sendable {
  /// The weights.
  public let weights: DiscriminatorWeights
  /// What the file says of itself, by key; the keys are those of the file.
  public let metadata: [String: String]
  /// What somebody should know who uses it here.
  public let notes: [String]

  /// Finds a DCGAN's discriminator in a model, as ``ONNXGenerator`` finds a generator.
  ///
  /// - Throws: ``ONNXError`` naming the node, its operator, the reason, and what would be accepted.
  public init(_ model: ONNXModel) throws(ONNXError) {
    var reader = ONNXGeneratorReader(model)
    weights = try reader.network().discriminator()
    metadata = try model.metadataByKey()
    notes = reader.notes
  }
}

extension ONNXModel {
  fileprivate func metadataByKey() throws(ONNXError) -> [String: String] {
    var result: [String: String] = [:]
    for property in metadata {
      guard result.updateValue(property.value, forKey: property.key) == nil else {
        throw .graph(reason: "metadata \(quoted(property.key)) stands twice in the file")
      }
    }
    return result
  }
}

/// Layers as they were found, before anybody asks whether the engines here can run them.
struct FoundNetwork {
  struct Layer {
    /// The node, for messages.
    var node: ONNXModel.Node
    /// `[in, out, rows, columns]`; of a convolution that is not transposed `[out, in, rows, columns]`.
    var kernel: Tensor
    /// Whether the convolution is transposed, a generator's; a discriminator's is not.
    var isTransposed = true
    var stride: Int
    var padding: Int
    /// What is done to each output channel before the activation: x · factor + addend.
    var affine: Affine?
    /// The normalisation, where it is all that is done and is like those here.
    var norm: NormWeights?
    var activation: Activation?

    /// The kernel's axis that counts what the layer puts out.
    var outputAxis: Int { isTransposed ? 1 : 0 }
    /// Channels that the layer puts out.
    var outputs: Int { kernel.shape[outputAxis] }
  }

  /// A factor and an addend a channel, in double precision.
  struct Affine {
    var factors: [Double]
    var addends: [Double]
  }

  enum Activation: Equatable {
    case relu
    case leakyRelu(Float)
    case tanh
    case sigmoid
  }

  var layers: [Layer]

  /// The layers as weights of our generator.
  func weights() throws(ONNXError) -> GeneratorWeights {
    guard let first = layers.first, let last = layers.last else {
      throw .graph(reason: "no ConvTranspose lies between input and output")
    }
    guard layers.allSatisfy(\.isTransposed) else {
      throw .graph(
        reason: "it has convolutions that are not transposed, a generator has none"
          + (isDiscriminator ? "; it looks like a discriminator" : ""))
    }
    let shape: DCGANShape
    do {
      shape = try DCGANShape(
        latent: first.kernel.shape[0], generatorWidths: layers.dropLast().map(\.kernel.shape[1]),
        channels: last.kernel.shape[1])
    } catch {
      throw .graph(
        reason: "\(layers.count) layers from \(first.kernel.shape[0]) numbers to "
          + "\(last.kernel.shape[1]) channels: \(error)")
    }
    let slope = try slope()
    let channels = shape.generatorChannels
    var result: [LayerWeights] = []
    for (index, layer) in layers.enumerated() {
      let isLast = index == layers.count - 1
      let expected = [channels[index], channels[index + 1], 4, 4]
      guard layer.kernel.shape == expected else {
        throw layer.node.error(
          "kernel \(layer.kernel.shape), a generator has \(expected) here")
      }
      let (stride, padding) = index == 0 ? (1, 0) : (2, 1)
      guard (layer.stride, layer.padding) == (stride, padding) else {
        throw layer.node.error(
          "stride \(layer.stride) and padding \(layer.padding), a generator has \(stride) and "
            + "\(padding) here")
      }
      if isLast {
        result.append(try lastLayer(layer))
      } else {
        let norm = layer.norm ?? NormWeights(layer.affine, channels: channels[index + 1])
        result.append(LayerWeights(kernel: layer.kernel, norm: norm))
      }
    }
    return GeneratorWeights(shape: shape, layers: result, slope: slope)
  }

  /// Whether all its layers go from pictures to scores.
  var isDiscriminator: Bool { !layers.isEmpty && layers.allSatisfy { !$0.isTransposed } }

  /// What all hidden activations make of negative numbers.
  private func slope() throws(ONNXError) -> Float {
    var slope: Float?
    for layer in layers.dropLast() {
      let own: Float
      switch layer.activation {
      case .relu: own = 0
      case .leakyRelu(let alpha) where (0...1).contains(alpha): own = alpha
      default:
        throw layer.node.error(
          "is followed by \(layer.activation.map { "\($0)" } ?? "no activation"), a generator has "
            + "relu here, or leakyRelu of a slope from 0 to 1")
      }
      guard slope ?? own == own else {
        throw layer.node.error(
          "is followed by an activation of slope \(own), those before have \(slope!); accepted: one "
            + "slope for all")
      }
      slope = own
    }
    return slope ?? 0
  }

  /// The layer before the picture: a factor goes into its kernel.
  private func lastLayer(_ layer: Layer) throws(ONNXError) -> LayerWeights {
    let half: Double
    switch layer.activation {
    case .tanh: half = 1
    // sigmoid(x) is (tanh(x/2) + 1)/2, and halving is exact.
    case .sigmoid: half = 0.5
    default:
      throw layer.node.error(
        "is followed by \(layer.activation.map { "\($0)" } ?? "no activation"), a generator has tanh "
          + "or sigmoid before the picture")
    }
    let affine =
      layer.affine
      ?? layer.norm.map { Affine($0, epsilon: NormWeights.epsilon) }
      ?? Affine(channels: layer.outputs)
    let bias = affine.addends.map { Float($0 * half) }
    var values = layer.kernel.values
    let outputs = layer.outputs
    for index in values.indices {
      let factor = affine.factors[index / 16 % outputs] * half
      values[index] = Float(Double(values[index]) * factor)
    }
    let kernel = Tensor(shape: layer.kernel.shape, values: values)
    return LayerWeights(kernel: kernel, bias: bias.allSatisfy { $0 == 0 } ? nil : bias)
  }
}

extension FoundNetwork {
  /// The layers as weights of our discriminator.
  func discriminator() throws(ONNXError) -> DiscriminatorWeights {
    guard isDiscriminator, let first = layers.first else {
      throw .graph(reason: "it is not made of convolutions; a discriminator is")
    }
    let shape: DCGANShape
    do {
      shape = try DCGANShape(
        generatorWidth: first.outputs, side: 4 << (layers.count - 1),
        channels: first.kernel.shape[1])
    } catch {
      throw .graph(
        reason: "\(layers.count) layers from \(first.kernel.shape[1]) channels, \(first.outputs) "
          + "behind the first: \(error)")
    }
    let channels = shape.discriminatorChannels
    var result: [LayerWeights] = []
    for (index, layer) in layers.enumerated() {
      let isLast = index == layers.count - 1
      let expected = [channels[index + 1], channels[index], 4, 4]
      guard layer.kernel.shape == expected else {
        throw layer.node.error(
          "kernel \(layer.kernel.shape), a discriminator has \(expected) here")
      }
      let (stride, padding) = isLast ? (1, 0) : (2, 1)
      guard (layer.stride, layer.padding) == (stride, padding) else {
        throw layer.node.error(
          "stride \(layer.stride) and padding \(layer.padding), a discriminator has \(stride) and "
            + "\(padding) here")
      }
      let accepted: [Activation?] =
        isLast ? [.sigmoid, nil] : [.leakyRelu(Float(PlainDiscriminator<Float>.slope))]
      guard accepted.contains(layer.activation) else {
        throw layer.node.error(
          "is followed by \(layer.activation.map { "\($0)" } ?? "no activation"), a discriminator has "
            + (isLast ? "sigmoid here, or nothing" : "leakyRelu(0.2) here"))
      }
      var weights = LayerWeights(kernel: layer.kernel)
      if !isLast, index > 0 || layer.norm != nil || layer.affine != nil {
        weights.norm = layer.norm ?? NormWeights(layer.affine, channels: layer.outputs)
      }
      if isLast {
        let affine =
          layer.affine ?? layer.norm.map { Affine($0, epsilon: NormWeights.epsilon) }
          ?? Affine(channels: 1)
        guard affine.addends == [0] else {
          throw layer.node.error(
            "has a bias of \(Float(affine.addends[0])), a discriminator has none here")
        }
        weights.kernel.values = layer.kernel.values.map { Float(Double($0) * affine.factors[0]) }
      }
      result.append(weights)
    }
    return DiscriminatorWeights(
      shape: shape, normalisesFirst: result[0].norm != nil, layers: result)
  }
}

extension FoundNetwork.Affine {
  init(channels: Int) {
    factors = [Double](repeating: 1, count: channels)
    addends = [Double](repeating: 0, count: channels)
  }

  /// What a normalisation by running statistics does.
  init(_ norm: NormWeights, epsilon: Double) {
    let factors = zip(norm.scale, norm.runningVariance).map {
      Double($0) / (Double($1) + epsilon).squareRoot()
    }
    self.factors = factors
    addends = norm.shift.indices.map {
      Double(norm.shift[$0]) - Double(norm.runningMean[$0]) * factors[$0]
    }
  }

  /// This one, and then another.
  mutating func append(_ next: FoundNetwork.Affine) {
    for channel in factors.indices {
      factors[channel] *= next.factors[channel]
      addends[channel] = addends[channel] * next.factors[channel] + next.addends[channel]
    }
  }
}

extension NormWeights {
  /// The normalisation that multiplies and adds like an affine map.
  init(_ affine: FoundNetwork.Affine?, channels: Int) {
    self.init(bias: affine?.addends.map { Float($0) } ?? [Float](repeating: 0, count: channels))
    if let affine { scale = affine.factors.map { Float($0) } }
  }
}
