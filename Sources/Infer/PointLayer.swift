internal import BollyGANCompute
internal import BollyGANKernels
import BollyGANModel

/// The first layer of a generator: from latents to 4x4 maps, a plain product, with its normalisation
/// folded in and the rectifier behind it.
struct PointLayer: Sendable {
  let link: StridedLink
  private let panels: [Panels]
  private let bias: FloatBuffer
  private let slope: Float

  init(
    link: StridedLink, weights: LayerWeights, slope: Float, kernels: bg_kernels, workers: Workers
  ) {
    precondition(link.isWhole)
    self.link = link
    self.slope = slope
    panels = unsafe link.upPanels(kernels: kernels)
    // A product reads as many addends as its panels have columns.
    bias = FloatBuffer(count: panels[0].columns.roundedUp(to: panels[0].width))
    let fold = Fold(weights, outputs: link.fineChannels)
    for pixel in 0..<16 {
      for d in 0..<link.fineChannels {
        unsafe bias.base[link.place(of: d) + pixel * Int(BG_CHANNEL_UNIT)] = fold.shift[d]
      }
    }
    unsafe fill(weights.kernel, scale: fold.scale, workers: workers)
  }

  /// Takes a kernel `[coarseChannels, fineChannels, 4, 4]`, each fine channel times its factor.
  @unsafe private func fill(_ kernel: Tensor, scale: [Double], workers: Workers) {
    let (panels, fine) = (panels[0], link.fineChannels)
    let size = 16 * fine
    let places = (0..<fine).map(link.place)
    workers.run(link.coarseChannels) { c, _ in
      unsafe kernel.values(c * size..<(c + 1) * size).withUnsafeBufferPointer { channel in
        for pixel in 0..<16 {
          for d in 0..<fine {
            let (panel, column) = (places[d] + pixel * Int(BG_CHANNEL_UNIT))
              .quotientAndRemainder(dividingBy: panels.width)
            unsafe panels.panel(panel)[c * panels.width + column] =
              Float(Double(channel[d * 16 + pixel]) * scale[d])
          }
        }
      }
    }
  }

  /// Multiply-adds for one picture.
  var multiplyAdds: Int { 16 * link.coarseChannels * link.fineChannels }

  /// From latents to maps in chunks of channels.
  @unsafe func run(
    from latents: FloatBuffer, to maps: FloatBuffer, images: Int, multiplier: Multiplier
  ) {
    unsafe multiplier.run(
      link.up(
        panels, from: latents.base, to: maps.base, margin: 0, bias: bias.base,
        rectify: Rectifier(slope: slope)),
      pixels: images)
  }
}

extension StridedLink {
  /// Where a channel of the first pixel lies in a fine map in chunks of channels.
  fileprivate func place(of channel: Int) -> Int {
    let (chunk, within) = channel.quotientAndRemainder(dividingBy: Int(BG_CHANNEL_UNIT))
    return chunk * fineChunks.chunkStride + within
  }
}
