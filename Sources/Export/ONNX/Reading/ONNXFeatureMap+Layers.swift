import BollyGANModel

/// The nodes that begin a layer or work on its channels.
extension ONNXFeatureMap {
  /// Begins a layer: `ConvTranspose` or `Conv` with a constant kernel and perhaps a bias.
  mutating func convolve(
    _ node: ONNXModel.Node, _ constants: [ONNXConstant?], isTransposed: Bool
  ) throws(ONNXError) {
    if let last = layers.last {
      guard last.activation != nil else {
        throw node.error("follows \(quoted(last.node.name)) without an activation between")
      }
      guard !isFinished else {
        throw node.error("follows a tanh or sigmoid, which ends a network")
      }
    }
    guard let kernel = constants[1], let numbers = kernel.floats, kernel.shape.count == 4 else {
      throw node.error("its kernel is not a constant of floats with 4 axes")
    }
    guard self.shape.count == 4 else {
      throw node.error("its input has shape \(describedShape(self.shape)), accepted: 4 axes")
    }
    let shape = kernel.shape
    guard shape.allSatisfy({ $0 > 0 }), shape[2] <= 16, shape[3] <= 16 else {
      throw node.error("kernel \(shape), accepted: up to 16x16, no axis of length 0")
    }
    let (inputs, outputs) = isTransposed ? (shape[0], shape[1]) : (shape[1], shape[0])
    var map = self.shape
    if layers.isEmpty, isTransposed {
      // A file may leave the latent's axes open.
      map[1] = map[1] ?? inputs
      map[2] = map[2] ?? 1
      map[3] = map[3] ?? 1
      guard map[2] == 1, map[3] == 1 else {
        throw node.error("the latent has shape \(describedShape(map)), accepted: [batch, n, 1, 1]")
      }
    }
    guard map[1] == inputs else {
      throw node.error("kernel \(shape) does not fit an input of shape \(describedShape(map))")
    }
    let (stride, padding) = try node.geometry(kernel: shape)
    for axis in 2...3 {
      guard let length = map[axis] else { throw node.error("the side of its input is unknown") }
      guard isTransposed || length + 2 * padding >= shape[axis] else {
        throw node.error("kernel \(shape) is larger than its input of shape \(describedShape(map))")
      }
      // No overflow: lengths are below 2^26, strides up to 8, paddings up to 16.
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
    self.shape = map
    try sampleSize()
    var layer = FoundNetwork.Layer(
      node: node, kernel: Tensor(shape: shape, values: numbers), isTransposed: isTransposed,
      stride: stride, padding: padding)
    if node.inputs.count == 3, !node.inputs[2].isEmpty {
      guard let bias = constants[2]?.floats, bias.count == outputs else {
        throw node.error("its bias is not a constant of \(outputs) floats")
      }
      var affine = ChannelAffine(channels: outputs)
      affine.addends = bias.map { Double($0) }
      layer.affine = affine
    }
    layers.append(layer)
  }

  /// `BatchNormalization` by running statistics.
  mutating func normalise(
    _ node: ONNXModel.Node, _ constants: [ONNXConstant?]
  ) throws(ONNXError) {
    guard var layer = layers.last, layer.activation == nil else {
      throw node.error("does not directly follow a convolution")
    }
    guard try node.int("training_mode") ?? 0 == 0, try node.int("spatial") ?? 1 == 1 else {
      throw node.error("is in training mode or not per channel, accepted: inference per channel")
    }
    let channels = layer.outputs
    var parts: [[Float]] = []
    for constant in constants[1...] {
      guard let part = constant?.floats, part.count == channels else {
        throw node.error("one of its tensors is not a constant of \(channels) floats")
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
    guard epsilon >= 0, parts[3].allSatisfy({ $0 + epsilon > 0 }) else {
      throw node.error("epsilon \(epsilon) does not keep the variances above 0")
    }
    if layer.affine == nil, layer.norm == nil, epsilon == Float(NormWeights.epsilon) {
      layer.norm = norm
    } else {
      layer.append(ChannelAffine(norm, epsilon: Double(epsilon)))
    }
    layers[layers.count - 1] = layer
  }

  /// `Add`, `Sub`, `Mul` or `Div` by a constant before the activation of a layer.
  mutating func scaleLayer(
    _ node: ONNXModel.Node, _ constant: ONNXConstant
  ) throws(ONNXError) {
    guard var layer = layers.last, layer.activation == nil, let numbers = constant.floats else {
      throw node.error("does not directly follow a convolution")
    }
    let channels = layer.outputs
    // One number for all channels, or [C, 1, 1] with or without a batch axis of 1.
    let isPerChannel =
      constant.shape == [channels, 1, 1] || constant.shape == [1, channels, 1, 1]
    guard isPerChannel || (constant.count == 1 && constant.shape.count <= 4) else {
      throw node.error(
        "its constant has shape \(constant.shape), accepted: one number or [\(channels), 1, 1]")
    }
    var affine = ChannelAffine(channels: channels)
    for channel in 0..<channels {
      (affine.factors[channel], affine.addends[channel]) = try node.affineMap(
        numbers[isPerChannel ? channel : 0])
    }
    layer.append(affine)
    layers[layers.count - 1] = layer
  }
}

extension ONNXModel.Node {
  /// Stride and padding of a plain (transposed) convolution, the same along both axes.
  fileprivate func geometry(kernel: [Int]) throws(ONNXError) -> (stride: Int, padding: Int) {
    if let automatic = try text("auto_pad"), automatic != "NOTSET" {
      throw error("auto_pad \(quoted(automatic)), accepted: NOTSET with explicit pads")
    }
    guard try int("group") ?? 1 == 1 else { throw error("has groups, accepted: one") }
    guard try ints("dilations") ?? [1, 1] == [1, 1] else {
      throw error("has dilations, accepted: [1, 1]")
    }
    guard try ints("output_padding") ?? [0, 0] == [0, 0] else {
      throw error("has output_padding, accepted: [0, 0]")
    }
    guard try ints("output_shape") == nil else {
      throw error("sets output_shape, accepted: explicit pads")
    }
    if let stated = try ints("kernel_shape") {
      guard stated == kernel[2...].map(Int64.init) else {
        throw error("kernel_shape \(stated) does not match its kernel \(kernel)")
      }
    }
    let strides = try ints("strides") ?? [1, 1]
    guard strides.count == 2, strides[0] == strides[1], (1...8).contains(strides[0]) else {
      throw error("strides \(strides), accepted: two equal ones, 1 to 8")
    }
    let pads = try ints("pads") ?? [0, 0, 0, 0]
    guard pads.count == 4, pads.allSatisfy({ $0 == pads[0] }), (0...16).contains(pads[0]) else {
      throw error("pads \(pads), accepted: four equal ones, 0 to 16")
    }
    return (Int(strides[0]), Int(pads[0]))
  }
}
