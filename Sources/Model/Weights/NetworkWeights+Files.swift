// Reads networks from safetensors files and writes them.

extension Network {
  /// The network in a file that holds nothing else; its sizes follow from the tensors.
  ///
  /// For a discriminator, the tensors also tell which layers are normalised.
  ///
  /// - Throws: ``WeightsError`` if tensors are missing, unexpected, of the wrong shape, of a type
  ///   other than F32, F16 and BF16, or hold values that are not finite.
  public init(_ file: SafetensorsFile) throws(WeightsError) {
    self = try Self.load(file).weights
  }

  /// The network in a file that holds nothing else, with notes on how it was found.
  ///
  /// The metadata supplies what tensors cannot: the slope of a generator's activations, if it is
  /// not 0.
  ///
  /// - Throws: ``WeightsError`` as for tensors alone, and if the slope is not a number from 0 to 1.
  public static func load(
    _ file: SafetensorsFile, allowsNonFinite: Bool = false
  ) throws(WeightsError) -> LoadedNetwork<Self> {
    let loaded = try load(file.tensors, allowsNonFinite: allowsNonFinite)
    var weights = loaded.weights
    try weights.describe(by: file.metadata)
    return LoadedNetwork(weights: weights, notes: loaded.notes)
  }

  /// The network that the tensors form.
  ///
  /// Names are those of PyTorch's tutorial (`main.0.weight`) or of an `nn.Sequential` (`0.weight`),
  /// after any of the prefixes `module.`, `main.`, `net.`, `model.` and `G_ema.`. Tensors with
  /// other names are matched by shape.
  ///
  /// - Parameters:
  ///   - tensors: by their names in the file.
  ///   - allowsNonFinite: accept infinities and NaN, in order to inspect them.
  /// - Returns: a generator's activations are taken for ReLU, since tensors do not tell.
  /// - Throws: ``WeightsError`` if tensors are missing, unexpected, of the wrong shape, of a type
  ///   other than F32, F16 and BF16, or hold values that are not finite.
  public static func load(
    _ tensors: [String: StoredTensor], allowsNonFinite: Bool = false
  ) throws(WeightsError) -> LoadedNetwork<Self> {
    let (stateDict, shape) = try readStateDict(kind, tensors)
    return LoadedNetwork(
      weights: Self(
        shape: shape, layers: try stateDict.layers(allowsNonFinite: allowsNonFinite),
        slope: kind.usualSlope),
      notes: stateDict.notes)
  }

  /// The tensors that gradients update, in the order of PyTorch's `parameters()`.
  ///
  /// - Parameter prefix: what precedes `0.weight`, `1.weight`, `1.bias`, ...
  public func namedTensors(prefix: String = "main.") -> [(name: String, tensor: Tensor)] {
    let layout = layout
    return layers.indices.flatMap { layer in
      let weights = layers[layer]
      var tensors = [(name: prefix + layout.kernelName(layer), tensor: weights.kernel)]
      func add(_ name: String, _ values: [Float]) {
        tensors.append((name: prefix + name, tensor: Tensor(shape: [values.count], values: values)))
      }
      if let bias = weights.bias { add(layout.biasName(layer), bias) }
      if let norm = weights.norm {
        add(layout.normName(layer, .scale)!, norm.scale)
        add(layout.normName(layer, .shift)!, norm.shift)
      }
      return tensors
    }
  }

  /// All tensors of the state_dict, running statistics included.
  ///
  /// - Parameters:
  ///   - prefix: what precedes `0.weight`, `1.weight`, `1.bias`, ...
  ///   - type: `.f32`, or `.f16` or `.bf16` for the kernels. Normalisations stay float32, since
  ///     they are small; so does a kernel with a value that float16 cannot hold.
  public func storedTensors(
    prefix: String = "main.", type: TensorType = .f32
  ) -> [String: StoredTensor] {
    var tensors: [String: StoredTensor] = [:]
    for (name, tensor) in namedTensors(prefix: prefix) {
      // From 65520 on, float16 rounds to infinity.
      let fits = type != .f16 || tensor.values.allSatisfy { abs($0) < 65520 }
      tensors[name] = StoredTensor(
        tensor, type: tensor.shape.count == 4 && fits ? type : .f32)
    }
    let layout = layout
    for (layer, weights) in layers.enumerated() {
      guard let norm = weights.norm else { continue }
      func add(_ field: NormField, _ tensor: StoredTensor) {
        tensors[prefix + layout.normName(layer, field)!] = tensor
      }
      add(.runningMean, StoredTensor(Tensor(shape: [norm.channels], values: norm.runningMean)))
      add(
        .runningVariance,
        StoredTensor(Tensor(shape: [norm.channels], values: norm.runningVariance)))
      add(.batchesTracked, StoredTensor(int64: [Int64(norm.batchesTracked)], shape: []))
    }
    return tensors
  }

  /// A file of this network alone, which PyTorch's `load_state_dict(strict=True)` accepts.
  ///
  /// - Parameters:
  ///   - metadata: text to keep with it.
  ///   - type: as in ``storedTensors(prefix:type:)``.
  public func file(
    metadata: [String: String] = [:], type: TensorType = .f32
  ) -> SafetensorsFile {
    // A slope in the given metadata is another network's.
    let kept = metadata.filter { Self.kind == .discriminator || $0.key != slopeKey }
    return SafetensorsFile(
      metadata: kept.merging(describingMetadata) { $1 }, tensors: storedTensors(type: type))
  }
}

/// The metadata key of a generator's slope, written if the slope is not 0.
private let slopeKey = "bollygan.negative_slope"

extension GeneratorWeights {
  /// The slope, unless it is 0.
  public var describingMetadata: [String: String] { slope == 0 ? [:] : [slopeKey: "\(slope)"] }

  /// Sets the slope if the metadata gives one.
  public mutating func describe(by metadata: [String: String]) throws(WeightsError) {
    guard let text = metadata[slopeKey] else { return }
    guard let slope = Float(text), (0...1).contains(slope) else {
      throw .metadata(key: slopeKey, value: text, accepted: "a number from 0 to 1")
    }
    self.slope = slope
  }
}

private func readStateDict(
  _ kind: NetworkKind, _ tensors: [String: StoredTensor]
) throws(WeightsError) -> (StateDict, DCGANShape) {
  do throws(WeightsError) {
    let stateDict = try StateDict(kind, tensors)
    return (stateDict, try stateDict.shape())
  } catch {
    // The article's two networks use the same names, so only the shapes reveal the wrong file. Say
    // what it is.
    if let other = try? StateDict(kind.other, tensors), (try? other.shape()) != nil {
      throw .notANetwork(
        network: kind.rawValue, problem: "its tensors are those of a \(kind.other.rawValue)")
    }
    throw error
  }
}
