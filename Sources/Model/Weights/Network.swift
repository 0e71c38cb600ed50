/// One of the two networks of a DCGAN: its sizes, its layers, and how files name its tensors.
///
/// ``GeneratorWeights`` and ``DiscriminatorWeights`` conform. Reading, writing, exporting and
/// checking are written once, for any network; ``kind`` tells where the two differ.
public protocol Network: Equatable, Sendable {
  /// Which of the two networks it is.
  static var kind: NetworkKind { get }

  /// The sizes that every layer derives from.
  var shape: DCGANShape { get }
  /// `shape.doublings + 1` layers, from input to output.
  var layers: [LayerWeights] { get set }
  /// Slope of the hidden activations for negative numbers, 0 (ReLU) to 1.
  var slope: Float { get }

  /// A network of the given layers.
  ///
  /// - Precondition: the layers fit the shape, and the slope is one that this network can have.
  init(shape: DCGANShape, layers: [LayerWeights], slope: Float)

  /// What a file's metadata must say because tensors cannot: the slope of a generator, unless it is
  /// 0.
  var describingMetadata: [String: String] { get }

  /// Takes over what ``describingMetadata`` says; other keys are ignored.
  ///
  /// - Throws: ``WeightsError/metadata(key:value:accepted:)`` if a value is out of range.
  mutating func describe(by metadata: [String: String]) throws(WeightsError)
}

extension Network {
  /// Nothing: tensors tell everything.
  public var describingMetadata: [String: String] { [:] }

  /// Ignores all keys.
  public mutating func describe(by metadata: [String: String]) throws(WeightsError) {}

  /// The positions of the layers in PyTorch's `nn.Sequential`.
  package var layout: ModuleLayout {
    switch Self.kind {
    case .generator: .generator(doublings: shape.doublings)
    case .discriminator where layers[1].norm == nil:
      .biasedDiscriminator(doublings: shape.doublings)
    case .discriminator:
      .discriminator(doublings: shape.doublings, normalisesFirst: layers[0].norm != nil)
    }
  }

  /// The same function with a normalisation in each hidden layer: a bias becomes a normalisation
  /// that only adds.
  package var withNorms: Self {
    var layers = layers
    for index in layers.indices.dropLast() {
      guard let bias = layers[index].bias else { continue }
      layers[index].norm = NormWeights(bias: bias)
      layers[index].bias = nil
    }
    return Self(shape: shape, layers: layers, slope: slope)
  }
}

/// A network found in a file.
public struct LoadedNetwork<Weights: Sendable>: Sendable {
  /// The network.
  public let weights: Weights
  /// What a user should know about how it was read, one sentence each; for example, which tensors
  /// were matched by shape because their names are unknown.
  public let notes: [String]

  /// A network and the notes about it.
  package init(weights: Weights, notes: [String]) {
    self.weights = weights
    self.notes = notes
  }
}
