import BollyGANModel

/// The layers found in a graph, before anybody asks whether they form a DCGAN.
struct FoundNetwork {
  struct Layer {
    /// The convolution's node, for messages.
    var node: ONNXModel.Node
    /// `[in, out, rows, columns]` if transposed, `[out, in, rows, columns]` if not.
    var kernel: Tensor
    /// Whether the convolution is transposed, as in a generator.
    var isTransposed: Bool
    var stride: Int
    var padding: Int
    /// What happens to each output channel before the activation.
    var affine: ChannelAffine?
    /// The normalisation, if nothing else precedes the activation and its epsilon is ours.
    var norm: NormWeights?
    var activation: Activation?

    /// The kernel's axis of output channels.
    var outputAxis: Int { isTransposed ? 1 : 0 }
    /// Number of output channels.
    var outputs: Int { kernel.shape[outputAxis] }

    /// Applies a further map to each output channel.
    mutating func append(_ next: ChannelAffine) {
      var affine = allAffine
      affine.append(next)
      self.affine = affine
      norm = nil
    }

    /// Everything between the convolution and the activation as one map.
    var allAffine: ChannelAffine {
      affine ?? norm.map { ChannelAffine($0) } ?? ChannelAffine(channels: outputs)
    }
  }

  enum Activation: Equatable {
    case relu
    case leakyRelu(Float)
    case tanh
    case sigmoid
  }

  var layers: [Layer]
}

extension FoundNetwork {
  /// The layers as a DCGAN's generator or discriminator.
  ///
  /// - Throws: ``ONNXError`` naming the first layer that does not fit.
  func weights<N: Network>(_: N.Type) throws(ONNXError) -> N {
    let kind = N.kind
    guard !layers.isEmpty, layers.allSatisfy({ $0.isTransposed == (kind == .generator) }) else {
      throw .graph(reason: otherNetwork(than: kind))
    }
    let kernels = layers.map(\.kernel.shape)
    let shape: DCGANShape
    do {
      shape = try kind.shape(kernels: kernels)
    } catch {
      throw .graph(
        reason: "\(layers.count) layers with kernels from \(kernels[0]) to "
          + "\(kernels[kernels.count - 1]): \(error)")
    }
    let slope = try slope(kind)
    let expected = zip(kind.kernelShapes(shape), kind.geometry(doublings: shape.doublings))
    var result: [LayerWeights] = []
    for (layer, (kernel, geometry)) in zip(layers, expected) {
      guard layer.kernel.shape == kernel else {
        throw layer.node.error(
          "kernel \(layer.kernel.shape), a \(kind.rawValue) has \(kernel) here")
      }
      guard (layer.stride, layer.padding) == geometry else {
        throw layer.node.error(
          "stride \(layer.stride) and padding \(layer.padding), a \(kind.rawValue) has "
            + "\(geometry.stride) and \(geometry.padding) here")
      }
      if result.count == layers.count - 1 {
        result.append(try lastLayer(layer, kind))
      } else if kind == .discriminator, result.isEmpty, layer.norm == nil, layer.affine == nil {
        // Only here may a layer have neither normalisation nor bias.
        result.append(LayerWeights(kernel: layer.kernel))
      } else {
        let norm = layer.norm ?? NormWeights(layer.affine, channels: layer.outputs)
        result.append(LayerWeights(kernel: layer.kernel, norm: norm))
      }
    }
    return N(shape: shape, layers: result, slope: slope)
  }

  private func otherNetwork(than kind: NetworkKind) -> String {
    switch kind {
    case .discriminator: "it is not made of convolutions; a discriminator is"
    case .generator where layers.isEmpty: "there is no ConvTranspose between input and output"
    case .generator:
      "it has convolutions that are not transposed, a generator has none"
        + (layers.allSatisfy { !$0.isTransposed } ? "; it looks like a discriminator" : "")
    }
  }

  /// The slope of all hidden activations for negative numbers.
  private func slope(_ kind: NetworkKind) throws(ONNXError) -> Float {
    var slope: Float?
    for layer in layers.dropLast() {
      let own: Float? =
        switch layer.activation {
        case .relu: 0
        case .leakyRelu(let alpha) where (0...1).contains(alpha): alpha
        default: nil
        }
      guard let own, kind == .generator || own == kind.usualSlope else {
        throw followed(
          layer, kind,
          by: kind == .generator
            ? "relu here, or leakyRelu with a slope from 0 to 1"
            : "leakyRelu(\(kind.usualSlope)) here")
      }
      guard slope ?? own == own else {
        throw layer.node.error(
          "is followed by an activation of slope \(own), earlier ones have \(slope!); accepted: "
            + "one slope for all")
      }
      slope = own
    }
    return slope ?? kind.usualSlope
  }

  /// The layer before the image or the score: factors go into its kernel.
  private func lastLayer(_ layer: Layer, _ kind: NetworkKind) throws(ONNXError) -> LayerWeights {
    var affine = layer.allAffine
    switch (kind, layer.activation) {
    case (.generator, .tanh), (.discriminator, .sigmoid), (.discriminator, nil): break
    case (.generator, .sigmoid):
      // sigmoid(x) is (tanh(x/2) + 1)/2, and halving is exact.
      affine.factors = affine.factors.map { $0 * 0.5 }
      affine.addends = affine.addends.map { $0 * 0.5 }
    default:
      throw followed(
        layer, kind,
        by: kind == .generator
          ? "tanh or sigmoid before the image" : "sigmoid here, or nothing")
    }
    let bias = affine.addends.map { Float($0) }
    let hasBias = bias.contains { $0 != 0 }
    guard kind == .generator || affine.addends == [0] else {
      throw layer.node.error("has a bias of \(bias[0]), a discriminator has none here")
    }
    return LayerWeights(
      kernel: layer.kernel.scaled(by: affine.factors, axis: layer.outputAxis),
      bias: hasBias ? bias : nil)
  }

  private func followed(
    _ layer: Layer, _ kind: NetworkKind, by accepted: String
  ) -> ONNXError {
    layer.node.error(
      "is followed by \(layer.activation.map { "\($0)" } ?? "no activation"), "
        + "a \(kind.rawValue) has \(accepted)")
  }
}

extension NormWeights {
  /// The normalisation that multiplies and adds like an affine map, rounded to float32.
  init(_ affine: ChannelAffine?, channels: Int) {
    self.init(bias: affine?.addends.map { Float($0) } ?? [Float](repeating: 0, count: channels))
    if let affine { scale = affine.factors.map { Float($0) } }
  }
}
