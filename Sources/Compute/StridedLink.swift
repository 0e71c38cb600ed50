package import BollyGANModel

/// The linear operator between a coarse map and a fine one, and its adjoint: the one kind of layer
/// that both networks consist of.
///
/// Between maps, the kernel is 4x4 with stride 2 and padding 1, and the fine map has twice the
/// coarse one's side. Between single points and 4x4 maps, stride is 1 and padding 0.
///
/// With weights `w[c, u, v, d]`, c a coarse channel and d a fine one:
///
///     up:    fine[p, q, d] = Σ coarse[i, j, c] · w[c, u, v, d]
///            where p = 2i + u − 1 and q = 2j + v − 1
///     down:  coarse[i, j, c] = Σ fine[2i + u − 1, 2j + v − 1, d] · w[c, u, v, d]
///
/// A generator goes up through its links, a discriminator down, and gradients go the other way.
/// `up` consists of four convolutions, one for each pair of parities (r, s) of a fine pixel's row
/// and column; each sees 2x2 of the taps.
///
/// The methods choose layouts, pack weights and describe matrix products; ``UpConvolution``,
/// ``DownConvolution``, ``PictureConvolution`` and ``DirectPicture`` compute links without them.
package struct StridedLink: Equatable, Sendable {
  /// The side of the coarse map; 1 for the link between points and 4x4 maps.
  package let coarseSide: Int
  /// Channels of the coarse map, without padding.
  package let coarseChannels: Int
  /// Channels of the fine map, without padding.
  package let fineChannels: Int
  /// Whether the fine map is an image, whose few channels are stored without padding.
  package let isNarrow: Bool

  /// A link.
  ///
  /// - Precondition: An image has more than 4x4 pixels.
  package init(coarseSide: Int, coarseChannels: Int, fineChannels: Int, isNarrow: Bool = false) {
    precondition(!isNarrow || coarseSide > 1, "an image has more than 4x4 pixels")
    self.coarseSide = coarseSide
    self.coarseChannels = coarseChannels
    self.fineChannels = fineChannels
    self.isNarrow = isNarrow
  }

  /// Whether this is the link between single points and 4x4 maps.
  package var isPoint: Bool { coarseSide == 1 }
  /// The side of the fine map.
  package var fineSide: Int { isPoint ? 4 : 2 * coarseSide }

  // MARK: Layouts

  /// Coarse maps with all channels of a pixel together. Points never have a margin.
  package func coarseLayout(margin: Int) -> MapLayout {
    MapLayout(
      rows: coarseSide, columns: coarseSide, channels: coarseChannels, margin: isPoint ? 0 : margin)
  }

  /// Fine maps with all channels of a pixel together.
  package func fineLayout(margin: Int) -> MapLayout {
    MapLayout(
      rows: fineSide, columns: fineSide, channels: fineChannels, margin: margin, packed: isNarrow)
  }

  /// Coarse maps as the engine stores them: in chunks of channels, without a margin.
  package var coarseChunkedLayout: MapLayout {
    MapLayout(
      rows: coarseSide, columns: coarseSide, channels: coarseChannels, margin: 0, inChunks: true)
  }

  /// Fine maps as the engine stores them: in chunks of channels, without a margin.
  package var fineChunkedLayout: MapLayout {
    MapLayout(
      rows: fineSide, columns: fineSide, channels: fineChannels, margin: 0, inChunks: true)
  }

  /// Floats from one fine pixel to the next, in maps and in weights: the fine channels, padded
  /// unless the link ``isNarrow``.
  package var fineStride: Int { fineLayout(margin: 0).pixelStride }
  /// Floats from one coarse pixel to the next: the coarse channels, padded.
  package var coarseStride: Int { coarseLayout(margin: 0).pixelStride }

  /// Floats of the weights `[4, 4, fineStride]` of one coarse channel.
  package var weightStride: Int { 16 * fineStride }
  /// Floats of the weights `[coarseChannels, 4, 4, fineStride]`.
  package var weightCount: Int { coarseChannels * weightStride }

  // MARK: Networks

  /// The links of a generator, from the latent to the image.
  package static func generator(_ shape: DCGANShape) -> [StridedLink] {
    let channels = shape.generatorChannels
    return (0...shape.doublings).map {
      StridedLink(
        coarseSide: $0 == 0 ? 1 : 2 << $0, coarseChannels: channels[$0],
        fineChannels: channels[$0 + 1], isNarrow: $0 == shape.doublings)
    }
  }

  /// The links of a discriminator, from the image to the logit.
  package static func discriminator(_ shape: DCGANShape) -> [StridedLink] {
    let channels = shape.discriminatorChannels
    return (0...shape.doublings).map {
      StridedLink(
        coarseSide: $0 == shape.doublings ? 1 : shape.side >> ($0 + 1),
        coarseChannels: channels[$0 + 1], fineChannels: channels[$0], isNarrow: $0 == 0)
    }
  }

  // MARK: Weights

  /// Copies a kernel `[C, D, 4, 4]` into the layout of training, `[C, 4, 4, fineStride]`.
  package func packed(_ kernel: [Float], into buffer: FloatBuffer) {
    precondition(kernel.count == coarseChannels * fineChannels * 16)
    precondition(buffer.count == weightCount)
    for c in 0..<coarseChannels {
      for d in 0..<fineChannels {
        for tap in 0..<16 {
          unsafe buffer.base[c * weightStride + tap * fineStride + d] =
            kernel[(c * fineChannels + d) * 16 + tap]
        }
      }
    }
  }

  /// The kernel `[C, D, 4, 4]` of weights in the layout of training, `[C, 4, 4, fineStride]`.
  package func unpacked(_ buffer: FloatBuffer) -> [Float] {
    precondition(buffer.count == weightCount)
    var kernel = [Float](repeating: 0, count: coarseChannels * fineChannels * 16)
    for c in 0..<coarseChannels {
      for d in 0..<fineChannels {
        for tap in 0..<16 {
          kernel[(c * fineChannels + d) * 16 + tap] =
            unsafe buffer.base[c * weightStride + tap * fineStride + d]
        }
      }
    }
    return kernel
  }
}
