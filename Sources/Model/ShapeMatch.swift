/// Finds the layers of a network in a file that names them differently.
///
/// The widths double from layer to layer, so the shapes alone tell which kernel and which
/// normalisation stands where; only the last part of each name (`weight`, `running_var`, ...) has to
/// be PyTorch's.
struct ShapeMatch {
  let layout: ModuleLayout
  /// For each name of the layout the file's name.
  private(set) var nameInFile: [String: String] = [:]

  /// - Throws: ``WeightsError/notANetwork(network:problem:)``.
  init(_ kind: NetworkKind, _ tensors: [String: StoredTensor]) throws(WeightsError) {
    func failure(_ problem: String) -> WeightsError {
      .notANetwork(network: kind.rawValue, problem: problem)
    }
    // Modules by their name: all that stands before the last dot.
    var modules: [String: [String: StoredTensor]] = [:]
    for (name, tensor) in tensors {
      let parts = Self.parts(name)
      modules[parts.module, default: [:]][parts.field] = tensor
    }
    var kernels: [(module: String, shape: [Int])] = []
    var norms: [Int: String] = [:]
    for (module, fields) in modules.sorted(by: { $0.key < $1.key }) {
      if let weight = fields["weight"], weight.shape.count == 4, fields.count == 1 {
        kernels.append((module, weight.shape))
      } else if let weight = fields["weight"], weight.shape.count == 1,
        NormField.required.allSatisfy({ fields[$0.rawValue] != nil }),
        fields.count == (fields[NormField.batchesTracked.rawValue] == nil ? 4 : 5)
      {
        guard norms.updateValue(module, forKey: weight.shape[0]) == nil else {
          throw failure("two normalisations have \(weight.shape[0]) channels")
        }
      } else {
        throw failure(
          "\(quoted(module)) is neither a convolution (one kernel, no bias) nor a batch "
            + "normalisation")
      }
    }
    let layouts = kind.layouts.filter {
      $0.layers.count == kernels.count && $0.layers.count { $0.norm != nil } == norms.count
    }
    guard let layout = layouts.first else {
      throw failure(
        "it has \(kernels.count) convolutions and \(norms.count) batch normalisations")
    }
    self.layout = layout
    // In both networks a kernel's axis 1 is on the picture's side, axis 0 on the other. The end away
    // from the picture has the widest axis 1; the widths on the others' axis 0 double, whatever the
    // latent's size and the picture's channels are.
    kernels.sort { $0.shape[1] > $1.shape[1] }
    let end = kernels.removeFirst()
    kernels.sort { $0.shape[0] > $1.shape[0] }
    kernels.insert(end, at: 0)
    if kind == .discriminator { kernels.reverse() }
    for (layer, kernel) in kernels.enumerated() {
      nameInFile[layout.kernelName(layer)] = Self.name(kernel.module, "weight")
      guard layout.layers[layer].norm != nil else { continue }
      let width = kernel.shape[kind.outputAxis]
      guard let module = norms[width] else {
        throw failure(
          "no normalisation has the \(width) channels of \(quoted(kernel.module))")
      }
      for field in NormField.required + [.batchesTracked]
      where modules[module]![field.rawValue] != nil {
        nameInFile[layout.normName(layer, field)!] = Self.name(module, field.rawValue)
      }
    }
  }

  /// A sentence that says what was taken for what.
  var note: String {
    let kernels = layout.layers.indices.map { layer in
      "\(quoted(nameInFile[layout.kernelName(layer)]!)) as layer \(layer)"
    }
    return "the tensors' names are not those of PyTorch's DCGAN; matched by shape: "
      + kernels.joined(separator: ", ")
  }

  private static func parts(_ name: String) -> (module: String, field: String) {
    guard let dot = name.lastIndex(of: ".") else { return ("", name) }
    return (String(name[..<dot]), String(name[name.index(after: dot)...]))
  }

  private static func name(_ module: String, _ field: String) -> String {
    module.isEmpty ? field : "\(module).\(field)"
  }
}
