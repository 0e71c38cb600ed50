import BollyGANModel

/// Computes a graph symbolically: constants with numbers, the latent's way as layers.
struct ONNXGeneratorReader {
  /// Operator sets whose meaning is known here.
  static let opsets: ClosedRange<Int64> = 9...28
  /// Container versions that are known here.
  static let irVersions: ClosedRange<Int64> = 4...14
  /// Numbers in the largest value that the latent reaches, a picture.
  static let sizeLimit = 1 << 26

  private enum Value {
    case constant(ONNXConstant)
    case flow(Flow)
  }

  /// A value that depends on the latent.
  private struct Flow {
    /// Lengths of the axes, the batch first; nil where they are not known.
    var shape: [Int?]
    /// What has been computed so far.
    var layers: [FoundNetwork.Layer] = []
    /// After the last activation: x · factor + addend.
    var factor: Float = 1
    var addend: Float = 0
    var isNHWC = false
    /// Whether values were rounded or cut off, after which nothing but moving them is understood.
    var isRounded = false

    var isFinished: Bool {
      layers.last?.activation == .tanh || layers.last?.activation == .sigmoid
    }
  }

  private(set) var notes: [String] = []
  private let model: ONNXModel
  private let graph: ONNXModel.Graph
  private var opset: Int64 = 0
  private var values: [String: Value] = [:]
  /// Numbers in constants that may still be computed.
  private var budget = 0

  init(_ model: ONNXModel) {
    self.model = model
    graph = model.graph
  }

  mutating func network() throws(ONNXError) -> FoundNetwork {
    try checkVersions()
    let order = try graph.computationOrder()
    let input = try readInputs()
    var used: Set<String> = []
    for index in order {
      let node = graph.nodes[index]
      try ONNXOperators.check(node)
      used.formUnion(node.inputs)
      values[node.outputs[0]] = try compute(node)
    }
    for tensor in graph.initializers where !used.contains(tensor.name) {
      notes.append("initializer \(quoted(tensor.name)) is not used")
    }
    guard graph.outputs.count == 1 else {
      throw .graph(reason: "the graph has \(graph.outputs.count) outputs, a generator has one")
    }
    guard case .flow(let flow) = values[graph.outputs[0].name] else {
      throw .graph(
        reason: "output \(quoted(graph.outputs[0].name)) does not depend on input \(quoted(input))")
    }
    try finish(flow)
    return FoundNetwork(layers: flow.layers)
  }

  private mutating func checkVersions() throws(ONNXError) {
    guard Self.irVersions.contains(model.irVersion) else {
      throw .unsupported(
        what: "IR version \(model.irVersion)",
        accepted: "\(Self.irVersions.lowerBound) to \(Self.irVersions.upperBound)")
    }
    let own = model.operatorSets.filter { $0.domain.isEmpty || $0.domain == "ai.onnx" }
    guard own.count == 1, Self.opsets.contains(own[0].version) else {
      throw .unsupported(
        what: own.isEmpty
          ? "a file without an operator set"
          : "operator set \(own.map { "\($0.version)" }.joined(separator: " and "))",
        accepted: "one of \(Self.opsets.lowerBound) to \(Self.opsets.upperBound)")
    }
    opset = own[0].version
  }

  /// Takes the initializers over, and gives the name of the one input that is none.
  private mutating func readInputs() throws(ONNXError) -> String {
    for tensor in graph.initializers {
      let constant = try ONNXConstant(tensor)
      budget += constant.count
      values[tensor.name] = .constant(constant)
    }
    // Casts and dequantisation copy weights once or twice; whoever asks for more asks for memory.
    budget = 4 * budget + 65_536
    let inputs = graph.inputs.filter { values[$0.name] == nil }
    guard inputs.count == 1, let input = inputs.first else {
      throw .graph(
        reason: "the graph has inputs \(inputs.map { quoted($0.name) }.joined(separator: ", ")); "
          + "a generator has one, the latent")
    }
    guard input.type == .float || input.type == .float16 || input.type == .double else {
      throw .graph(
        reason:
          "input \(quoted(input.name)) is of type \(input.type.map { "\($0)" } ?? "unknown"), "
          + "a latent is of floats")
    }
    guard let dimensions = input.dimensions, dimensions.count == 2 || dimensions.count == 4 else {
      throw .graph(
        reason: "input \(quoted(input.name)) has "
          + (input.dimensions.map { "\($0.count) axes" } ?? "no shape")
          + "; a latent is [batch, n] or [batch, n, 1, 1]")
    }
    var shape: [Int?] = []
    for dimension in dimensions {
      if case .fixed(let length) = dimension.length {
        guard (1...1 << 24).contains(length) else {
          throw .graph(reason: "input \(quoted(input.name)) has an axis of length \(length)")
        }
        shape.append(Int(length))
      } else {
        shape.append(nil)
      }
    }
    values[input.name] = .flow(Flow(shape: shape))
    return input.name
  }

  /// The value that a node gives.
  private mutating func compute(_ node: ONNXModel.Node) throws(ONNXError) -> Value {
    var flow: Flow?
    var flowPosition = 0
    var constants: [ONNXConstant?] = []
    for (position, name) in node.inputs.enumerated() {
      switch name.isEmpty ? nil : values[name] {
      case .flow(let value):
        guard flow == nil else {
          throw node.error("combines two values that depend on the latent, a generator is a chain")
        }
        flow = value
        flowPosition = position
        constants.append(nil)
      case .constant(let value): constants.append(value)
      case nil: constants.append(nil)
      }
    }
    if let flow {
      return try follow(node, flow, at: flowPosition, constants)
    }
    let result = try constant(node, constants)
    // A Constant's numbers lie in the file, like an initializer's.
    budget += node.operatorType == "Constant" ? 4 * result.count : -result.count
    guard budget >= 0 else {
      throw node.error("constants are computed that together are many times the file's size")
    }
    return .constant(result)
  }

  // MARK: What the latent reaches

  private mutating func follow(
    _ node: ONNXModel.Node, _ flow: Flow, at position: Int, _ constants: [ONNXConstant?]
  ) throws(ONNXError) -> Value {
    guard position == 0 || ["Add", "Mul"].contains(node.operatorType) else {
      throw node.error(
        "value \(position + 1) depends on the latent, where a constant is understood")
    }
    var flow = flow
    switch node.operatorType {
    case "Identity":
      break
    case "Cast":
      try cast(node, &flow)
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze":
      try reshape(node, &flow, constants)
    case "Shape":
      let shape = flow.shape.map { $0.map(Int64.init) }
      let range = try sliced(node, count: shape.count)
      return .constant(ONNXConstant(shape: [range.count], numbers: .ints(Array(shape[range]))))
    case "Transpose":
      try transpose(node, &flow)
    case "ConvTranspose":
      try convolve(node, &flow, constants, isTransposed: true)
    case "Conv":
      try convolve(node, &flow, constants, isTransposed: false)
    case "BatchNormalization":
      try normalise(node, &flow, constants)
    case "Add", "Sub", "Mul", "Div":
      try scale(node, &flow, constants[1 - position])
    case "Clip":
      try clip(node, &flow, constants)
    case "Relu": try activate(node, &flow, .relu)
    case "LeakyRelu": try activate(node, &flow, .leakyRelu(try node.float("alpha") ?? 0.01))
    case "Tanh": try activate(node, &flow, .tanh)
    case "Sigmoid": try activate(node, &flow, .sigmoid)
    default:
      throw node.error("is understood between constants only, not on the way of the latent")
    }
    return .flow(flow)
  }

  private mutating func cast(_ node: ONNXModel.Node, _ flow: inout Flow) throws(ONNXError) {
    let type = try elementType(node)
    switch type {
    case .float, .double: break
    case .float16, .bfloat16:
      notes.append("node \(quoted(node.name)) rounds to \(type); here it is computed in float32")
    case .uint8 where flow.isFinished:
      flow.isRounded = true
    default:
      throw node.error("casts to \(type), accepted: float, double, float16, and uint8 at the end")
    }
  }

  /// Any change of shape that leaves the batch and the order of the numbers alone.
  private func reshape(
    _ node: ONNXModel.Node, _ flow: inout Flow, _ constants: [ONNXConstant?]
  ) throws(ONNXError) {
    let rank = flow.shape.count
    var result: [Int?]
    switch node.operatorType {
    case "Reshape":
      guard case .ints(let target)? = constants[1]?.numbers, constants[1]?.shape.count == 1,
        target.count <= 8
      else { throw node.error("the new shape is not a known list of up to 8 integers") }
      result = try reshaped(flow.shape, to: target, node)
    case "Flatten":
      let axis = try normalised(try node.int("axis") ?? 1, rank + 1, node)
      guard axis == 1 else { throw node.error("flattens at axis \(axis), accepted: 1") }
      result = [flow.shape[0], try size(flow.shape)]
    case "Squeeze":
      let axes =
        try axes(node, constants, rank: rank)
        ?? flow.shape.indices.filter {
          $0 > 0 && flow.shape[$0] == 1
        }
      result = flow.shape
      for axis in axes.sorted(by: >) {
        guard axis > 0, flow.shape[axis] ?? 1 == 1 else {
          throw node.error("removes axis \(axis), which is not of length 1")
        }
        result.remove(at: axis)
      }
    default:
      guard let added = try axes(node, constants, rank: nil) else {
        throw node.error("does not say which axes to add")
      }
      guard rank + added.count <= 8 else { throw node.error("adds \(added.count) axes") }
      var places: Set<Int> = []
      for axis in added {
        places.insert(try normalised(Int64(axis), rank + added.count, node))
      }
      guard places.count == added.count, !places.contains(0) else {
        throw node.error("adds axes \(added), accepted: different ones after the batch")
      }
      var rest = flow.shape[...]
      result = (0..<rank + added.count).map { places.contains($0) ? 1 : rest.removeFirst() }
    }
    // Once there are layers only the picture's own shape is understood, and any of a single score.
    if !flow.layers.isEmpty, try size(flow.shape) != 1 {
      guard result.count == rank, zip(result, flow.shape).allSatisfy({ $0 == $1 }) else {
        throw node.error("changes the shape of a feature map")
      }
    }
    flow.shape = result
  }

  private func reshaped(
    _ shape: [Int?], to target: [Int64?], _ node: ONNXModel.Node
  ) throws(ONNXError) -> [Int?] {
    let copiesZero = try node.int("allowzero") ?? 0 == 0
    var result: [Int?] = []
    var inferred: Int?
    for (axis, length) in target.enumerated() {
      switch length {
      case nil:
        guard axis == 0 else { throw node.error("axis \(axis) has an unknown length") }
        result.append(shape[0])
      case 0 where copiesZero:
        guard axis < shape.count else {
          throw node.error("copies axis \(axis), which is not there")
        }
        result.append(shape[axis])
      case -1:
        guard inferred == nil else { throw node.error("the new shape has two lengths of -1") }
        inferred = axis
        result.append(nil)
      case let length?:
        guard (1...1 << 24).contains(length) else {
          throw node.error("the new shape has a length of \(length)")
        }
        result.append(Int(length))
      }
    }
    guard !result.isEmpty else { throw node.error("the new shape is that of a scalar") }
    let count = try size(shape)
    if inferred == 0 || (target[0] == nil || target[0] == 0) {
      result[0] = shape[0]
    } else if let batch = result[0], let own = shape[0], batch == own {
      result[0] = own
    } else {
      throw node.error("mixes the batch with other axes")
    }
    // The rest must hold as many numbers as before; one unknown length follows from the others.
    let known = result.dropFirst().compactMap { $0 }.reduce(1) { min($0 * $1, Self.sizeLimit * 2) }
    if let unknown = result.dropFirst().firstIndex(where: { $0 == nil }) {
      guard let count else { return result }
      guard count % known == 0, result.dropFirst().filter({ $0 == nil }).count == 1 else {
        throw node.error("\(count) numbers do not fill shape \(described(result))")
      }
      result[unknown] = count / known
    } else if let count, count != known {
      throw node.error("\(count) numbers do not fill shape \(described(result))")
    }
    return result
  }

  /// Numbers a picture; nil where an axis is not known.
  private func size(_ shape: [Int?]) throws(ONNXError) -> Int? {
    var count = 1
    for length in shape.dropFirst() {
      guard let length else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow, product <= Self.sizeLimit else {
        throw .tooLarge(
          what: "numbers a picture of shape \(described(shape))",
          found: overflow ? Int.max : product, limit: Self.sizeLimit)
      }
      count = product
    }
    return count
  }

  private func described(_ shape: [Int?]) -> String {
    "[\(shape.map { $0.map { "\($0)" } ?? "?" }.joined(separator: ", "))]"
  }

  private mutating func transpose(_ node: ONNXModel.Node, _ flow: inout Flow) throws(ONNXError) {
    let permutation = try permutation(node, rank: flow.shape.count)
    if permutation == Array(flow.shape.indices) { return }
    if flow.layers.isEmpty, permutation == [0, 3, 1, 2] {
      // Pictures whose channels come last, on their way into a discriminator.
      notes.append("the file's pictures have channels last; here they come first")
    } else {
      guard flow.isFinished, !flow.isNHWC, permutation == [0, 2, 3, 1] else {
        throw node.error(
          "reorders axes by \(permutation); accepted: [0, 2, 3, 1], once, after the last activation"
        )
      }
      flow.isNHWC = true
    }
    flow.shape = permutation.map { flow.shape[$0] }
  }

  private func convolve(
    _ node: ONNXModel.Node, _ flow: inout Flow, _ constants: [ONNXConstant?], isTransposed: Bool
  ) throws(ONNXError) {
    if let last = flow.layers.last {
      guard last.activation != nil else {
        throw node.error("follows \(quoted(last.node.name)) without an activation between")
      }
      guard !flow.isFinished else {
        throw node.error("follows a tanh or sigmoid, which end a generator")
      }
    }
    guard let kernel = constants[1], let numbers = kernel.floats, kernel.shape.count == 4 else {
      throw node.error("its kernel is no constant of 4 axes of floats")
    }
    guard flow.shape.count == 4 else {
      throw node.error("its input has shape \(described(flow.shape)), a feature map has 4 axes")
    }
    let shape = kernel.shape
    guard shape.allSatisfy({ $0 > 0 }), shape[2] <= 16, shape[3] <= 16 else {
      throw node.error("kernel \(shape), accepted: up to 16x16, no axis of length 0")
    }
    let (inputs, outputs) = isTransposed ? (shape[0], shape[1]) : (shape[1], shape[0])
    // The channel axis may be unknown in the file, the maps' sides of a latent as well.
    var map = flow.shape
    if flow.layers.isEmpty, isTransposed {
      map[1] = map[1] ?? inputs
      map[2] = map[2] ?? 1
      map[3] = map[3] ?? 1
      guard map[2] == 1, map[3] == 1 else {
        throw node.error("the latent has shape \(described(map)), accepted: [batch, n, 1, 1]")
      }
    }
    guard map[1] == inputs else {
      throw node.error("kernel \(shape) does not fit an input of shape \(described(map))")
    }
    let (stride, padding) = try geometry(node, shape)
    for axis in 2...3 {
      guard let length = map[axis] else { throw node.error("an unknown side") }
      guard isTransposed || length + 2 * padding >= shape[axis] else {
        throw node.error("kernel \(shape) is larger than its input of shape \(described(map))")
      }
      // All factors are small: lengths up to sizeLimit, strides up to 8.
      let side =
        isTransposed
        ? (length - 1) * stride - 2 * padding + shape[axis]
        : (length + 2 * padding - shape[axis]) / stride + 1
      guard (1...1 << 14).contains(side) else {
        throw node.error("gives a side of \(side), accepted: 1 to \(1 << 14)")
      }
      map[axis] = side
    }
    map[1] = outputs
    flow.shape = map
    _ = try size(map)
    var layer = FoundNetwork.Layer(
      node: node, kernel: Tensor(shape: shape, values: numbers), isTransposed: isTransposed,
      stride: stride, padding: padding)
    if node.inputs.count == 3, !node.inputs[2].isEmpty {
      guard let bias = constants[2]?.floats, bias.count == outputs else {
        throw node.error("its bias is no constant of \(outputs) floats")
      }
      var affine = FoundNetwork.Affine(channels: outputs)
      affine.addends = bias.map { Double($0) }
      layer.affine = affine
    }
    flow.layers.append(layer)
  }

  /// Stride and padding, the same along both axes, of a plain (transposed) convolution.
  private func geometry(
    _ node: ONNXModel.Node, _ kernel: [Int]
  ) throws(ONNXError) -> (stride: Int, padding: Int) {
    if let automatic = try node.text("auto_pad"), automatic != "NOTSET" {
      throw node.error("auto_pad \(quoted(automatic)), accepted: NOTSET with explicit pads")
    }
    guard try node.int("group") ?? 1 == 1 else { throw node.error("has groups, accepted: one") }
    guard try node.ints("dilations") ?? [1, 1] == [1, 1] else {
      throw node.error("has dilations, accepted: [1, 1]")
    }
    guard try node.ints("output_padding") ?? [0, 0] == [0, 0] else {
      throw node.error("has output_padding, accepted: [0, 0]")
    }
    guard try node.ints("output_shape") == nil else {
      throw node.error("says output_shape, accepted: explicit pads")
    }
    if let stated = try node.ints("kernel_shape") {
      guard stated == kernel[2...].map(Int64.init) else {
        throw node.error("kernel_shape \(stated) is not that of its kernel \(kernel)")
      }
    }
    let strides = try node.ints("strides") ?? [1, 1]
    guard strides.count == 2, strides[0] == strides[1], (1...8).contains(strides[0]) else {
      throw node.error("strides \(strides), accepted: two equal ones, 1 to 8")
    }
    let pads = try node.ints("pads") ?? [0, 0, 0, 0]
    guard pads.count == 4, pads.allSatisfy({ $0 == pads[0] }), (0...16).contains(pads[0]) else {
      throw node.error("pads \(pads), accepted: four equal ones, 0 to 16")
    }
    return (Int(strides[0]), Int(pads[0]))
  }

  private func normalise(
    _ node: ONNXModel.Node, _ flow: inout Flow, _ constants: [ONNXConstant?]
  ) throws(ONNXError) {
    guard var layer = flow.layers.last, layer.activation == nil else {
      throw node.error("normalises what no ConvTranspose has just given")
    }
    guard try node.int("training_mode") ?? 0 == 0, try node.int("spatial") ?? 1 == 1 else {
      throw node.error("is in training mode or not per channel, accepted: inference per channel")
    }
    let channels = layer.outputs
    var parts: [[Float]] = []
    for constant in constants[1...] {
      guard let part = constant?.floats, part.count == channels else {
        throw node.error("one of its tensors is no constant of \(channels) floats")
      }
      parts.append(part)
    }
    guard parts[3].allSatisfy({ $0 >= 0 }) else { throw node.error("a variance is negative") }
    var norm = NormWeights(channels: channels)
    norm.scale = parts[0]
    norm.shift = parts[1]
    norm.runningMean = parts[2]
    norm.runningVariance = parts[3]
    let epsilon = try node.float("epsilon") ?? 1e-5
    guard epsilon >= 0,
      zip(parts[3], repeatElement(epsilon, count: channels)).allSatisfy({ $0 + $1 > 0 })
    else { throw node.error("epsilon \(epsilon) does not keep the variances above 0") }
    if layer.affine == nil, layer.norm == nil, epsilon == Float(NormWeights.epsilon) {
      layer.norm = norm
    } else {
      layer.append(FoundNetwork.Affine(norm, epsilon: Double(epsilon)))
    }
    flow.layers[flow.layers.count - 1] = layer
  }

  /// Multiplication, division, addition or subtraction by a constant.
  private func scale(
    _ node: ONNXModel.Node, _ flow: inout Flow, _ constant: ONNXConstant?
  ) throws(ONNXError) {
    guard let constant, let numbers = constant.floats else {
      throw node.error("its other value is no constant of floats")
    }
    func map(_ number: Float) -> (factor: Double, addend: Double) {
      switch node.operatorType {
      case "Add": (1, Double(number))
      case "Sub": (1, -Double(number))
      case "Mul": (Double(number), 0)
      default: (1 / Double(number), 0)
      }
    }
    guard node.operatorType != "Div" || !numbers.contains(0) else {
      throw node.error("divides by 0")
    }
    if flow.isFinished {
      guard let number = constant.scalar, !flow.isRounded else {
        throw node.error("changes pictures by more than one number, or after rounding")
      }
      let (factor, addend) = map(number)
      flow.factor = Float(Double(flow.factor) * factor)
      flow.addend = Float(Double(flow.addend) * factor + addend)
      return
    }
    guard var layer = flow.layers.last, layer.activation == nil else {
      throw node.error("scales or shifts what no ConvTranspose has just given")
    }
    let channels = layer.outputs
    // One number for all channels, or [C, 1, 1] with or without a batch axis of 1.
    let perChannel =
      constant.shape == [channels, 1, 1] || constant.shape == [1, channels, 1, 1]
    guard perChannel || (constant.count == 1 && constant.shape.count <= 4) else {
      throw node.error(
        "its constant has shape \(constant.shape), accepted: one number or [\(channels), 1, 1]")
    }
    var affine = FoundNetwork.Affine(channels: channels)
    for channel in 0..<channels {
      let (factor, addend) = map(numbers[perChannel ? channel : 0])
      affine.factors[channel] = factor
      affine.addends[channel] = addend
    }
    layer.append(affine)
    flow.layers[flow.layers.count - 1] = layer
  }

  /// Limits that a picture in range does not touch.
  private func clip(
    _ node: ONNXModel.Node, _ flow: inout Flow, _ constants: [ONNXConstant?]
  ) throws(ONNXError) {
    func limit(_ name: String, _ position: Int) throws(ONNXError) -> Float? {
      if let value = try node.float(name) { return value }
      guard position < node.inputs.count, !node.inputs[position].isEmpty else { return nil }
      guard let value = constants[position]?.scalar else {
        throw node.error("its \(name) is no constant number")
      }
      return value
    }
    let low = try limit("min", 1) ?? -.infinity
    let high = try limit("max", 2) ?? .infinity
    guard flow.isFinished else { throw node.error("clips before the last activation") }
    // tanh lies in −1…1, sigmoid in 0…1. Half a step of rounding may stick out.
    let bottom = flow.layers.last?.activation == .sigmoid ? 0 : -1 as Float
    let ends = [bottom, 1].map { $0 * flow.factor + flow.addend }
    guard low <= ends.min()! + 0.5 * abs(flow.factor / 127.5),
      high >= ends.max()! - 0.5 * abs(flow.factor / 127.5)
    else {
      throw node.error(
        "clips to \(low)…\(high), which cuts pictures in \(ends.min()!)…\(ends.max()!)")
    }
  }

  private func activate(
    _ node: ONNXModel.Node, _ flow: inout Flow, _ activation: FoundNetwork.Activation
  ) throws(ONNXError) {
    guard let last = flow.layers.last else {
      throw node.error("is applied to the latent itself")
    }
    guard last.activation == nil else {
      throw node.error("follows another activation")
    }
    flow.layers[flow.layers.count - 1].activation = activation
  }

  private mutating func finish(_ flow: Flow) throws(ONNXError) {
    if let last = flow.layers.last, !last.isTransposed {
      guard try size(flow.shape) == 1, !flow.isNHWC, (flow.factor, flow.addend) == (1, 0) else {
        throw .graph(reason: "its convolutions do not end in one score a picture")
      }
      return
    }
    guard flow.isFinished else {
      throw .graph(
        reason:
          "the last layer \(quoted(flow.layers.last?.node.name ?? "")) is not followed by Tanh "
          + "or Sigmoid")
    }
    let bottom = flow.layers.last?.activation == .sigmoid ? 0 : -1 as Float
    let (low, high) = (bottom * flow.factor + flow.addend, flow.factor + flow.addend)
    if (low, high) != (-1, 1) {
      notes.append("the file's pictures are in \(low)…\(high); here they are in -1…1")
    }
    if flow.isNHWC { notes.append("the file's pictures have channels last; here they come first") }
  }

  // MARK: What no latent reaches

  private func constant(
    _ node: ONNXModel.Node, _ inputs: [ONNXConstant?]
  ) throws(ONNXError) -> ONNXConstant {
    if node.operatorType == "Constant" { return try node.constant() }
    guard var value = inputs[0] else { throw node.error("its first value is left out") }
    switch node.operatorType {
    case "Identity":
      return value
    case "Cast":
      return try cast(value, to: try elementType(node), node)
    case "Reshape":
      guard let target = inputs[1]?.ints, target.count <= 8 else {
        throw node.error("the new shape is not a known list of up to 8 integers")
      }
      value.shape = try reshaped(value, to: target, node)
      return value
    case "Flatten":
      let axis = try normalised(try node.int("axis") ?? 1, value.shape.count + 1, node)
      value.shape = [value.shape[..<axis].reduce(1, *), value.shape[axis...].reduce(1, *)]
      return value
    case "Squeeze":
      let axes =
        try axes(node, inputs, rank: value.shape.count)
        ?? value.shape.indices.filter { value.shape[$0] == 1 }
      for axis in axes.sorted(by: >) {
        guard value.shape[axis] == 1 else {
          throw node.error("removes axis \(axis), which is not of length 1")
        }
        value.shape.remove(at: axis)
      }
      return value
    case "Unsqueeze":
      guard let added = try axes(node, inputs, rank: nil), value.shape.count + added.count <= 8
      else {
        throw node.error("does not say which axes to add, or too many")
      }
      let rank = value.shape.count + added.count
      var places: Set<Int> = []
      for axis in added { places.insert(try normalised(Int64(axis), rank, node)) }
      guard places.count == added.count else { throw node.error("adds an axis twice") }
      var rest = value.shape[...]
      value.shape = (0..<rank).map { places.contains($0) ? 1 : rest.removeFirst() }
      return value
    case "Transpose":
      return value.transposed(try permutation(node, rank: value.shape.count))
    case "Add", "Sub", "Mul", "Div", "Mod":
      guard let other = inputs[1] else { throw node.error("its second value is left out") }
      if case .ints = value.numbers { return try integers(value, other, node) }
      guard node.operatorType != "Mod" else {
        throw node.error("is understood for integers only")
      }
      let operation: (Float, Float) -> Float =
        switch node.operatorType {
        case "Add": (+)
        case "Sub": (-)
        case "Mul": (*)
        default: (/)
        }
      guard let result = ONNXConstant.combine(value, other, operation) else {
        throw node.error("shapes \(value.shape) and \(other.shape) of floats do not combine")
      }
      return try finite(result, node)
    case "Sqrt":
      guard let floats = value.floats else { throw node.error("takes a root of integers") }
      value.numbers = .floats(floats.map { $0.squareRoot() })
      return try finite(value, node)
    case "DequantizeLinear":
      return try dequantised(value, node, inputs)
    case "Shape":
      let range = try sliced(node, count: value.shape.count)
      return ONNXConstant(
        shape: [range.count], numbers: .ints(value.shape[range].map { Int64($0) }))
    case "Slice":
      return try slice(value, node, inputs)
    case "Gather":
      guard case .ints(let numbers) = value.numbers, value.shape.count == 1,
        let indices = inputs[1]?.ints, try node.int("axis") ?? 0 == 0
      else { throw node.error("gathers, which is understood for lists of integers only") }
      var gathered: [Int64?] = []
      for index in indices {
        gathered.append(numbers[try normalised(index, numbers.count, node)])
      }
      return ONNXConstant(shape: inputs[1]!.shape, numbers: .ints(gathered))
    case "Concat":
      var joined: [Int64?] = []
      for input in inputs {
        guard case .ints(let numbers)? = input?.numbers, input?.shape.count == 1 else {
          throw node.error("joins, which is understood for lists of integers only")
        }
        joined += numbers
      }
      return ONNXConstant(shape: [joined.count], numbers: .ints(joined))
    default:
      throw node.error("is not understood between constants")
    }
  }

  /// Arithmetic on the integers of which exporters make shapes.
  private func integers(
    _ left: ONNXConstant, _ right: ONNXConstant, _ node: ONNXModel.Node
  ) throws(ONNXError) -> ONNXConstant {
    guard case .ints(let a) = left.numbers, case .ints(let b) = right.numbers,
      left.shape == right.shape || a.count == 1 || b.count == 1
    else { throw node.error("shapes \(left.shape) and \(right.shape) of integers do not combine") }
    guard try node.int("fmod") ?? 0 == 0 else { throw node.error("has fmod, accepted: none") }
    let longer = a.count >= b.count ? left : right
    var result: [Int64?] = []
    for index in 0..<longer.count {
      // The batch is not known, and neither is what is computed of it.
      guard let x = a[a.count == 1 ? 0 : index], let y = b[b.count == 1 ? 0 : index] else {
        result.append(nil)
        continue
      }
      let (value, overflow): (Int64, Bool) =
        switch node.operatorType {
        case "Add": x.addingReportingOverflow(y)
        case "Sub": x.subtractingReportingOverflow(y)
        case "Mul": x.multipliedReportingOverflow(by: y)
        case "Div": x.dividedReportingOverflow(by: y)
        // The sign is that of the divisor.
        default: y > 0 ? ((x % y + y) % y, false) : (0, true)
        }
      guard !overflow else { throw node.error("\(x) and \(y) have no such result") }
      result.append(value)
    }
    return ONNXConstant(shape: longer.shape, numbers: .ints(result))
  }

  /// A part of a list of integers.
  private func slice(
    _ value: ONNXConstant, _ node: ONNXModel.Node, _ inputs: [ONNXConstant?]
  ) throws(ONNXError) -> ONNXConstant {
    guard case .ints(let numbers) = value.numbers, value.shape.count == 1 else {
      throw node.error("cuts, which is understood for lists of integers only")
    }
    func setting(_ name: String, _ position: Int) throws(ONNXError) -> Int64? {
      if let stated = try node.ints(name) {
        guard stated.count == 1 else { throw node.error("\(name) has \(stated.count) numbers") }
        return stated[0]
      }
      guard position < inputs.count, let given = inputs[position] else { return nil }
      guard let number = given.ints, number.count == 1 else {
        throw node.error("its \(name) is no constant integer")
      }
      return number[0]
    }
    guard let start = try setting("starts", 1), let end = try setting("ends", 2),
      try setting("axes", 3) ?? 0 == 0, try setting("steps", 4) ?? 1 == 1
    else { throw node.error("accepted: start and end along axis 0, step 1") }
    let range =
      clamped(
        start, numbers.count)..<max(
        clamped(start, numbers.count), clamped(end, numbers.count))
    return ONNXConstant(shape: [range.count], numbers: .ints(Array(numbers[range])))
  }

  private func reshaped(
    _ value: ONNXConstant, to target: [Int64], _ node: ONNXModel.Node
  ) throws(ONNXError) -> [Int] {
    let copiesZero = try node.int("allowzero") ?? 0 == 0
    var shape: [Int] = []
    var known = 1
    var inferred: Int?
    for (axis, length) in target.enumerated() {
      var length = length
      if length == -1, inferred == nil {
        inferred = axis
        shape.append(1)
        continue
      }
      if length == 0, copiesZero, axis < value.shape.count { length = Int64(value.shape[axis]) }
      let (product, overflow) = known.multipliedReportingOverflow(by: Int(clamping: length))
      guard length >= 0, !overflow, product <= value.count else {
        throw node.error("\(value.count) numbers do not fill shape \(target)")
      }
      known = product
      shape.append(Int(length))
    }
    if let inferred, known > 0 { shape[inferred] = value.count / known }
    guard shape.reduce(1, *) == value.count else {
      throw node.error("\(value.count) numbers do not fill shape \(target)")
    }
    return shape
  }

  private func cast(
    _ value: ONNXConstant, to type: ONNXModel.ElementType, _ node: ONNXModel.Node
  ) throws(ONNXError) -> ONNXConstant {
    var value = value
    switch (type, value.numbers) {
    case (.float, .floats), (.double, .floats): break
    case (.float16, .floats(let numbers)):
      value.numbers = .floats(numbers.map { float(binary16: binary16($0)) })
    case (.bfloat16, .floats(let numbers)):
      value.numbers = .floats(
        numbers.map { float(bfloat16: bfloat16($0)) })
    case (.float, .ints), (.double, .ints), (.float16, .ints):
      guard let numbers = value.ints else { throw node.error("casts the unknown batch") }
      value.numbers = .floats(numbers.map { Float($0) })
    case (.float, .steps(let numbers)), (.double, .steps(let numbers)):
      value.numbers = .floats(numbers.map { Float($0) })
    case (.int64, .ints): break
    default: throw node.error("casts constants to \(type), which is not understood")
    }
    return try finite(value, node)
  }

  private func dequantised(
    _ value: ONNXConstant, _ node: ONNXModel.Node, _ inputs: [ONNXConstant?]
  ) throws(ONNXError) -> ONNXConstant {
    guard let steps = value.steps, let scale = inputs[1], let factors = scale.floats else {
      throw node.error("takes 8-bit integers and factors of floats")
    }
    guard try node.int("block_size") ?? 0 == 0 else {
      throw node.error("has blocks, accepted: none")
    }
    var zeros = [Int16](repeating: 0, count: factors.count)
    if node.inputs.count == 3, !node.inputs[2].isEmpty {
      guard let given = inputs[2]?.steps, given.count == factors.count else {
        throw node.error("its zero points are no 8-bit integers, as many as factors")
      }
      zeros = given
    }
    var result: [Float] = []
    result.reserveCapacity(steps.count)
    if scale.shape.isEmpty || factors.count == 1 {
      for step in steps { result.append(Float(step - zeros[0]) * factors[0]) }
    } else {
      let axis = try normalised(try node.int("axis") ?? 1, value.shape.count, node)
      guard scale.shape == [value.shape[axis]] else {
        throw node.error("has \(factors.count) factors for an axis of \(value.shape[axis])")
      }
      let run = value.shape[(axis + 1)...].reduce(1, *)
      for (index, step) in steps.enumerated() {
        let channel = index / run % factors.count
        result.append(Float(step - zeros[channel]) * factors[channel])
      }
    }
    return try finite(ONNXConstant(shape: value.shape, numbers: .floats(result)), node)
  }

  private func finite(
    _ value: ONNXConstant, _ node: ONNXModel.Node
  ) throws(ONNXError) -> ONNXConstant {
    if case .floats(let numbers) = value.numbers, !numbers.allSatisfy(\.isFinite) {
      throw node.error("gives a number that is not finite")
    }
    return value
  }

  // MARK: Settings

  private func elementType(_ node: ONNXModel.Node) throws(ONNXError) -> ONNXModel.ElementType {
    let number = try node.int("to") ?? 0
    guard let type = Int32(exactly: number).flatMap({ ONNXModel.ElementType(rawValue: $0) }) else {
      throw node.error("casts to type \(number), which is not known")
    }
    return type
  }

  private func permutation(_ node: ONNXModel.Node, rank: Int) throws(ONNXError) -> [Int] {
    guard let stated = try node.ints("perm") else { return (0..<rank).reversed() }
    guard stated.sorted() == (0..<rank).map(Int64.init) else {
      throw node.error("perm \(stated) does not reorder \(rank) axes")
    }
    return stated.map { Int($0) }
  }

  /// The axes that a node names, by setting or (from operator set 13 on) by input; counted from the
  /// front where a rank is given.
  private func axes(
    _ node: ONNXModel.Node, _ constants: [ONNXConstant?], rank: Int?
  ) throws(ONNXError) -> [Int]? {
    var stated = try node.ints("axes")
    if constants.count > 1, !node.inputs[1].isEmpty {
      guard stated == nil, let axes = constants[1]?.ints else {
        throw node.error("its axes are no constant list of integers")
      }
      stated = axes
    }
    guard let stated else { return nil }
    guard stated.count <= 8 else { throw node.error("names \(stated.count) axes") }
    var result: [Int] = []
    for axis in stated {
      if let rank {
        result.append(try normalised(axis, rank, node))
      } else {
        guard (-8...8).contains(axis) else { throw node.error("names axis \(axis)") }
        result.append(Int(axis))
      }
    }
    guard Set(result).count == result.count else { throw node.error("names an axis twice") }
    return result
  }

  /// An axis or index counted from the front.
  private func normalised(
    _ axis: Int64, _ rank: Int, _ node: ONNXModel.Node
  ) throws(ONNXError) -> Int {
    guard Int64(-rank) <= axis, axis < Int64(rank) else {
      throw node.error("names axis or index \(axis) of \(rank)")
    }
    return Int(axis < 0 ? axis + Int64(rank) : axis)
  }

  /// A place in a list, counted from either end and moved inside.
  private func clamped(_ place: Int64, _ count: Int) -> Int {
    // A negative number and a length cannot overflow.
    Int(max(0, min(Int64(count), place < 0 ? place + Int64(count) : place)))
  }

  /// The part of a shape that a `Shape` node gives.
  private func sliced(_ node: ONNXModel.Node, count: Int) throws(ONNXError) -> Range<Int> {
    let start = clamped(try node.int("start") ?? 0, count)
    let end = clamped(try node.int("end") ?? Int64(count), count)
    return start..<max(start, end)
  }
}

extension FoundNetwork.Layer {
  /// Does something more to each output channel.
  mutating func append(_ next: FoundNetwork.Affine) {
    var affine =
      affine ?? norm.map { FoundNetwork.Affine($0, epsilon: NormWeights.epsilon) }
      ?? FoundNetwork.Affine(channels: outputs)
    affine.append(next)
    self.affine = affine
    norm = nil
  }
}
