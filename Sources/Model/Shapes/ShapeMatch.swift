/// Finds the layers of a network in a file with unknown names.
///
/// If the layers, in the order of their names, form a chain, that order is used. Otherwise the
/// widths must double from layer to layer, so that the shapes alone determine the position of each
/// kernel and normalisation. Only the last part of each name (`weight`, `running_var`, ...) must be
/// PyTorch's.
struct ShapeMatch {
  let layout: ModuleLayout
  /// The file's name for each name of the layout.
  private(set) var nameInFile: [String: String] = [:]

  /// - Throws: ``WeightsError/notANetwork(network:problem:)``.
  init(_ kind: NetworkKind, _ tensors: [String: StoredTensor]) throws(WeightsError) {
    func failure(_ problem: String) -> WeightsError {
      .notANetwork(network: kind.rawValue, problem: problem)
    }
    // Modules by name: everything before the last dot.
    var modules: [String: [String: StoredTensor]] = [:]
    for (name, tensor) in tensors {
      let parts = Self.parts(name)
      modules[parts.module, default: [:]][parts.field] = tensor
    }
    var kernels: [(module: String, shape: [Int])] = []
    var norms: [(module: String, width: Int)] = []
    for (module, fields) in modules.sorted(by: { Self.isBefore($0.key, $1.key) }) {
      if let weight = fields["weight"], weight.shape.count == 4,
        fields.count == (fields["bias"] == nil || kind == .discriminator ? 1 : 2)
      {
        kernels.append((module, weight.shape))
      } else if let weight = fields["weight"], weight.shape.count == 1,
        NormField.required.allSatisfy({ fields[$0.rawValue] != nil }),
        fields.count == (fields[NormField.batchesTracked.rawValue] == nil ? 4 : 5)
      {
        norms.append((module, weight.shape[0]))
      } else {
        throw failure(
          "\(quoted(module)) is neither a convolution (one kernel"
            + (kind == .generator ? ", perhaps a bias" : ", no bias")
            + ") nor a batch normalisation")
      }
    }
    // A generator can have biases instead of normalisations.
    let layouts = kind.layouts.filter {
      $0.layers.count == kernels.count && !$0.hasBiases
        && ($0.layers.count { $0.norm != nil } == norms.count
          || kind == .generator && norms.isEmpty)
    }
    guard let layout = layouts.first else {
      throw failure(
        "it has \(kernels.count) convolutions and \(norms.count) batch normalisations")
    }
    self.layout = layout
    let output = kind.outputAxis
    let widths = kernels.indices.filter { layout.layers[$0].norm != nil }.map {
      kernels[$0].shape[output]
    }
    let isChain =
      zip(kernels, kernels.dropFirst()).allSatisfy { $0.shape[output] == $1.shape[1 - output] }
      && (norms.isEmpty || norms.map(\.width) == widths)
    if !isChain {
      // In both networks, axis 1 of a kernel faces the image and axis 0 faces away from it. The
      // kernel farthest from the image has the widest axis 1. Along axis 0 the widths of the others
      // double, whatever the latent size and the image's channels are.
      kernels.sort { $0.shape[1] > $1.shape[1] }
      let end = kernels.removeFirst()
      kernels.sort { $0.shape[0] > $1.shape[0] }
      kernels.insert(end, at: 0)
      if kind == .discriminator { kernels.reverse() }
      var known: Set<Int> = []
      for norm in norms where !known.insert(norm.width).inserted {
        throw failure("two normalisations have \(norm.width) channels")
      }
    }
    var rest = norms
    for (layer, kernel) in kernels.enumerated() {
      nameInFile[layout.kernelName(layer)] = Self.name(kernel.module, "weight")
      if modules[kernel.module]!["bias"] != nil {
        nameInFile[layout.biasName(layer)] = Self.name(kernel.module, "bias")
      }
      guard layout.layers[layer].norm != nil, !norms.isEmpty else { continue }
      let width = kernel.shape[output]
      guard let place = rest.firstIndex(where: { $0.width == width }) else {
        throw failure(
          "no normalisation has the \(width) channels of \(quoted(kernel.module))")
      }
      let module = rest.remove(at: place).module
      for field in NormField.required + [.batchesTracked]
      where modules[module]![field.rawValue] != nil {
        nameInFile[layout.normName(layer, field)!] = Self.name(module, field.rawValue)
      }
    }
  }

  /// A sentence that lists which tensor became which layer.
  var note: String {
    let kernels = layout.layers.indices.map { layer in
      "\(quoted(nameInFile[layout.kernelName(layer)]!)) as layer \(layer)"
    }
    return "tensor names differ from PyTorch's DCGAN; matched by shape: "
      + kernels.joined(separator: ", ")
  }

  /// The order of names with numbers compared as numbers: 3 before 10.
  private static func isBefore(_ one: String, _ other: String) -> Bool {
    let (a, b) = (one.split(separator: "."), other.split(separator: "."))
    for (x, y) in zip(a, b) where x != y {
      if let m = Int(x), let n = Int(y), m != n { return m < n }
      return x < y
    }
    return a.count == b.count ? one < other : a.count < b.count
  }

  private static func parts(_ name: String) -> (module: String, field: String) {
    guard let dot = name.lastIndex(of: ".") else { return ("", name) }
    return (String(name[..<dot]), String(name[name.index(after: dot)...]))
  }

  private static func name(_ module: String, _ field: String) -> String {
    module.isEmpty ? field : "\(module).\(field)"
  }
}
