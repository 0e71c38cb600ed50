internal import BollyGANCompute
internal import BollyGANKernels
import BollyGANModel

/// The first layer of a generator, from latents to 4x4 maps: a matrix product with folded batch
/// normalisation and the rectifier that follows.
///
/// The columns of the product are permuted so that its rows, written without gaps, are maps in
/// chunks of channels.
struct PointLayer: Sendable {
  let link: StridedLink
  private let panels: [Panels]
  private let bias: FloatBuffer
  private let slope: Float

  /// Folds and packs the weights.
  ///
  /// - Precondition: The link starts from points.
  init(
    link: StridedLink, weights: LayerWeights, slope: Float, kernels: bg_kernels, workers: Workers
  ) {
    precondition(link.isPoint)
    self.link = link
    self.slope = slope
    panels = link.upPanels(kernels: kernels)
    // A product reads the bias in whole panels.
    bias = FloatBuffer(count: panels[0].columns.roundedUp(to: panels[0].width))
    let fold = Fold(weights, outputs: link.fineChannels)
    for pixel in 0..<16 {
      for d in 0..<link.fineChannels { bias[link.column(of: d, pixel: pixel)] = fold.shift[d] }
    }
    fill(weights.kernel, scale: fold.scale, workers: workers)
  }

  /// Packs a kernel `[coarseChannels, fineChannels, 4, 4]`, each fine channel times its factor.
  private func fill(_ kernel: Tensor, scale: [Double], workers: Workers) {
    let (panels, link) = (panels[0], link)
    let size = 16 * link.fineChannels
    workers.run(link.coarseChannels) { c, _ in
      let channel = kernel.values(c * size..<(c + 1) * size)
      for pixel in 0..<16 {
        for d in 0..<link.fineChannels {
          let weight = Double(channel[channel.startIndex + d * 16 + pixel])
          panels[c, link.column(of: d, pixel: pixel)] = Float(weight * scale[d])
        }
      }
    }
  }

  /// Multiply-adds for one image.
  var multiplyAdds: Int { 16 * link.coarseChannels * link.fineChannels }

  /// Computes maps, in chunks of channels, from latents `[images, coarseStride]`.
  func run(from latents: FloatBuffer, to maps: FloatBuffer, images: Int, multiplier: Multiplier) {
    precondition(
      latents.count >= images * link.coarseStride
        && maps.count >= images * link.fineChunkedLayout.imageStride, "a buffer is too small")
    unsafe multiplier.run(
      link.up(
        panels, from: latents.base, to: maps.base, margin: 0, bias: bias.base,
        rectify: Rectifier(slope: slope)),
      pixels: images)
  }
}

extension StridedLink {
  /// Where a channel of a pixel is stored in a 4x4 map in chunks of channels.
  fileprivate func column(of channel: Int, pixel: Int) -> Int {
    let (chunk, within) = channel.quotientAndRemainder(dividingBy: Int(BG_CHANNEL_UNIT))
    return chunk * fineChunkedLayout.chunkStride + pixel * Int(BG_CHANNEL_UNIT) + within
  }
}
