import BollyGANModel

/// Input of an exported model and the output that it should give.
///
/// The standard runners (`onnxruntime_perf_test`, `onnx_test_runner`, `tract compare`) read them
/// from `test_data_set_0/input_0.pb` and `output_0.pb` next to the model.
public struct ONNXTestData: Sendable {
  /// `latent`, or the `image` to score.
  public let input: ONNXModel.Tensor
  /// `image` or `score`, by the plain engine.
  public let output: ONNXModel.Tensor

  /// Runs the network on the number of samples that the model takes per call, or on two.
  ///
  /// - Parameters:
  ///   - weights: what the model was made from.
  ///   - options: how it was made.
  public init<N: RunnableNetwork>(_ weights: N, options: ONNXExportOptions) {
    let shape = weights.shape
    let count = options.batch ?? 2
    let values = N.sampleInput(count: count, shape: shape)
    let result = weights.stored(options).plainOutput(values)
    switch N.kind {
    case .generator:
      input = ONNXModel.Tensor(
        name: "latent",
        Tensor(
          shape: [count, shape.latent] + (options.latentRank == 4 ? [1, 1] : []), values: values))
      let image = Tensor(images: result, count: count, shape, options.layout)
      switch options.range {
      case .signed:
        output = ONNXModel.Tensor(name: "image", image)
      case .unit:
        output = ONNXModel.Tensor(
          name: "image", Tensor(shape: image.shape, values: image.values.map { $0 * 0.5 + 0.5 }))
      case .bytes:
        output = ONNXModel.Tensor(
          name: "image", type: .uint8, dimensions: image.shape.map(Int64.init),
          contents: .raw(
            image.values.map {
              UInt8(min(255, max(0, $0 * 127.5 + 128)).rounded(.towardZero))
            }))
      }
    case .discriminator:
      input = ONNXModel.Tensor(
        name: "image", Tensor(images: values, count: count, shape, options.layout))
      output = ONNXModel.Tensor(name: "score", Tensor(shape: [count, 1], values: result))
    }
  }
}

extension Tensor {
  /// Images `[count, channels, side, side]` in the order of axes that a model uses.
  fileprivate init(
    images values: [Float], count: Int, _ shape: DCGANShape, _ layout: ONNXExportOptions.Layout
  ) {
    let (channels, side) = (shape.channels, shape.side)
    guard layout == .nhwc else {
      self.init(shape: [count, channels, side, side], values: values)
      return
    }
    let pixels = side * side
    let moved = values.indices.map { index in
      let (image, place) = index.quotientAndRemainder(dividingBy: channels * pixels)
      let (pixel, channel) = place.quotientAndRemainder(dividingBy: channels)
      return values[image * channels * pixels + channel * pixels + pixel]
    }
    self.init(shape: [count, side, side, channels], values: moved)
  }
}
