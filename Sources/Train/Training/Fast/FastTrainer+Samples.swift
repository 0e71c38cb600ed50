import BollyGANCompute

// Images from the generator in training.

extension FastTrainer {
  /// Generates images `[count, channels, side, side]` in −1…1 from latents `[count, latent]`.
  public func generate(latents: [Float], batchStatistics: Bool) -> [Float] {
    let shape = configuration.shape
    let layout = generator.imageLayout
    let images = generator.forward(
      latents, into: FloatBuffer(count: latents.count / shape.latent * layout.imageStride),
      statistics: batchStatistics ? .batchUntracked : .running)
    // From channels last to planes.
    var values: [Float] = []
    values.reserveCapacity(images.count * shape.pictureCount)
    for image in 0..<images.count {
      let start = image * layout.imageStride + layout.origin
      for channel in 0..<shape.channels {
        for row in 0..<shape.side {
          for column in 0..<shape.side {
            let place = start + row * layout.rowStride + column * layout.pixelStride + channel
            values.append(images.values[place])
          }
        }
      }
    }
    return values
  }
}
