import BollyGANCompute
import BollyGANKernels

/// Two sums for each channel of each piece of a batch's maps.
///
/// A piece is a few rows of one map, few enough to stay in the cache for a second pass. Pieces
/// depend on the maps' sizes alone, and their sums are joined in order, in float64, no matter which
/// threads computed them.
struct ChannelSums {
  /// Layout of the maps, without margin.
  let layout: MapLayout
  private let images: Int
  private let rows: Int
  private let perImage: Int
  private let sums: FloatBuffer

  /// Floats in a piece: 64 KiB, well within a second-level cache.
  private static let floats = 16_384

  init(layout: MapLayout, images: Int) {
    self.layout = layout
    self.images = images
    rows = max(1, min(layout.rows, Self.floats / layout.rowStride))
    perImage = (layout.rows + rows - 1) / rows
    sums = FloatBuffer(count: 2 * images * perImage * layout.pixelStride)
  }

  /// Values of a channel in the whole batch.
  var count: Int { images * layout.pixels }

  private func rows(_ piece: Int) -> Range<Int> {
    let first = piece % perImage * rows
    return first..<min(first + rows, layout.rows)
  }

  /// Visits the pieces of part of a batch, each with its two sums of `layout.pixelStride` floats.
  @unsafe func each(
    _ images: Range<Int>,
    _ body: (
      _ image: Int, _ rows: Range<Int>, _ first: UnsafeMutablePointer<Float>,
      _ second: UnsafeMutablePointer<Float>
    ) -> Void
  ) {
    for piece in images.lowerBound * perImage..<images.upperBound * perImage {
      let first = unsafe sums.base + 2 * piece * layout.pixelStride
      unsafe body(piece / perImage, rows(piece), first, first + layout.pixelStride)
    }
  }

  /// Visits the pieces of the whole batch in order, with their pixels and their two sums.
  func join(
    _ body: (_ pixels: Int, _ first: ArraySlice<Float>, _ second: ArraySlice<Float>) -> Void
  ) {
    let (stride, sums) = (layout.pixelStride, sums.array)
    for piece in 0..<images * perImage {
      let place = 2 * piece * stride
      body(
        rows(piece).count * layout.columns, sums[place..<place + stride],
        sums[place + stride..<place + 2 * stride])
    }
  }
}

/// Mean and variance of each channel of a batch's maps, summed part by part.
struct ChannelMoments {
  private let map: FloatBuffer
  private let sums: ChannelSums

  /// - Parameter map: maps without margin, which need not be computed yet.
  init(of map: FloatBuffer, layout: MapLayout, images: Int) {
    self.map = map
    sums = ChannelSums(layout: layout, images: images)
  }

  /// Values of a channel in the whole batch.
  var count: Int { sums.count }

  /// Sums part of the batch, on the caller's thread.
  func take(_ images: Range<Int>, _ loops: FastLoops) {
    let layout = sums.layout
    let stride = layout.pixelStride
    unsafe sums.each(images) { image, rows, mean, squares in
      let values =
        unsafe map.base + (image * layout.imageStride + rows.lowerBound * layout.rowStride)
      let pixels = rows.count * layout.columns
      unsafe loops.kernels.channel_sums(pixels, stride, values, mean)
      for c in 0..<stride { unsafe mean[c] /= Float(pixels) }
      unsafe loops.kernels.channel_deviations(pixels, stride, values, mean, squares)
    }
  }

  /// Mean of each channel, and sum of squared deviations from it, by the pairwise update of Chan,
  /// Golub and LeVeque 1983.
  func joined() -> (mean: [Double], squares: [Double]) {
    let channels = sums.layout.channels
    var mean = [Double](repeating: 0, count: channels)
    var total = mean
    var seen = 0.0
    sums.join { pixels, means, squares in
      let pixels = Double(pixels)
      let share = pixels / (seen + pixels)
      for c in 0..<channels {
        let off = Double(means[means.startIndex + c]) - mean[c]
        mean[c] += off * share
        total[c] += Double(squares[squares.startIndex + c]) + off * off * seen * share
      }
      seen += pixels
    }
    return (mean, total)
  }
}
