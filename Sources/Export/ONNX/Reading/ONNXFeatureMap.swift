import BollyGANModel

/// A value that depends on the graph's input: its shape, and the layers that computed it.
///
/// The reader carries it from node to node. Each node either adds to the last layer, begins a new
/// one, or is refused by name.
struct ONNXFeatureMap {
  /// Numbers per sample in the largest value that is accepted, an image.
  static let sizeLimit = 1 << 26

  /// Lengths of the axes, the batch first; nil if unknown.
  var shape: [Int?]
  /// The layers computed so far.
  var layers: [FoundNetwork.Layer] = []
  /// Range conversion after the last activation: x · factor + addend.
  private var factor: Float = 1
  private var addend: Float = 0
  private var hasChannelsLast = false
  /// Whether values were cast to bytes; only a change of axes may follow.
  private var isRounded = false

  init(shape: [Int?]) { self.shape = shape }

  /// Whether the last activation of a generator has been applied.
  var isFinished: Bool {
    layers.last?.activation == .tanh || layers.last?.activation == .sigmoid
  }

  /// Applies a node.
  ///
  /// - Parameters:
  ///   - position: which of the node's inputs this value is.
  ///   - constants: the other inputs.
  ///   - notes: receives what a user should know.
  mutating func apply(
    _ node: ONNXModel.Node, at position: Int, _ constants: [ONNXConstant?], notes: inout [String]
  ) throws(ONNXError) {
    guard position == 0 || ["Add", "Mul"].contains(node.operatorType) else {
      throw node.error("input \(position + 1) must be a constant, but depends on the graph's input")
    }
    switch node.operatorType {
    case "Identity": break
    case "Cast": try cast(node, &notes)
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze": try reshape(node, constants)
    case "Transpose": try transpose(node, &notes)
    case "ConvTranspose": try convolve(node, constants, isTransposed: true)
    case "Conv": try convolve(node, constants, isTransposed: false)
    case "BatchNormalization": try normalise(node, constants)
    case "Add", "Sub", "Mul", "Div":
      guard let other = constants[1 - position], other.floats != nil else {
        throw node.error("its other input is not a constant of floats")
      }
      if isFinished { try convertRange(node, other) } else { try scaleLayer(node, other) }
    case "Clip": try clip(node, constants)
    case "Relu": try activate(node, .relu)
    case "LeakyRelu": try activate(node, .leakyRelu(try node.float("alpha") ?? 0.01))
    case "Tanh": try activate(node, .tanh)
    case "Sigmoid": try activate(node, .sigmoid)
    default:
      throw node.error("is supported between constants only, not on the path of the input")
    }
  }

  /// Numbers per sample; nil if a length is unknown.
  @discardableResult
  func sampleSize() throws(ONNXError) -> Int? {
    guard let size = elementCount(shape.dropFirst()) else { return nil }
    guard size <= Self.sizeLimit else {
      throw .tooLarge(
        what: "numbers per sample of shape \(describedShape(shape))", found: size,
        limit: Self.sizeLimit)
    }
    return size
  }

  private mutating func cast(
    _ node: ONNXModel.Node, _ notes: inout [String]
  ) throws(ONNXError) {
    let type = try node.elementType()
    switch type {
    case .float, .double: break
    case .float16, .bfloat16:
      notes.append(
        "node \(quoted(node.name)) rounds to \(type); this program computes in float32")
    case .uint8 where isFinished:
      isRounded = true
    default:
      throw node.error("casts to \(type), accepted: float, double, float16, and uint8 at the end")
    }
  }

  private mutating func reshape(
    _ node: ONNXModel.Node, _ constants: [ONNXConstant?]
  ) throws(ONNXError) {
    let size = try sampleSize()
    let result = try node.newShape(of: shape, constants, hasBatch: true)
    // After the first layer, only a single score may change its shape.
    guard layers.isEmpty || size == 1 || result == shape else {
      throw node.error("changes the shape of a feature map")
    }
    shape = result
  }

  private mutating func transpose(
    _ node: ONNXModel.Node, _ notes: inout [String]
  ) throws(ONNXError) {
    let permutation = try node.permutation(rank: shape.count)
    if permutation == Array(shape.indices) { return }
    if layers.isEmpty, permutation == [0, 3, 1, 2] {
      notes.append(Self.channelsLastNote)
    } else {
      guard isFinished, !hasChannelsLast, permutation == [0, 2, 3, 1] else {
        throw node.error(
          "permutes axes by \(permutation); accepted: [0, 2, 3, 1], once, after the last activation"
        )
      }
      hasChannelsLast = true
    }
    shape = permutation.map { shape[$0] }
  }

  private static let channelsLastNote =
    "the file's images have channels last; this program's have channels first"

  /// Multiplies or adds after the last activation, which changes the range of the image.
  private mutating func convertRange(
    _ node: ONNXModel.Node, _ constant: ONNXConstant
  ) throws(ONNXError) {
    guard let number = constant.scalar, !isRounded else {
      throw node.error("changes images by more than one number, or after rounding")
    }
    let map = try node.affineMap(number)
    factor = Float(Double(factor) * map.factor)
    addend = Float(Double(addend) * map.factor + map.addend)
  }

  /// `Clip`, accepted if no image in range reaches the limits.
  private func clip(
    _ node: ONNXModel.Node, _ constants: [ONNXConstant?]
  ) throws(ONNXError) {
    func limit(_ name: String, _ position: Int) throws(ONNXError) -> Float? {
      if let value = try node.float(name) { return value }
      guard position < node.inputs.count, !node.inputs[position].isEmpty else { return nil }
      guard let value = constants[position]?.scalar else {
        throw node.error("its \(name) is not a constant number")
      }
      return value
    }
    let low = try limit("min", 1) ?? -.infinity
    let high = try limit("max", 2) ?? .infinity
    guard isFinished else { throw node.error("clips before the last activation") }
    let (dark, light) = imageRange
    // Rounding to bytes adds half a step, which may exceed the limit.
    let slack = 0.5 * abs(factor / 127.5)
    guard low <= min(dark, light) + slack, high >= max(dark, light) - slack else {
      throw node.error(
        "clips to \(low)…\(high), which cuts images in \(min(dark, light))…\(max(dark, light))")
    }
  }

  private mutating func activate(
    _ node: ONNXModel.Node, _ activation: FoundNetwork.Activation
  ) throws(ONNXError) {
    guard let last = layers.last else { throw node.error("is applied to the input itself") }
    guard last.activation == nil else { throw node.error("follows another activation") }
    layers[layers.count - 1].activation = activation
  }

  /// The values of a black and of a white pixel: tanh is in −1…1, sigmoid in 0…1.
  private var imageRange: (dark: Float, light: Float) {
    let bottom: Float = layers.last?.activation == .sigmoid ? 0 : -1
    return (bottom * factor + addend, factor + addend)
  }

  /// Checks that this value is an image or a score, and notes how the file's images differ from
  /// ours.
  func finish(notes: inout [String]) throws(ONNXError) {
    if let last = layers.last, !last.isTransposed {
      guard try sampleSize() == 1, !hasChannelsLast, (factor, addend) == (1, 0) else {
        throw .graph(reason: "its convolutions do not end in one score per image")
      }
      return
    }
    guard isFinished else {
      throw .graph(
        reason:
          "the last layer \(quoted(layers.last?.node.name ?? "")) is not followed by Tanh or "
          + "Sigmoid"
      )
    }
    let (dark, light) = imageRange
    if (dark, light) != (-1, 1) {
      notes.append("the file's images are in \(dark)…\(light); this program's are in -1…1")
    }
    if hasChannelsLast { notes.append(Self.channelsLastNote) }
  }
}

extension ONNXModel.Node {
  /// What `Add`, `Sub`, `Mul` or `Div` by a number does: x · factor + addend.
  func affineMap(_ number: Float) throws(ONNXError) -> (factor: Double, addend: Double) {
    switch operatorType {
    case "Add": return (1, Double(number))
    case "Sub": return (1, -Double(number))
    case "Mul": return (Double(number), 0)
    default:
      guard number != 0 else { throw error("divides by 0") }
      return (1 / Double(number), 0)
    }
  }
}
