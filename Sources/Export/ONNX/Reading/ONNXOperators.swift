import BollyGANModel

/// The operators that are read, with the number of inputs and the attributes that each may have.
///
/// This is an allow-list: an attribute that is not listed could change the result unnoticed.
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

  /// Refuses a node whose operator, number of inputs or attributes are not listed.
  static func check(_ node: ONNXModel.Node) throws(ONNXError) {
    guard node.domain.isEmpty || node.domain == "ai.onnx" else {
      throw node.error("operators of domain \(quoted(node.domain)) are not supported")
    }
    guard let signature = signatures[node.operatorType] else {
      throw node.error(
        "this operator is not supported; accepted: "
          + signatures.keys.sorted().joined(separator: ", "))
    }
    guard signature.inputs.contains(node.inputs.count) else {
      throw node.error("has \(node.inputs.count) inputs, accepted: \(signature.inputs)")
    }
    guard let first = node.outputs.first, !first.isEmpty,
      node.outputs.dropFirst().allSatisfy(\.isEmpty)
    else {
      throw node.error("has \(node.outputs.count) outputs, accepted: one")
    }
    var seen: Set<String> = []
    for attribute in node.attributes {
      guard signature.attributes.contains(attribute.name) else {
        throw node.error(
          "attribute \(quoted(attribute.name)) is not supported; accepted: "
            + (signature.attributes.isEmpty
              ? "none" : signature.attributes.sorted().joined(separator: ", ")))
      }
      guard seen.insert(attribute.name).inserted else {
        throw node.error("attribute \(quoted(attribute.name)) occurs twice")
      }
    }
  }
}
