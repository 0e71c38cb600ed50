/// A network's tensors under their names in its `nn.Sequential` (`0.weight`, `1.running_mean`,
/// ...), whatever the file calls them.
struct StateDict {
  let kind: NetworkKind
  let layout: ModuleLayout
  /// What a user should know about how the tensors were matched.
  let notes: [String]
  private let tensors: [String: NamedTensor]

  private struct NamedTensor {
    var nameInFile: String
    var tensor: StoredTensor
  }

  /// Prefixes that wrappers around a network add to all of its names.
  static let prefixes = ["module.", "main.", "net.", "model.", "G_ema."]

  /// Finds the layout with exactly the names of the tensors, after removing prefixes. If there is
  /// none, matches the tensors by shape and says so in ``notes``.
  init(_ kind: NetworkKind, _ tensors: [String: StoredTensor]) throws(WeightsError) {
    self.kind = kind
    let (prefix, named) = Self.withoutPrefixes(tensors)
    if let layout = kind.layouts.first(where: { $0.names(exactly: named.keys, kind) }) {
      self.layout = layout
      self.tensors = named
      notes = []
      return
    }
    // If only a few names differ from a known layout, naming one helps more than trying shapes.
    let (closest, shared) = kind.layouts.map { layout in
      (layout, layout.requiredNames.count { named[$0] != nil })
    }.max { $0.1 < $1.1 }!
    guard shared * 2 < closest.requiredNames.count else {
      if let missing = closest.requiredNames.first(where: { named[$0] == nil }) {
        throw .missing(tensor: prefix + missing, network: kind.rawValue)
      }
      let known = Set(closest.requiredNames + closest.optionalNames(kind))
      let unexpected = named.filter { !known.contains($0.key) }.map(\.value.nameInFile).sorted()
      throw .unexpected(tensor: unexpected[0], network: kind.rawValue)
    }
    let match = try ShapeMatch(kind, tensors)
    layout = match.layout
    self.tensors = match.nameInFile.mapValues {
      NamedTensor(nameInFile: $0, tensor: tensors[$0]!)
    }
    notes = [match.note]
  }

  private static func withoutPrefixes(
    _ tensors: [String: StoredTensor]
  ) -> (prefix: String, named: [String: NamedTensor]) {
    var taken = ""
    while !tensors.isEmpty,
      let next = prefixes.first(where: { next in
        tensors.keys.allSatisfy { $0.hasPrefix(taken + next) }
      })
    {
      taken += next
    }
    let named = tensors.map { name, tensor in
      (String(name.dropFirst(taken.count)), NamedTensor(nameInFile: name, tensor: tensor))
    }
    return (taken, Dictionary(uniqueKeysWithValues: named))
  }

  /// The sizes that follow from the kernels; every tensor is checked against them.
  func shape() throws(WeightsError) -> DCGANShape {
    let kernels = layout.layers.indices.map { tensors[layout.kernelName($0)]! }
    for kernel in kernels where kernel.tensor.shape.count != 4 {
      throw .entry(
        tensor: kernel.nameInFile,
        problem: "a convolution kernel has 4 axes, found shape \(kernel.tensor.shape)")
    }
    let shape: DCGANShape
    do throws(ShapeError) {
      shape = try kind.shape(kernels: kernels.map(\.tensor.shape))
    } catch {
      throw .unsupported(network: kind.rawValue, error)
    }
    for (layer, expected) in kind.kernelShapes(shape).enumerated() {
      try check(layout.kernelName(layer), expected)
      let bias = layout.biasName(layer)
      if tensors[bias] != nil { try check(bias, [expected[kind.outputAxis]]) }
      for field in NormField.required where hasNorm(layer) {
        try check(layout.normName(layer, field)!, [expected[kind.outputAxis]])
      }
      if let name = layout.normName(layer, .batchesTracked), tensors[name] != nil {
        try check(name, [])
      }
    }
    return shape
  }

  /// Whether the file holds a normalisation for a layer. A file matched by shape may lack it.
  private func hasNorm(_ layer: Int) -> Bool {
    layout.normName(layer, .scale).map { tensors[$0] != nil } ?? false
  }

  private func check(_ name: String, _ expected: [Int]) throws(WeightsError) {
    let named = tensors[name]!
    guard named.tensor.shape == expected else {
      throw .shape(tensor: named.nameInFile, expected: expected, found: named.tensor.shape)
    }
  }

  /// The weights of all layers.
  ///
  /// - Parameter allowsNonFinite: accept infinities and NaN.
  /// - Precondition: ``shape()`` threw nothing.
  func layers(allowsNonFinite: Bool) throws(WeightsError) -> [LayerWeights] {
    var layers: [LayerWeights] = []
    for layer in layout.layers.indices {
      let name = layout.kernelName(layer)
      var weights = LayerWeights(kernel: try tensor(name, allowsNonFinite))
      let bias = try bias(layer, allowsNonFinite)
      if hasNorm(layer) {
        weights.norm = try norm(layer, allowsNonFinite)
        // (x + bias − mean) is (x − (mean − bias)).
        if let bias {
          for channel in bias.indices { weights.norm!.runningMean[channel] -= bias[channel] }
        }
      } else if layout.layers[layer].norm != nil {
        let channels = weights.kernel.shape[kind.outputAxis]
        weights.norm = NormWeights(bias: bias ?? [Float](repeating: 0, count: channels))
      } else {
        weights.bias = bias
      }
      layers.append(weights)
    }
    return layers
  }

  /// A convolution's bias; nil if there is none, or if it is all zeros and not required.
  private func bias(_ layer: Int, _ allowsNonFinite: Bool) throws(WeightsError) -> [Float]? {
    guard tensors[layout.biasName(layer)] != nil else { return nil }
    let bias = try values(layout.biasName(layer), allowsNonFinite)
    return bias.allSatisfy { $0 == 0 } && !layout.needsBias(layer) ? nil : bias
  }

  private func norm(_ layer: Int, _ allowsNonFinite: Bool) throws(WeightsError) -> NormWeights {
    func vector(_ field: NormField) throws(WeightsError) -> [Float] {
      try values(layout.normName(layer, field)!, allowsNonFinite)
    }
    let scale = try vector(.scale)
    var norm = NormWeights(channels: scale.count)
    norm.scale = scale
    norm.shift = try vector(.shift)
    norm.runningMean = try vector(.runningMean)
    norm.runningVariance = try vector(.runningVariance)
    if let index = norm.runningVariance.firstIndex(where: { $0 < 0 }) {
      throw .negative(
        tensor: tensors[layout.normName(layer, .runningVariance)!]!.nameInFile, index: index)
    }
    if let tracked = tensors[layout.normName(layer, .batchesTracked)!] {
      let count = try tracked.tensor.int64s(name: tracked.nameInFile)[0]
      guard count >= 0 else { throw .negative(tensor: tracked.nameInFile, index: 0) }
      norm.batchesTracked = Int(count)
    }
    return norm
  }

  private func values(_ name: String, _ allowsNonFinite: Bool) throws(WeightsError) -> [Float] {
    try tensor(name, allowsNonFinite).values
  }

  private func tensor(_ name: String, _ allowsNonFinite: Bool) throws(WeightsError) -> Tensor {
    let named = tensors[name]!
    let tensor = try Tensor(named.tensor, name: named.nameInFile)
    if !allowsNonFinite, let index = tensor.firstNonFinite {
      throw .notFinite(tensor: named.nameInFile, index: index)
    }
    return tensor
  }
}

extension ModuleLayout {
  fileprivate func names(exactly names: some Collection<String>, _ kind: NetworkKind) -> Bool {
    let names = Set(names)
    return names.isSuperset(of: requiredNames)
      && names.isSubset(of: requiredNames + optionalNames(kind))
  }
}

/// The index of the first value that is infinite or NaN; nil if all are finite.
package func firstNonFinite(_ values: ArraySlice<Float>) -> Int? {
  // Find the largest magnitude first, without a branch per value: that pass is vectorised and is
  // nearly always the only one.
  let largest = values.reduce(Int32(0)) { max($0, Int32($1.bitPattern & 0x7fff_ffff)) }
  guard largest >= 0x7f80_0000 else { return nil }
  return values.firstIndex { !$0.isFinite }.map { $0 - values.startIndex }
}
