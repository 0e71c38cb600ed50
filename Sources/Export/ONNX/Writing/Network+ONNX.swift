public import BollyGANModel

extension GeneratorWeights {
  /// The generator as an ONNX model: `latent` in, `image` out.
  ///
  /// The latent is `[batch, nz, 1, 1]` (or `[batch, nz]`), the picture `[batch, channels, side,
  /// side]` in −1…1 unless the options say otherwise. Initializers have the names of PyTorch's
  /// state_dict; a folded layer is what `ConvTranspose2d` with a bias would be.
  ///
  /// - Parameters:
  ///   - options: version, precision and what goes in and out.
  ///   - metadata: what the weights file says of itself. Keys `bollygan.` and `modelspec.` go along;
  ///     author, licence and epoch also under the names that ONNX has for them.
  /// - Throws: ``ONNXError/unsupported(what:accepted:)`` where the options ask for what the format
  ///   does not have.
  public func onnxModel(
    _ options: ONNXExportOptions = ONNXExportOptions(), metadata: [String: String] = [:]
  ) throws(ONNXError) -> ONNXModel {
    try options.check()
    var builder = ONNXGraphBuilder(options)
    let batch = builder.batch
    let latent = ONNXModel.Dimension(.fixed(Int64(shape.latent)), denotation: "DATA_CHANNEL")
    let one = ONNXModel.Dimension(.fixed(1), denotation: "DATA_FEATURE")
    var input = ONNXModel.Value(
      name: "latent", type: .float,
      dimensions: options.latentRank == 2 ? [batch, latent] : [batch, latent, one, one])
    input.documentation = "Independent standard normal numbers, \(shape.latent) a picture."

    var value = "latent"
    if options.latentRank == 2 {
      value = builder.unsqueeze(value, axes: [2, 3], scope: "", as: [shape.latent, 1, 1])
    }
    var side = 4
    for (index, layer) in layers.enumerated() {
      let isLast = index == layers.count - 1
      let folded = options.keepsNorm ? nil : FoldedLayer(layer, outputAxis: 1)
      let kernel = folded?.kernel ?? layer.kernel
      let outputs = kernel.shape[1]
      value = builder.convolution(
        "ConvTranspose", value, kernel: kernel, bias: folded?.bias ?? layer.bias, module: 3 * index,
        stride: index == 0 ? 1 : 2, padding: index == 0 ? 0 : 1, outputAxis: 1,
        as: [outputs, side, side])
      if options.keepsNorm, let norm = layer.norm {
        value = builder.normalisation(
          value, norm, module: 3 * index + 1, as: [outputs, side, side])
      }
      // The last layer has no normalisation, so its activation comes one module sooner.
      value = builder.activation(
        isLast ? "Tanh" : slope == 0 ? "Relu" : "LeakyRelu", value,
        module: 3 * index + (isLast ? 1 : 2), as: [outputs, side, side],
        attributes: isLast || slope == 0 ? [] : [.init("alpha", .float(slope))])
      if !isLast { side *= 2 }
    }
    builder.finish(value, channels: shape.channels, side: side)

    var model = builder.model(name: "dcgan_generator", input: input)
    model.documentation = description(options)
    model.describe(metadata)
    model.metadata += [
      ONNXModel.Property("Image.BitmapPixelFormat", shape.channels == 1 ? "Gray8" : "Rgb8"),
      ONNXModel.Property("Image.ColorSpaceGamma", "SRGB"),
      ONNXModel.Property("Image.NominalPixelRange", options.range.nominal),
    ]
    model.metadata.sort { $0.key < $1.key }
    return model
  }

  /// The weights as a file of this storage gives them back: folded where the options fold, and
  /// rounded as the storage rounds.
  package func stored(_ options: ONNXExportOptions) -> GeneratorWeights {
    var result = self
    for (index, layer) in layers.enumerated() {
      let folded = options.keepsNorm ? nil : FoldedLayer(layer, outputAxis: 1)
      let kernel = StoredKernel(
        folded?.kernel ?? layer.kernel, name: "", storage: options.storage, outputAxis: 1)
      result.layers[index].kernel = kernel.restored
      if layer.norm != nil, let bias = folded?.bias {
        result.layers[index].norm = NormWeights(bias: bias)
      }
    }
    return result
  }

  private func description(_ options: ONNXExportOptions) -> String {
    let kind = shape.channels == 1 ? "gray" : "RGB"
    let input = options.latentRank == 2 ? "" : ", 1, 1"
    let count = options.batch ?? 16
    let axes =
      options.layout == .nchw
      ? "channels, rows, columns" : "rows, columns, channels"
    let meaning =
      switch options.range {
      case .signed: "-1 (dark) to 1 (light)"
      case .unit: "0 (dark) to 1 (light)"
      case .bytes: "0 (dark) to 255 (light)"
      }
    return """
      # DCGAN generator, \(shape.side)x\(shape.side) \(kind)

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
  /// The word of ONNX's `docs/MetadataProps.md`.
  var nominal: String {
    switch self {
    case .signed: "Normalized_1_1"
    case .unit: "Normalized_0_1"
    case .bytes: "NominalRange_0_255"
    }
  }
}

extension ONNXModel {
  /// Takes over what a weights file says of itself.
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
