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
    var kernel = weights.kernel.values
    for c in 0..<link.coarseChannels {
      for d in 0..<link.fineChannels {
        let start = (c * link.fineChannels + d) * 16
        for index in start..<start + 16 {
          kernel[index] = Float(Double(kernel[index]) * fold.scale[d])
        }
      }
    }
    for pixel in 0..<16 {
      for d in 0..<link.fineChannels {
        unsafe bias.base[pixel * link.fineStride + d] = fold.shift[d]
      }
    }
    let packed = FloatBuffer(count: link.weightCount)
    link.packed(kernel, into: packed)
    unsafe link.fillUp(panels, from: packed.base, workers: workers)
  }

  /// Multiply-adds for one picture.
  var multiplyAdds: Int { 16 * link.coarseChannels * link.fineChannels }

  /// From latents to maps with margin 1.
  @unsafe func run(
    from latents: FloatBuffer, to maps: FloatBuffer, images: Int, multiplier: Multiplier
  ) {
    unsafe multiplier.run(
      link.up(
        panels, from: latents.base, to: maps.base, margin: 1, bias: bias.base,
        rectify: Rectifier(slope: slope)),
      pixels: images)
  }
}
