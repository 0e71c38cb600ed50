public import BollyGANModel
import BollyGANInfer

extension DiscriminatorWeights {
  /// The discriminator as an ONNX model: `image` in, `score` out.
  ///
  /// The picture is `[batch, channels, side, side]` (or channels last) in −1…1, the score `[batch, 1]`
  /// from 0, drawn, to 1, photographed. Initializers have the names of PyTorch's state_dict.
  ///
  /// - Parameters:
  ///   - options: version, precision and layout; what is about latents and the range of pictures is
  ///     not looked at.
  ///   - metadata: what the weights file says of itself, as for a generator.
  /// - Throws: ``ONNXError/unsupported(what:accepted:)`` where the options ask for what the format
  ///   does not have.
  public func onnxModel(
    _ options: ONNXExportOptions = ONNXExportOptions(), metadata: [String: String] = [:]
  ) throws(ONNXError) -> ONNXModel {
    guard normalises else {
      return try withNorms.onnxModel(options, metadata: metadata)
    }
    try options.check()
    var builder = ONNXGraphBuilder(options)
    let channel = ONNXModel.Dimension(.fixed(Int64(shape.channels)), denotation: "DATA_CHANNEL")
    let length = ONNXModel.Dimension(.fixed(Int64(shape.side)), denotation: "DATA_FEATURE")
    var input = ONNXModel.Value(
      name: "image", type: .float,
      dimensions: options.layout == .nchw
        ? [builder.batch, channel, length, length] : [builder.batch, length, length, channel])
    input.denotation = "IMAGE"
    input.documentation = "A picture from -1 (dark) to 1 (light)."

    var value = "image"
    var side = shape.side
    if options.layout == .nhwc {
      value = builder.transpose(
        value, by: [0, 3, 1, 2], scope: "/layout", as: [shape.channels, side, side])
    }
    for (index, layer) in layers.enumerated() {
      let isLast = index == layers.count - 1
      // The tutorial's first convolution has no normalisation behind it, so all others come sooner.
      let module = normalisesFirst || index == 0 ? 3 * index : 3 * index - 1
      let folded = options.keepsNorm ? nil : FoldedLayer(layer, outputAxis: 0)
      let kernel = folded?.kernel ?? layer.kernel
      side = isLast ? 1 : side / 2
      let map = [kernel.shape[0], side, side]
      value = builder.convolution(
        "Conv", value, kernel: kernel, bias: folded?.bias, module: module,
        stride: isLast ? 1 : 2, padding: isLast ? 0 : 1, outputAxis: 0, as: map)
      if options.keepsNorm, let norm = layer.norm {
        value = builder.normalisation(value, norm, module: module + 1, as: map)
      }
      let next = module + (layer.norm == nil ? 1 : 2)
      if isLast {
        value = builder.activation("Sigmoid", value, module: next, as: map)
        value = builder.activation(
          "Flatten", value, module: next + 1, as: [1], attributes: [.init("axis", .int(1))])
      } else {
        value = builder.activation(
          "LeakyRelu", value, module: next, as: map,
          attributes: [.init("alpha", .float(Float(PlainDiscriminator<Float>.slope)))])
      }
    }
    builder.finish(score: value)

    var model = builder.model(name: "dcgan_discriminator", input: input)
    model.documentation = """
      # DCGAN discriminator, \(shape.side)x\(shape.side) \(shape.channels == 1 ? "gray" : "RGB")

      Takes `image` (batch, \(options.layout == .nchw ? "channels, rows, columns" : "rows, columns, channels")), \
      -1 (dark) to 1 (light), and gives `score`, how much each looks like the pictures that it was
      trained with, 0 to 1.
      """
    model.describe(metadata)
    model.metadata += [
      ONNXModel.Property("Image.BitmapPixelFormat", shape.channels == 1 ? "Gray8" : "Rgb8"),
      ONNXModel.Property("Image.ColorSpaceGamma", "SRGB"),
      ONNXModel.Property(
        "Image.NominalPixelRange", ONNXExportOptions.OutputRange.signed.nominal),
    ]
    model.metadata.sort { $0.key < $1.key }
    return model
  }

  /// The weights as a file of this storage gives them back: folded where the options fold, and
  /// rounded as the storage rounds.
  package func stored(_ options: ONNXExportOptions) -> DiscriminatorWeights {
    var result = withNorms
    for (index, layer) in result.layers.enumerated() {
      let folded = options.keepsNorm ? nil : FoldedLayer(layer, outputAxis: 0)
      result.layers[index].kernel =
        StoredKernel(
          folded?.kernel ?? layer.kernel, name: "", storage: options.storage, outputAxis: 0
        ).restored
      if layer.norm != nil, let bias = folded?.bias {
        result.layers[index].norm = NormWeights(bias: bias)
      }
    }
    return result
  }
}
