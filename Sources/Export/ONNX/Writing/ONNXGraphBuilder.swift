import BollyGANModel

/// Collects the nodes, constants and types of an ONNX graph, layer by layer.
struct ONNXGraphBuilder {
  let options: ONNXExportOptions
  private var nodes: [ONNXModel.Node] = []
  private var initializers: [ONNXModel.Tensor] = []
  private var intermediates: [ONNXModel.Value] = []
  private var outputs: [ONNXModel.Value] = []

  init(_ options: ONNXExportOptions) { self.options = options }

  /// The first axis of every value that depends on the graph's input.
  var batch: ONNXModel.Dimension {
    ONNXModel.Dimension(
      options.batch.map { .fixed(Int64($0)) } ?? .named("batch"), denotation: "DATA_BATCH")
  }

  /// The description of the graph's input: a generator's `latent`, a discriminator's `image`.
  func input(_ kind: NetworkKind, _ shape: DCGANShape) -> ONNXModel.Value {
    switch kind {
    case .generator:
      let latent = ONNXModel.Dimension(.fixed(Int64(shape.latent)), denotation: "DATA_CHANNEL")
      let one = ONNXModel.Dimension(.fixed(1), denotation: "DATA_FEATURE")
      var input = ONNXModel.Value(
        name: "latent", type: .float,
        dimensions: options.latentRank == 2 ? [batch, latent] : [batch, latent, one, one])
      input.documentation = "Independent standard normal numbers, \(shape.latent) a picture."
      return input
    case .discriminator:
      var input = image(type: .float, channels: shape.channels, side: shape.side)
      input.documentation = "A picture from -1 (dark) to 1 (light)."
      return input
    }
  }

  /// The description of the value `image`.
  private func image(
    type: ONNXModel.ElementType, channels: Int, side: Int
  ) -> ONNXModel.Value {
    let channel = ONNXModel.Dimension(.fixed(Int64(channels)), denotation: "DATA_CHANNEL")
    let length = ONNXModel.Dimension(.fixed(Int64(side)), denotation: "DATA_FEATURE")
    var image = ONNXModel.Value(
      name: "image", type: type,
      dimensions: options.layout == .nchw
        ? [batch, channel, length, length] : [batch, length, length, channel])
    image.denotation = "IMAGE"
    return image
  }

  /// A (transposed) convolution with a 4x4 kernel.
  ///
  /// - Parameters:
  ///   - module: index of the layer in PyTorch's `main`.
  ///   - shape: shape of the output after the batch.
  /// - Returns: the name of the output.
  mutating func convolution(
    _ operatorType: String, _ input: String, kernel: Tensor, bias: [Float]?, module: Int,
    stride: Int, padding: Int, outputAxis: Int, as shape: [Int]
  ) -> String {
    let name = "main.\(module)"
    var inputs = [input, weight(kernel, module: module, outputAxis: outputAxis)]
    if let bias { inputs.append(constant("\(name).bias", bias)) }
    return node(
      operatorType, inputs, scope: "/main/\(name)", as: shape,
      attributes: [
        .init("dilations", .ints([1, 1])),
        .init("group", .int(1)),
        .init("kernel_shape", .ints(kernel.shape[2...].map(Int64.init))),
        .init("pads", .ints([Int64](repeating: Int64(padding), count: 4))),
        .init("strides", .ints([Int64(stride), Int64(stride)])),
      ])
  }

  /// A batch normalisation by running statistics.
  mutating func normalisation(
    _ input: String, _ norm: NormWeights, module: Int, as shape: [Int]
  ) -> String {
    let name = "main.\(module)"
    return node(
      "BatchNormalization",
      [
        input, constant("\(name).weight", norm.scale), constant("\(name).bias", norm.shift),
        constant("\(name).running_mean", norm.runningMean),
        constant("\(name).running_var", norm.runningVariance),
      ],
      scope: "/main/\(name)", as: shape,
      attributes: [.init("epsilon", .float(Float(NormWeights.epsilon)))])
  }

  /// An activation without parameters.
  mutating func activation(
    _ operatorType: String, _ input: String, module: Int, as shape: [Int],
    attributes: [ONNXModel.Attribute] = []
  ) -> String {
    node(operatorType, [input], scope: "/main/main.\(module)", as: shape, attributes: attributes)
  }

  /// Inserts axes of length 1.
  mutating func unsqueeze(
    _ input: String, axes: [Int64], scope: String, as shape: [Int]
  ) -> String {
    // From operator set 13 on the axes are an input.
    if options.opset < 13 {
      return node(
        "Unsqueeze", [input], scope: scope, as: shape, attributes: [.init("axes", .ints(axes))])
    }
    initializers.append(
      ONNXModel.Tensor(
        name: "\(scope)/axes", type: .int64, dimensions: [Int64(axes.count)],
        contents: .raw(Array(StoredTensor(int64: axes, shape: [axes.count]).bytes))))
    return node("Unsqueeze", [input, "\(scope)/axes"], scope: scope, as: shape)
  }

  /// Converts images in −1…1 to the range and layout of the options, and makes them the output
  /// `image`.
  mutating func finish(image name: String, channels: Int, side: Int) {
    var value = name
    let shape = [channels, side, side]
    switch options.range {
    case .signed: break
    case .unit:
      value = node(
        "Mul", [value, constant("/range/factor", 0.5)], scope: "/range", as: shape)
      value = node(
        "Add", [value, constant("/range/addend", 0.5)], scope: "/range", as: shape)
    case .bytes:
      // (x + 1)/2 · 255 + 1/2, truncated, is the nearest byte. Only x = 1 gives 255.5, hence the
      // clip.
      value = node(
        "Mul", [value, constant("/range/factor", 127.5)], scope: "/range", as: shape)
      value = node(
        "Add", [value, constant("/range/addend", 128)], scope: "/range", as: shape)
      value = node(
        "Clip", [value, constant("/range/min", 0), constant("/range/max", 255)], scope: "/range",
        as: shape)
      value = node(
        "Cast", [value], scope: "/range", as: shape, type: .uint8,
        attributes: [.init("to", .int(Int64(ONNXModel.ElementType.uint8.rawValue)))])
    }
    let type: ONNXModel.ElementType = options.range == .bytes ? .uint8 : .float
    if options.layout == .nhwc {
      value = transpose(
        value, by: [0, 2, 3, 1], scope: "/layout", as: [side, side, channels], type: type)
    }
    rename(value, to: image(type: type, channels: channels, side: side))
  }

  /// Permutes axes.
  mutating func transpose(
    _ input: String, by permutation: [Int64], scope: String, as shape: [Int],
    type: ONNXModel.ElementType = .float
  ) -> String {
    node(
      "Transpose", [input], scope: scope, as: shape, type: type,
      attributes: [.init("perm", .ints(permutation))])
  }

  /// Makes a value `[batch, 1]` the output `score`.
  mutating func finish(score value: String) {
    let one = ONNXModel.Dimension(.fixed(1))
    rename(value, to: ONNXModel.Value(name: "score", type: .float, dimensions: [batch, one]))
  }

  /// Makes a value the graph's output.
  private mutating func rename(_ value: String, to output: ONNXModel.Value) {
    for index in nodes.indices {
      nodes[index].outputs = nodes[index].outputs.map { $0 == value ? output.name : $0 }
    }
    intermediates.removeAll { $0.name == value }
    outputs.append(output)
  }

  /// The model with everything collected so far.
  func model(name: String, input: ONNXModel.Value) -> ONNXModel {
    var graph = ONNXModel.Graph(
      name: name, nodes: nodes, initializers: initializers, inputs: [input], outputs: outputs)
    graph.intermediates = intermediates
    var model = ONNXModel(
      irVersion: Int64(options.effectiveIRVersion),
      operatorSets: [.init(version: Int64(options.opset))], graph: graph)
    model.producerName = "bollygan"
    model.producerVersion = bollyganVersion
    model.domain = "bollygan"
    return model
  }

  /// Adds a kernel in the storage of the options, and the node that converts it to float32.
  private mutating func weight(_ kernel: Tensor, module: Int, outputAxis: Int) -> String {
    let name = "main.\(module).weight"
    let stored = StoredKernel(
      kernel, name: name, storage: options.storage, outputAxis: outputAxis)
    initializers.append(stored.tensor)
    switch options.storage {
    case .f32:
      return name
    case .f16, .bf16:
      return constantNode(
        "Cast", [name], scope: "/main/main.\(module)", as: kernel.shape,
        attributes: [.init("to", .int(Int64(ONNXModel.ElementType.float.rawValue)))])
    case .int8:
      // The zero point is left out: it is 0.
      return constantNode(
        "DequantizeLinear",
        [name, constant("main.\(module).weight_scale", stored.factors ?? [])],
        scope: "/main/main.\(module)", as: kernel.shape,
        attributes: [.init("axis", .int(Int64(outputAxis)))])
    }
  }

  private mutating func constant(_ name: String, _ values: [Float]) -> String {
    initializers.append(
      ONNXModel.Tensor(
        name: name,
        Tensor(shape: [values.count], values: values)))
    return name
  }

  /// Adds a scalar.
  private mutating func constant(_ name: String, _ value: Float) -> String {
    initializers.append(
      ONNXModel.Tensor(
        name: name,
        Tensor(shape: [], values: [value])))
    return name
  }

  /// Adds a node whose output is `[batch] + shape`, with a name as PyTorch's exporter gives it.
  private mutating func node(
    _ operatorType: String, _ inputs: [String], scope: String, as shape: [Int],
    type: ONNXModel.ElementType = .float, attributes: [ONNXModel.Attribute] = []
  ) -> String {
    let plain = ONNXModel.Dimension(batch.length)
    return add(
      operatorType, inputs, scope: scope,
      dimensions: [plain] + shape.map { .init(.fixed(Int64($0))) }, type: type,
      attributes: attributes)
  }

  /// Adds a node that does not depend on the graph's input.
  private mutating func constantNode(
    _ operatorType: String, _ inputs: [String], scope: String, as shape: [Int],
    attributes: [ONNXModel.Attribute]
  ) -> String {
    add(
      operatorType, inputs, scope: scope, dimensions: shape.map { .init(.fixed(Int64($0))) },
      type: .float, attributes: attributes)
  }

  private mutating func add(
    _ operatorType: String, _ inputs: [String], scope: String,
    dimensions: [ONNXModel.Dimension], type: ONNXModel.ElementType,
    attributes: [ONNXModel.Attribute]
  ) -> String {
    let name = "\(scope)/\(operatorType)"
    let output = "\(name)_output_0"
    nodes.append(
      ONNXModel.Node(
        name: name, operatorType: operatorType, inputs: inputs, outputs: [output],
        attributes: attributes))
    intermediates.append(ONNXModel.Value(name: output, type: type, dimensions: dimensions))
    return output
  }
}
