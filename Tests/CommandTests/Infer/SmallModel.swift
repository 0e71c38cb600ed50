import BollyGANInfer
import BollyGANModel
import BollyGANPictures

/// A tiny generator, in a folder as `model.safetensors`.
struct SmallModel {
  let folder: TemporaryFolder
  let weights: GeneratorWeights

  /// A generator with random weights.
  ///
  /// - Parameter latent: 16 numbers are a whole block of torch's random numbers, 7 are not.
  init(latent: Int = 16, side: Int = 64, channels: Int = 3) throws {
    let shape = try DCGANShape(
      latent: latent, generatorWidth: 4, side: side, channels: channels)
    var random = TorchRandom(seed: 5)
    let sizes = shape.generatorChannels
    let layers = (0..<sizes.count - 1).map { layer in
      LayerWeights(
        kernel: Tensor(
          shape: [sizes[layer], sizes[layer + 1], 4, 4],
          values: random.normal(count: sizes[layer] * sizes[layer + 1] * 16, std: 0.4)),
        norm: layer < sizes.count - 2 ? NormWeights(channels: sizes[layer + 1]) : nil)
    }
    weights = GeneratorWeights(shape: shape, layers: layers)
    folder = try TemporaryFolder()
    try folder.write(weights.file().encoded(), to: "model.safetensors")
  }

  /// Runs `bollygan-infer --model model.safetensors` in the folder.
  @discardableResult
  func infer(
    _ arguments: String..., redirection: String? = nil, input: [UInt8] = [],
    environment: [String: String] = [:]
  ) async throws -> BuiltCommand.Result {
    try await infer(
      arguments, redirection: redirection, input: input, environment: environment)
  }

  /// Runs `bollygan-infer` on the model, with a subcommand if the first argument is one.
  @discardableResult
  func infer(
    _ arguments: [String], redirection: String? = nil, input: [UInt8] = [],
    environment: [String: String] = [:]
  ) async throws -> BuiltCommand.Result {
    let subcommand = arguments.first == "interpolate" ? 1 : 0
    return try await BuiltCommand.infer.run(
      arguments.prefix(subcommand) + ["--model", "model.safetensors"]
        + arguments.dropFirst(subcommand),
      redirection: redirection, input: input, environment: environment, in: folder)
  }

  /// The image in a file.
  func picture(_ name: String) throws -> Picture {
    try decodePicture(folder.bytes(name), rules: .kind).picture
  }

  /// The texts of a PNG by keyword, without the prefix `bollygan:`.
  func texts(_ name: String) throws -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: try pngTexts(folder.bytes(name)).map {
        (String($0.keyword.dropFirst("bollygan:".count)), $0.text)
      })
  }

  /// The images of latents, drawn with the engine that the command uses.
  func pictures(_ latents: Latents) -> [Picture] {
    let planar = Generator(weights, threads: 1).pictures(latents: latents.values)
    let shape = weights.shape
    return Picture.pictures(
      planar: planar, channels: shape.channels, width: shape.side, height: shape.side)
  }
}
