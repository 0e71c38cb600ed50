public import BollyGANModel

// Writes a network as an ONNX model.

extension Network {
  /// The network as an ONNX model: `latent` in and `image` out, or `image` in and `score` out.
  ///
  /// A latent is `[batch, nz, 1, 1]` or `[batch, nz]`. An image is `[batch, channels, side, side]`,
  /// or channels last; in −1…1, unless the options give a generator another range. A score is
  /// `[batch, 1]`, from 0 (generated) to 1 (real). Initializers have their names in PyTorch's
  /// state_dict; a folded layer looks like a (transposed) convolution with a bias.
  ///
  /// - Parameters:
  ///   - options: version, precision, input and output. For a discriminator, the latent's rank and
  ///     the image's range are ignored.
  ///   - metadata: the metadata of the weights file. Keys that begin with `bollygan.` or
  ///     `modelspec.` are copied; author, license and epoch are repeated under their ONNX names.
  /// - Throws: ``ONNXError/unsupported(what:accepted:)`` if the format cannot express the options.
  public func onnxModel(
    _ options: ONNXExportOptions = ONNXExportOptions(), metadata: [String: String] = [:]
  ) throws(ONNXError) -> ONNXModel {
    try options.check()
    return withNorms.normalisedModel(options, metadata: metadata)
  }

  /// The model of a network whose hidden layers have no biases.
  private func normalisedModel(
    _ options: ONNXExportOptions, metadata: [String: String]
  ) -> ONNXModel {
    let kind = Self.kind
    var builder = ONNXGraphBuilder(options)
    let input = builder.input(kind, shape)
    var value = input.name
    if kind == .generator, options.latentRank == 2 {
      value = builder.unsqueeze(value, axes: [2, 3], scope: "", as: [shape.latent, 1, 1])
    } else if kind == .discriminator, options.layout == .nhwc {
      value = builder.transpose(
        value, by: [0, 3, 1, 2], scope: "/layout", as: [shape.channels, shape.side, shape.side])
    }
    let geometry = kind.geometry(doublings: shape.doublings)
    let sides = kind.sides(doublings: shape.doublings)
    for (index, layer) in layers.enumerated() {
      let isLast = index == layers.count - 1
      let module = layout.layers[index]
      let folded = options.keepsNorm ? layer : layer.folded(outputAxis: kind.outputAxis)
      let map = [folded.kernel.shape[kind.outputAxis], sides[index], sides[index]]
      value = builder.convolution(
        kind == .generator ? "ConvTranspose" : "Conv", value, kernel: folded.kernel,
        bias: folded.bias, module: module.kernel, stride: geometry[index].stride,
        padding: geometry[index].padding, outputAxis: kind.outputAxis, as: map)
      if let norm = folded.norm {
        value = builder.normalisation(value, norm, module: module.kernel + 1, as: map)
      }
      // Activations keep their number in the Sequential if the normalisation is folded.
      let next = (module.norm ?? module.kernel) + 1
      if !isLast {
        value = builder.activation(
          slope == 0 ? "Relu" : "LeakyRelu", value, module: next, as: map,
          attributes: slope == 0 ? [] : [.init("alpha", .float(slope))])
      } else if kind == .generator {
        value = builder.activation("Tanh", value, module: next, as: map)
        builder.finish(image: value, channels: shape.channels, side: shape.side)
      } else {
        value = builder.activation("Sigmoid", value, module: next, as: map)
        value = builder.activation(
          "Flatten", value, module: next + 1, as: [1], attributes: [.init("axis", .int(1))])
        builder.finish(score: value)
      }
    }

    var model = builder.model(name: "dcgan_\(kind.rawValue)", input: input)
    model.documentation = kind.documentation(shape, options)
    model.describe(metadata)
    let range = kind == .generator ? options.range : .signed
    model.metadata += [
      ONNXModel.Property("Image.BitmapPixelFormat", shape.channels == 1 ? "Gray8" : "Rgb8"),
      ONNXModel.Property("Image.ColorSpaceGamma", "SRGB"),
      ONNXModel.Property("Image.NominalPixelRange", range.nominal),
    ]
    model.metadata.sort { $0.key < $1.key }
    return model
  }

  /// The weights as an ONNX file with these options returns them: folded if the options fold,
  /// rounded as the storage rounds.
  package func stored(_ options: ONNXExportOptions) -> Self {
    let axis = Self.kind.outputAxis
    var result = withNorms
    for (index, layer) in result.layers.enumerated() {
      let folded = options.keepsNorm ? layer : layer.folded(outputAxis: axis)
      result.layers[index].kernel =
        StoredKernel(folded.kernel, name: "", storage: options.storage, outputAxis: axis).restored
      if layer.norm != nil, let bias = folded.bias {
        result.layers[index].norm = NormWeights(bias: bias)
      }
    }
    return result
  }
}

extension NetworkKind {
  /// The text in the model that viewers show: what goes in, what comes out, how to run it.
  fileprivate func documentation(_ shape: DCGANShape, _ options: ONNXExportOptions) -> String {
    let title =
      "# DCGAN \(rawValue), \(shape.side)x\(shape.side) "
      + (shape.channels == 1 ? "gray" : "RGB")
    let axes =
      options.layout == .nchw ? "channels, rows, columns" : "rows, columns, channels"
    if self == .discriminator {
      return """
        \(title)

        Takes `image` (batch, \(axes)), \
        -1 (dark) to 1 (light), and gives `score`, how much each looks like the pictures that it was
        trained with, 0 to 1.
        """
    }
    let input = options.latentRank == 2 ? "" : ", 1, 1"
    let count = options.batch ?? 16
    let meaning =
      switch options.range {
      case .signed: "-1 (dark) to 1 (light)"
      case .unit: "0 (dark) to 1 (light)"
      case .bytes: "0 (dark) to 255 (light)"
      }
    return """
      \(title)

      Takes `latent`, independent standard normal numbers, and gives `image` (batch, \(axes)),
      \(meaning).

      ```python
      import numpy, onnxruntime
      session = onnxruntime.InferenceSession("model.onnx")
      latent = numpy.random.randn(\(count), \(shape.latent)\(input)).astype("float32")
      image = session.run(["image"], {"latent": latent})[0]
      ```
      """
  }
}

extension ONNXExportOptions.OutputRange {
  /// The name in ONNX's `docs/MetadataProps.md`.
  var nominal: String {
    switch self {
    case .signed: "Normalized_1_1"
    case .unit: "Normalized_0_1"
    case .bytes: "NominalRange_0_255"
    }
  }
}

extension ONNXModel {
  /// Copies the metadata of a weights file.
  mutating func describe(_ source: [String: String]) {
    for (key, value) in source
    where key.hasPrefix("bollygan.") || key.hasPrefix("modelspec.") {
      metadata.append(Property(key, value))
    }
    if let author = source["modelspec.author"] {
      metadata.append(Property("model_author", author))
      metadata.append(Property("author", author))
    }
    if let license = source["modelspec.license"] {
      metadata.append(Property("model_license", license))
      metadata.append(Property("license", license))
    }
    if let epoch = source["bollygan.epoch"].flatMap({ Int64($0) }) { modelVersion = epoch }
  }
}
