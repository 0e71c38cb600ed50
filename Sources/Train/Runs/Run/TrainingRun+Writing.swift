import BollyGANModel
import BollyGANPictures

// The files of a run besides its log and checkpoints: samples and networks.

extension TrainingRun {
  /// Writes the fixed latents, `samples/latents.safetensors`. With `bollygan-infer --latents`, any
  /// generator draws the same faces from them.
  func writeLatents() throws {
    let count = fixedLatents.count / shape.latent
    let tensor = Tensor(shape: [count, shape.latent], values: fixedLatents)
    let file = SafetensorsFile(tensors: ["latents": StoredTensor(tensor)])
    try writeFile(file.encoded(), to: folder.path(of: RunFolder.latentsName))
  }

  /// Writes the sample sheet of an epoch: the faces of the fixed latents.
  func writeSamples(epoch: Int) throws {
    let pictures = Picture.pictures(
      planar: try samples(), channels: shape.channels, width: shape.side, height: shape.side)
    let sheet = grid(pictures, columns: 8)
    let text = [
      PNGText(keyword: "Software", text: "BollyGAN \(bollyganVersion)"),
      PNGText(keyword: "Comment", text: "epoch \(epoch), step \(step), \(recipe.name)"),
    ]
    let png = try sheet.encodePNG(text: text)
    try writeFile(png, to: folder.path(of: RunFolder.sampleName(epoch: epoch)))
    sheets.forget(epoch: epoch)
    addToTensorBoard([EventTags.image(sheet, png: png)])
  }

  /// Images of the fixed latents, generated with the weights that the run would hand out now.
  private func samples() throws -> [Float] {
    // The average is drawn by an engine of its own, so training's state stays as it is.
    let sampler =
      try average.map {
        try parts.makeEngine(
          engine.configuration, $0.weights,
          parts.initialDiscriminator ?? stream.initialDiscriminator)
      } ?? engine
    return sampler.generate(
      latents: fixedLatents, batchStatistics: options.sampleStatistics == .batch)
  }

  /// Writes both networks. They are always from the same step.
  func writeNetworks() throws {
    try writeGenerator()
    try writeDiscriminator()
  }

  /// Writes `generator.safetensors`, or the best generator so far: the moving average if there is
  /// one.
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

  /// Writes `discriminator.safetensors`, for training to continue elsewhere. With spectral
  /// normalisation it holds the normalised kernels.
  private func writeDiscriminator() throws {
    var file = engine.state().effectiveDiscriminator.file(metadata: metadata)
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
