import BollyGANModel
import BollyGANPictures
import BollyGANTraining

extension TrainingRun {
  /// The fixed latents, `samples/latents.safetensors`: `bollygan-infer --latents` draws the same
  /// faces from any generator of the run.
  func writeLatents() throws {
    let count = fixedLatents.count / shape.latent
    let tensor = Tensor(shape: [count, shape.latent], values: fixedLatents)
    let file = SafetensorsFile(tensors: ["latents": StoredTensor(tensor)])
    try writeFile(file.encoded(), to: folder.path(of: RunFolder.latentsName))
  }

  /// The sheet of the fixed latents' faces after an epoch.
  func writeSamples(epoch: Int) throws {
    let pictures = Picture.pictures(
      planar: samples(), channels: shape.channels, width: shape.side, height: shape.side)
    let sheet = grid(pictures, columns: 8)
    let text = [
      PNGText(keyword: "Software", text: "BollyGAN \(bollyganVersion)"),
      PNGText(keyword: "Comment", text: "epoch \(epoch), step \(step), \(recipe.name)"),
    ]
    let png = try sheet.encodePNG(text: text)
    try writeFile(png, to: folder.path(of: RunFolder.sampleName(epoch: epoch)))
    sheets.forget(epoch: epoch)
    record(sheet: sheet, png: png)
  }

  /// Faces of the fixed latents, drawn by the weights that the run would give away now.
  private func samples() -> [Float] {
    let byBatch = options.sampleStatistics == .batch
    guard let average else {
      return engine.generate(latents: fixedLatents, batchStatistics: byBatch)
    }
    let state = engine.state()
    var shown = state
    shown.generator = average.weights
    engine.restore(shown)
    defer { engine.restore(state) }
    return engine.generate(latents: fixedLatents, batchStatistics: byBatch)
  }

  /// Both networks of this step: whoever finds them finds a pair.
  func writeNetworks() throws {
    try writeGenerator()
    try writeDiscriminator()
  }

  /// `generator.safetensors`, or the best so far: the moving average where there is one.
  func writeGenerator(named name: String = RunFolder.generatorName) throws {
    var file = (average?.weights ?? engine.generatorWeights()).file(metadata: metadata)
    file.metadata["bollygan.nz"] = "\(shape.latent)"
    file.metadata["bollygan.ngf"] = "\(shape.generatorWidth)"
    file.metadata["bollygan.parent_sha256"] = parts.record.definition.initialGenerator
    file.metadata["bollygan.average"] = average.map { "\($0.decay)" }
    file.addModelSpec(
      title: "BollyGAN generator \(shape.side)x\(shape.side)", date: parts.record.date,
      side: shape.side)
    try writeFile(
      file.encoded(), to: folder.path(of: name), durably: true)
  }

  /// `discriminator.safetensors`, for whoever wants to go on training elsewhere; with spectral
  /// normalisation its kernels are the divided ones.
  private func writeDiscriminator() throws {
    var file = engine.state().judge.file(metadata: metadata)
    file.metadata["bollygan.ndf"] = "\(shape.discriminatorWidth)"
    file.metadata["bollygan.parent_sha256"] = parts.record.definition.initialDiscriminator
    file.addModelSpec(
      title: "BollyGAN discriminator \(shape.side)x\(shape.side)", date: parts.record.date,
      side: shape.side)
    try writeFile(
      file.encoded(), to: folder.path(of: RunFolder.discriminatorName), durably: true)
  }

  private var metadata: [String: String] {
    let definition = parts.record.definition
    return [
      "bollygan.version": bollyganVersion, "bollygan.recipe": recipe.name,
      "bollygan.seed": "\(definition.seed)", "bollygan.epoch": "\(step / stepsPerEpoch)",
      "bollygan.step": "\(step)", "bollygan.mean": "0.5", "bollygan.std": "0.5",
      "bollygan.dataset_sha256": definition.pictures,
    ]
  }
}
