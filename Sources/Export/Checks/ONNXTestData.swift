import BollyGANInfer
public import BollyGANModel

/// Latents and the faces that a written model should give for them, as the standard runners
/// (`onnxruntime_perf_test`, `onnx_test_runner`, `tract compare`) read them from
/// `test_data_set_0/input_0.pb` and `output_0.pb` beside the model.
public struct ONNXTestData: Sendable {
  /// `latent`.
  public let input: ONNXModel.Tensor
  /// `image`, drawn by the plain engine.
  public let output: ONNXModel.Tensor

  /// Draws as many faces as the model takes a call, or two.
  ///
  /// - Parameters:
  ///   - weights: what the model was made from.
  ///   - options: how it was made.
  public init(_ weights: GeneratorWeights, options: ONNXExportOptions) {
    let shape = weights.shape
    let count = options.batch ?? 2
    let latents = ExportCheck.latents(count: count * shape.latent)
    input = ONNXModel.Tensor(
      name: "latent",
      Tensor(
        shape: [count, shape.latent] + (options.latentRank == 4 ? [1, 1] : []), values: latents))
    let signed = PlainGenerator<Float>(weights.stored(options)).pictures(latents: latents)
    var values = signed
    switch options.range {
    case .signed: break
    case .unit: values = signed.map { $0 * 0.5 + 0.5 }
    case .bytes: values = signed.map { min(255, max(0, $0 * 127.5 + 128)).rounded(.towardZero) }
    }
    var axes = [count, shape.channels, shape.side, shape.side]
    if options.layout == .nhwc {
      values = channelsLast(values, channels: shape.channels, pixels: shape.side * shape.side)
      axes = [count, shape.side, shape.side, shape.channels]
    }
    output =
      options.range == .bytes
      ? ONNXModel.Tensor(
        name: "image", type: .uint8, dimensions: axes.map(Int64.init),
        contents: .raw(values.map { UInt8($0) }))
      : ONNXModel.Tensor(name: "image", Tensor(shape: axes, values: values))
  }
}

extension ONNXTestData {
  /// Pictures of noise and the scores that a discriminator should give for them.
  ///
  /// - Parameters: as for a generator.
  public init(_ weights: DiscriminatorWeights, options: ONNXExportOptions) {
    let shape = weights.shape
    let count = options.batch ?? 2
    let pictures = ExportCheck.pictures(count: count * shape.pictureCount)
    let scores = PlainDiscriminator<Float>(weights.stored(options)).scores(pictures: pictures)
    input =
      options.layout == .nchw
      ? ONNXModel.Tensor(
        name: "image",
        Tensor(shape: [count, shape.channels, shape.side, shape.side], values: pictures))
      : ONNXModel.Tensor(
        name: "image",
        Tensor(
          shape: [count, shape.side, shape.side, shape.channels],
          values: channelsLast(
            pictures, channels: shape.channels, pixels: shape.side * shape.side)))
    output = ONNXModel.Tensor(name: "score", Tensor(shape: [count, 1], values: scores))
  }
}

/// `[n, channels, pixels]` as `[n, pixels, channels]`.
private func channelsLast(_ values: [Float], channels: Int, pixels: Int) -> [Float] {
  values.indices.map { index in
    let (picture, place) = index.quotientAndRemainder(dividingBy: channels * pixels)
    let (pixel, channel) = place.quotientAndRemainder(dividingBy: channels)
    return values[picture * channels * pixels + channel * pixels + pixel]
  }
}
