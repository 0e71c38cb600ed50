import BollyGANModel

/// The operators that are read, how many values they take, and which settings they may have.
///
/// An allow-list: a setting that is not listed could change the result without our knowing.
enum ONNXOperators {
  struct Signature {
    var inputs: ClosedRange<Int>
    var attributes: Set<String> = []
  }

  static let signatures: [String: Signature] = [
    "Add": Signature(inputs: 2...2),
    "BatchNormalization": Signature(
      inputs: 5...5, attributes: ["epsilon", "momentum", "spatial", "training_mode"]),
    "Cast": Signature(inputs: 1...1, attributes: ["to", "saturate", "round_mode"]),
    "Clip": Signature(inputs: 1...3, attributes: ["min", "max"]),
    "Concat": Signature(inputs: 1...8, attributes: ["axis"]),
    "Constant": Signature(
      inputs: 0...0,
      attributes: ["value", "value_float", "value_floats", "value_int", "value_ints"]),
    "Conv": Signature(
      inputs: 2...3,
      attributes: ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"]),
    "ConvTranspose": Signature(
      inputs: 2...3,
      attributes: [
        "auto_pad", "dilations", "group", "kernel_shape", "output_padding", "output_shape", "pads",
        "strides",
      ]),
    "DequantizeLinear": Signature(
      inputs: 2...3, attributes: ["axis", "block_size", "output_dtype"]),
    "Div": Signature(inputs: 2...2),
    "Flatten": Signature(inputs: 1...1, attributes: ["axis"]),
    "Gather": Signature(inputs: 2...2, attributes: ["axis"]),
    "Identity": Signature(inputs: 1...1),
    "LeakyRelu": Signature(inputs: 1...1, attributes: ["alpha"]),
    "Mod": Signature(inputs: 2...2, attributes: ["fmod"]),
    "Mul": Signature(inputs: 2...2),
    "Relu": Signature(inputs: 1...1),
    "Reshape": Signature(inputs: 2...2, attributes: ["allowzero"]),
    "Shape": Signature(inputs: 1...1, attributes: ["start", "end"]),
    "Sigmoid": Signature(inputs: 1...1),
    "Slice": Signature(inputs: 1...5, attributes: ["axes", "starts", "ends"]),
    "Sqrt": Signature(inputs: 1...1),
    "Squeeze": Signature(inputs: 1...2, attributes: ["axes"]),
    "Sub": Signature(inputs: 2...2),
    "Tanh": Signature(inputs: 1...1),
    "Transpose": Signature(inputs: 1...1, attributes: ["perm"]),
    "Unsqueeze": Signature(inputs: 1...2, attributes: ["axes"]),
  ]

  /// Refuses a node whose operator, values or settings are not listed.
  static func check(_ node: ONNXModel.Node) throws(ONNXError) {
    guard node.domain.isEmpty || node.domain == "ai.onnx" else {
      throw node.error("its operator is of domain \(quoted(node.domain)), not of ONNX itself")
    }
    guard let signature = signatures[node.operatorType] else {
      throw node.error(
        "this operator is not understood; a generator is read from "
          + signatures.keys.sorted().joined(separator: ", "))
    }
    guard signature.inputs.contains(node.inputs.count) else {
      throw node.error("takes \(node.inputs.count) values, not \(signature.inputs)")
    }
    guard let first = node.outputs.first, !first.isEmpty,
      node.outputs.dropFirst().allSatisfy(\.isEmpty)
    else {
      throw node.error("gives \(node.outputs.count) values, not one")
    }
    var seen: Set<String> = []
    for attribute in node.attributes {
      guard signature.attributes.contains(attribute.name) else {
        throw node.error(
          "setting \(quoted(attribute.name)) is not understood; accepted: "
            + (signature.attributes.isEmpty
              ? "none" : signature.attributes.sorted().joined(separator: ", ")))
      }
      guard seen.insert(attribute.name).inserted else {
        throw node.error("setting \(quoted(attribute.name)) stands there twice")
      }
    }
  }
}

/// Settings by name, each of the type it must have.
extension ONNXModel.Node {
  private func value(_ name: String) -> ONNXModel.Attribute.Value? {
    attributes.first { $0.name == name }?.value
  }

  func int(_ name: String) throws(ONNXError) -> Int64? {
    switch value(name) {
    case nil: return nil
    case .int(let value): return value
    default: throw error("\(name) is not an integer")
    }
  }

  func float(_ name: String) throws(ONNXError) -> Float? {
    switch value(name) {
    case nil: return nil
    case .float(let value):
      guard value.isFinite else { throw error("\(name) is \(value)") }
      return value
    default: throw error("\(name) is not a number")
    }
  }

  func ints(_ name: String) throws(ONNXError) -> [Int64]? {
    switch value(name) {
    case nil: return nil
    case .ints(let values): return values
    default: throw error("\(name) is not a list of integers")
    }
  }

  func text(_ name: String) throws(ONNXError) -> String? {
    switch value(name) {
    case nil: return nil
    case .string(let bytes): return String(decoding: bytes, as: UTF8.self)
    default: throw error("\(name) is not text")
    }
  }

  /// What a `Constant` holds.
  func constant() throws(ONNXError) -> ONNXConstant {
    guard attributes.count == 1 else { throw error("a constant has one value") }
    switch attributes[0].value {
    case .tensor(let tensor): return try ONNXConstant(tensor)
    case .float(let value): return try finite(ONNXConstant(shape: [], numbers: .floats([value])))
    case .floats(let values):
      return try finite(ONNXConstant(shape: [values.count], numbers: .floats(values)))
    case .int(let value): return ONNXConstant(shape: [], numbers: .ints([value]))
    case .ints(let values): return ONNXConstant(shape: [values.count], numbers: .ints(values))
    case .string, .strings: throw error("text is not understood")
    }
  }

  private func finite(_ constant: ONNXConstant) throws(ONNXError) -> ONNXConstant {
    if case .floats(let values) = constant.numbers, !values.allSatisfy(\.isFinite) {
      throw error("a number is not finite")
    }
    return constant
  }
}
