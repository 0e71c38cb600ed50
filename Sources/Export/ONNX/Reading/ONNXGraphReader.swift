import BollyGANModel

// Recognises a DCGAN in an ONNX graph.

extension ONNXModel {
  /// Finds a DCGAN's generator or discriminator in the graph.
  ///
  /// The graph is evaluated symbolically from its one input to its one output. Nodes that the input
  /// does not reach are computed: weights in any encoding, casts, dequantisation, shapes. On the
  /// path of the input, convolutions, normalisations, additions and multiplications by constants,
  /// and activations are collected into layers. A layer with a bias instead of a normalisation gets
  /// a normalisation that only adds.
  ///
  /// - Throws: ``ONNXError`` with the node, its operator, the reason, and what would be accepted.
  public func network<N: Network>(_: N.Type) throws(ONNXError) -> LoadedNetwork<N> {
    var reader = ONNXGraphReader(self)
    let weights = try reader.network().weights(N.self)
    _ = try metadataByKey()
    return LoadedNetwork(weights: weights, notes: reader.notes)
  }

  /// The metadata by key.
  ///
  /// - Throws: ``ONNXError/graph(reason:)`` if a key occurs twice.
  func metadataByKey() throws(ONNXError) -> [String: String] {
    var result: [String: String] = [:]
    for property in metadata {
      guard result.updateValue(property.value, forKey: property.key) == nil else {
        throw .graph(reason: "metadata \(quoted(property.key)) occurs twice in the file")
      }
    }
    return result
  }
}

/// Evaluates a graph symbolically: constants as numbers, the path of the input as layers.
struct ONNXGraphReader {
  /// Operator sets whose semantics are known here.
  static let opsets: ClosedRange<Int64> = 9...28
  /// Container versions that are known here.
  static let irVersions: ClosedRange<Int64> = 4...14

  private enum Value {
    case constant(ONNXConstant)
    case featureMap(ONNXFeatureMap)
  }

  /// What a user should know about how the graph was read.
  private(set) var notes: [String] = []
  private let model: ONNXModel
  private let graph: ONNXModel.Graph
  private var values: [String: Value] = [:]
  /// Numbers in constants that may still be computed.
  private var budget = 0

  init(_ model: ONNXModel) {
    self.model = model
    graph = model.graph
  }

  /// The layers between the graph's input and its output.
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
      throw .graph(reason: "the graph has \(graph.outputs.count) outputs, accepted: one")
    }
    guard case .featureMap(let map) = values[graph.outputs[0].name] else {
      throw .graph(
        reason: "output \(quoted(graph.outputs[0].name)) does not depend on input \(quoted(input))")
    }
    try map.finish(notes: &notes)
    return FoundNetwork(layers: map.layers)
  }

  private func checkVersions() throws(ONNXError) {
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
  }

  /// Stores the initializers as constants, and returns the name of the one input that has none.
  private mutating func readInputs() throws(ONNXError) -> String {
    for tensor in graph.initializers {
      let constant = try ONNXConstant(tensor)
      budget += constant.count
      values[tensor.name] = .constant(constant)
    }
    // Casts and dequantisation copy weights once or twice; a graph that copies more is after
    // memory.
    budget = 4 * budget + 65_536
    let inputs = graph.inputs.filter { values[$0.name] == nil }
    guard inputs.count == 1, let input = inputs.first else {
      throw .graph(
        reason: "the graph has \(inputs.count) inputs "
          + "(\(inputs.map { quoted($0.name) }.joined(separator: ", "))), accepted: one")
    }
    guard input.type == .float || input.type == .float16 || input.type == .double else {
      throw .graph(
        reason: "input \(quoted(input.name)) has type \(input.type.map { "\($0)" } ?? "unknown"), "
          + "accepted: float, float16, double")
    }
    guard let dimensions = input.dimensions, dimensions.count == 2 || dimensions.count == 4 else {
      throw .graph(
        reason: "input \(quoted(input.name)) has "
          + (input.dimensions.map { "\($0.count) axes" } ?? "no shape")
          + ", accepted: a latent [batch, n] or [batch, n, 1, 1], or an image of 4 axes")
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
    values[input.name] = .featureMap(ONNXFeatureMap(shape: shape))
    return input.name
  }

  /// The value of a node's output.
  private mutating func compute(_ node: ONNXModel.Node) throws(ONNXError) -> Value {
    var found: (map: ONNXFeatureMap, position: Int)?
    var constants: [ONNXConstant?] = []
    for (position, name) in node.inputs.enumerated() {
      switch name.isEmpty ? nil : values[name] {
      case .featureMap(let map):
        guard found == nil else {
          throw node.error("combines two values that depend on the input, a network is a chain")
        }
        found = (map, position)
        constants.append(nil)
      case .constant(let value): constants.append(value)
      case nil: constants.append(nil)
      }
    }
    if let (found, position) = found {
      var map = found
      if node.operatorType == "Shape" {
        let range = try node.shapeRange(rank: map.shape.count)
        return .constant(ONNXConstant(list: map.shape[range].map { $0.map(Int64.init) }))
      }
      try map.apply(node, at: position, constants, notes: &notes)
      return .featureMap(map)
    }
    let result = try node.folded(constants)
    // The numbers of a Constant are in the file, like those of an initializer.
    budget += node.operatorType == "Constant" ? 4 * result.count : -result.count
    guard budget >= 0 else {
      throw node.error("computed constants take many times the file's size")
    }
    return .constant(result)
  }
}
