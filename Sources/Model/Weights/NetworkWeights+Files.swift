/// A network as it was found in a file.
public struct LoadedNetwork<Weights: Sendable>: Sendable {
  /// The network.
  public let weights: Weights
  /// What a user should know, one sentence each: how tensors of other names were matched.
  public let notes: [String]
}

extension GeneratorWeights {
  /// The generator in a file that holds nothing else; sizes are inferred from the tensors.
  ///
  /// - Throws: ``WeightsError`` where tensors are missing, too many, of other shapes or types than
  ///   F32, F16 and BF16, or hold values that are not finite.
  public init(_ file: SafetensorsFile) throws(WeightsError) {
    self = try Self.load(file).weights
  }

  /// Text in a file's metadata that says what its tensors cannot: ``slope``, where it is not 0.
  static let slopeKey = "bollygan.negative_slope"

  /// The generator in a file that holds nothing else, as ``load(_:allowsNonFinite:)`` finds it among
  /// tensors, with the slope of its activations, which the metadata says where it is not that of
  /// ReLU.
  ///
  /// - Throws: ``WeightsError`` as there, and where the slope is no number from 0 to 1.
  public static func load(
    _ file: SafetensorsFile, allowsNonFinite: Bool = false
  ) throws(WeightsError) -> LoadedNetwork<GeneratorWeights> {
    let loaded = try load(file.tensors, allowsNonFinite: allowsNonFinite)
    guard let text = file.metadata[slopeKey] else { return loaded }
    guard let slope = Float(text), (0...1).contains(slope) else {
      throw .metadata(key: slopeKey, value: text, accepted: "a number from 0 to 1")
    }
    var weights = loaded.weights
    weights.slope = slope
    return LoadedNetwork(weights: weights, notes: loaded.notes)
  }

  /// The generator that the tensors are, by the names of PyTorch's tutorial (`main.0.weight`) or of
  /// an `nn.Sequential` (`0.weight`), behind any of the prefixes `module.`, `main.`, `net.`,
  /// `model.`, `G_ema.`; by shape where the names are others.
  ///
  /// - Parameters:
  ///   - tensors: by their names in the file.
  ///   - allowsNonFinite: take infinite values and NaN as they are, to look at them.
  /// - Returns: activations are taken for ReLU: tensors do not say.
  /// - Throws: ``WeightsError`` where tensors are missing, too many, of other shapes or types than
  ///   F32, F16 and BF16, or hold values that are not finite.
  public static func load(
    _ tensors: [String: StoredTensor], allowsNonFinite: Bool = false
  ) throws(WeightsError) -> LoadedNetwork<GeneratorWeights> {
    let (stateDict, shape) = try readStateDict(.generator, tensors)
    return LoadedNetwork(
      weights: GeneratorWeights(
        shape: shape, layers: try stateDict.layers(allowsNonFinite: allowsNonFinite)),
      notes: stateDict.notes)
  }

  /// The tensors that training changes by gradients, in the order of PyTorch's `parameters()`.
  ///
  /// - Parameter prefix: what stands before `0.weight`, `1.weight`, `1.bias`, ...
  public func namedTensors(prefix: String = "main.") -> [(name: String, tensor: Tensor)] {
    trainableTensors(layers, .generator(doublings: shape.doublings), prefix)
  }

  /// All tensors of the state_dict, running statistics included.
  ///
  /// - Parameters:
  ///   - prefix: what stands before `0.weight`, `1.weight`, `1.bias`, ...
  ///   - type: `.f32`, or `.f16` or `.bf16` for the kernels. Normalisations stay float32, they are
  ///     few; so does a kernel with a value that float16 cannot hold.
  public func storedTensors(
    prefix: String = "main.", type: TensorType = .f32
  ) -> [String: StoredTensor] {
    allTensors(layers, .generator(doublings: shape.doublings), prefix, type)
  }

  /// A file of this generator alone, as PyTorch's `load_state_dict(strict=True)` accepts it.
  ///
  /// - Parameters:
  ///   - metadata: text to keep with it.
  ///   - type: as in ``storedTensors(prefix:type:)``.
  public func file(
    metadata: [String: String] = [:], type: TensorType = .f32
  ) -> SafetensorsFile {
    var file = SafetensorsFile(metadata: metadata, tensors: storedTensors(type: type))
    file.metadata[Self.slopeKey] = slope == 0 ? nil : "\(slope)"
    return file
  }
}

extension DiscriminatorWeights {
  /// The discriminator in a file that holds nothing else; sizes are inferred from the tensors, and
  /// whether the first convolution is followed by normalisation, or any is.
  ///
  /// - Throws: ``WeightsError`` where tensors are missing, too many, of other shapes or types than
  ///   F32, F16 and BF16, or hold values that are not finite.
  public init(_ file: SafetensorsFile) throws(WeightsError) {
    self = try Self.load(file.tensors).weights
  }

  /// The discriminator that the tensors are, by the names of PyTorch's tutorial (`main.0.weight`)
  /// or of an `nn.Sequential` (`0.weight`), behind any of the prefixes `module.`, `main.`, `net.`,
  /// `model.`, `G_ema.`; by shape where the names are others.
  ///
  /// - Parameters:
  ///   - tensors: by their names in the file.
  ///   - allowsNonFinite: take infinite values and NaN as they are, to look at them.
  /// - Throws: ``WeightsError`` where tensors are missing, too many, of other shapes or types than
  ///   F32, F16 and BF16, or hold values that are not finite.
  public static func load(
    _ tensors: [String: StoredTensor], allowsNonFinite: Bool = false
  ) throws(WeightsError) -> LoadedNetwork<DiscriminatorWeights> {
    let (stateDict, shape) = try readStateDict(.discriminator, tensors)
    return LoadedNetwork(
      weights: DiscriminatorWeights(
        shape: shape, normalisesFirst: stateDict.layout.normalisesFirst,
        normalises: !stateDict.layout.hasBiases,
        layers: try stateDict.layers(allowsNonFinite: allowsNonFinite)),
      notes: stateDict.notes)
  }

  private var layout: ModuleLayout {
    normalises
      ? .discriminator(doublings: shape.doublings, normalisesFirst: normalisesFirst)
      : .biasedDiscriminator(doublings: shape.doublings)
  }

  /// The tensors that training changes by gradients, in the order of PyTorch's `parameters()`.
  ///
  /// - Parameter prefix: what stands before `0.weight`, `2.weight`, `3.weight`, `3.bias`, ...
  public func namedTensors(prefix: String = "main.") -> [(name: String, tensor: Tensor)] {
    trainableTensors(layers, layout, prefix)
  }

  /// All tensors of the state_dict, running statistics included.
  ///
  /// - Parameters:
  ///   - prefix: what stands before `0.weight`, `2.weight`, `3.weight`, `3.bias`, ...
  ///   - type: `.f32`, or `.f16` or `.bf16` for the kernels. Normalisations stay float32, they are
  ///     few; so does a kernel with a value that float16 cannot hold.
  public func storedTensors(
    prefix: String = "main.", type: TensorType = .f32
  ) -> [String: StoredTensor] {
    allTensors(layers, layout, prefix, type)
  }

  /// A file of this discriminator alone, as PyTorch's `load_state_dict(strict=True)` accepts it.
  ///
  /// - Parameters:
  ///   - metadata: text to keep with it.
  ///   - type: as in ``storedTensors(prefix:type:)``.
  public func file(
    metadata: [String: String] = [:], type: TensorType = .f32
  ) -> SafetensorsFile {
    SafetensorsFile(metadata: metadata, tensors: storedTensors(type: type))
  }
}

private func readStateDict(
  _ kind: NetworkKind, _ tensors: [String: StoredTensor]
) throws(WeightsError) -> (StateDict, DCGANShape) {
  do throws(WeightsError) {
    let stateDict = try StateDict(kind, tensors)
    return (stateDict, try stateDict.shape())
  } catch {
    // The article's two networks have the same names, so the wrong file fails by its shapes only;
    // say what it is.
    if let other = try? StateDict(kind.other, tensors), (try? other.shape()) != nil {
      throw .notANetwork(
        network: kind.rawValue, problem: "its tensors are those of a \(kind.other.rawValue)")
    }
    throw error
  }
}

private func trainableTensors(
  _ layers: [LayerWeights], _ layout: ModuleLayout, _ prefix: String
) -> [(name: String, tensor: Tensor)] {
  layers.indices.flatMap { layer in
    let weights = layers[layer]
    var tensors = [(name: prefix + layout.kernelName(layer), tensor: weights.kernel)]
    if let bias = weights.bias {
      tensors.append(
        (
          name: prefix + layout.biasName(layer),
          tensor: Tensor(shape: [bias.count], values: bias)
        ))
    }
    if let norm = weights.norm {
      for (field, values) in [(NormField.scale, norm.scale), (.shift, norm.shift)] {
        tensors.append(
          (
            name: prefix + layout.normName(layer, field)!,
            tensor: Tensor(shape: [norm.channels], values: values)
          ))
      }
    }
    return tensors
  }
}

private func allTensors(
  _ layers: [LayerWeights], _ layout: ModuleLayout, _ prefix: String, _ type: TensorType
) -> [String: StoredTensor] {
  var tensors: [String: StoredTensor] = [:]
  for (name, tensor) in trainableTensors(layers, layout, prefix) {
    // From 65520 on float16 rounds to infinity.
    let fits = type != .f16 || tensor.values.allSatisfy { abs($0) < 65520 }
    tensors[name] = StoredTensor(
      tensor, type: tensor.shape.count == 4 && fits ? type : .f32)
  }
  for (layer, weights) in layers.enumerated() {
    guard let norm = weights.norm else { continue }
    func add(_ field: NormField, _ tensor: StoredTensor) {
      tensors[prefix + layout.normName(layer, field)!] = tensor
    }
    for (field, values) in [
      (NormField.runningMean, norm.runningMean), (.runningVariance, norm.runningVariance),
    ] {
      add(field, StoredTensor(Tensor(shape: [norm.channels], values: values)))
    }
    add(.batchesTracked, StoredTensor(int64: [Int64(norm.batchesTracked)], shape: []))
  }
  return tensors
}
