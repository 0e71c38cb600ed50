import BollyGANCompute
import BollyGANKernels

/// Two sums for each channel of each piece of a batch's maps.
///
/// A piece is some rows of one map, so many that they stay in the cache for a second look; the pieces
/// depend on the map's sizes alone and are joined in order, in float64, whoever took them.
private struct PieceSums {
  /// Of maps without margin.
  let layout: MapLayout
  let images: Int
  private let rows: Int
  let perImage: Int
  let sums: FloatBuffer

  private static let floats = 16_384

  init(layout: MapLayout, images: Int) {
    self.layout = layout
    self.images = images
    rows = max(1, min(layout.rows, Self.floats / layout.rowStride))
    perImage = (layout.rows + rows - 1) / rows
    sums = FloatBuffer(count: 2 * images * perImage * layout.pixelStride)
  }

  /// Pixels of the piece of that number.
  func pixels(_ piece: Int) -> Int { rows(piece).count * layout.columns }

  private func rows(_ piece: Int) -> Range<Int> {
    let first = piece % perImage * rows
    return first..<min(first + rows, layout.rows)
  }

  /// Where the first sums of the piece of that number are; the second ones follow.
  func place(_ piece: Int) -> Int { 2 * piece * layout.pixelStride }

  /// Goes through the pieces of some images.
  func each(_ images: Range<Int>, _ body: (_ piece: Int, _ image: Int, _ rows: Range<Int>) -> Void)
  {
    for piece in images.lowerBound * perImage..<images.upperBound * perImage {
      body(piece, piece / perImage, rows(piece))
    }
  }
}

/// Mean and deviation of each channel of a batch's maps without margin, in the making.
struct ChannelMoments {
  private let map: FloatBuffer
  private let pieces: PieceSums

  init(of map: FloatBuffer, layout: MapLayout, images: Int) {
    self.map = map
    pieces = PieceSums(layout: layout, images: images)
  }

  /// Values of a channel.
  var count: Int { pieces.images * pieces.layout.pixels }

  /// Takes in some images, on the caller's thread.
  func take(_ images: Range<Int>, _ loops: FastLoops) {
    let layout = pieces.layout
    let stride = layout.pixelStride
    pieces.each(images) { piece, image, rows in
      let sum = unsafe pieces.sums.base + pieces.place(piece)
      let values =
        unsafe map.base
        + (image * layout.imageStride + rows.lowerBound * layout.rowStride)
      let pixels = rows.count * layout.columns
      unsafe loops.kernels.channel_sums(pixels, stride, values, sum)
      for c in 0..<stride { unsafe sum[c] /= Float(pixels) }
      unsafe loops.kernels.channel_deviations(pixels, stride, values, sum, sum + stride)
    }
  }

  /// Mean, and sum of squared deviations from it, of all images (Chan, Golub and LeVeque 1983).
  func joined() -> (mean: [Double], deviation: [Double]) {
    let (channels, stride) = (pieces.layout.channels, pieces.layout.pixelStride)
    var mean = [Double](repeating: 0, count: channels)
    var total = mean
    var seen = 0.0
    let sums = pieces.sums.array
    for piece in 0..<pieces.images * pieces.perImage {
      let place = pieces.place(piece)
      let pixels = Double(pieces.pixels(piece))
      let share = pixels / (seen + pixels)
      for c in 0..<channels {
        let off = Double(sums[place + c]) - mean[c]
        mean[c] += off * share
        total[c] += Double(sums[place + stride + c]) + off * off * seen * share
      }
      seen += pixels
    }
    return (mean, total)
  }
}

/// The way back through an activation and the normalisation before it, in the place of the gradient:
/// first its sums over all images, which the statistics of the batch ask for, then the gradient itself.
struct NormGradientSums {
  private let norm: FastNorm
  private let values: FloatBuffer
  private let gradient: FloatBuffer
  private let target: MapLayout
  private let slope: Float
  private let pieces: PieceSums

  /// - Parameters:
  ///   - values: What was normalised, of the given layout, without margin.
  ///   - gradient: Behind the activation, of the layout `target`; becomes the one before the
  ///     normalisation.
  ///   - slope: The activation's.
  init(
    _ norm: FastNorm, values: FloatBuffer, layout: MapLayout, gradient: FloatBuffer,
    target: MapLayout, images: Int, slope: Float
  ) {
    self.norm = norm
    self.values = values
    self.gradient = gradient
    self.target = target
    self.slope = slope
    pieces = PieceSums(layout: layout, images: images)
  }

  /// Values of a channel.
  var count: Int { pieces.images * pieces.layout.pixels }

  /// Takes in some images, on the caller's thread.
  func take(_ images: Range<Int>, _ loops: FastLoops) {
    pieces.each(images) { piece, image, rows in
      let sum = unsafe pieces.sums.base + pieces.place(piece)
      for row in rows {
        let (value, place) = places(image, row)
        unsafe loops.kernels.norm_gradient_sums(
          target.columns, target.pixelStride, values.base + value, gradient.base + place,
          norm.mean.base, norm.factor.base, norm.shift.weight.base, slope, sum,
          sum + target.pixelStride)
      }
    }
  }

  /// Of all images, for each channel: the sum of dz, and of dz · (x − mean).
  func joined() -> (sum: [Double], product: [Double]) {
    var sum = [Double](repeating: 0, count: norm.channels)
    var product = sum
    let sums = pieces.sums.array
    for piece in 0..<pieces.images * pieces.perImage {
      let place = pieces.place(piece)
      for c in 0..<norm.channels {
        sum[c] += Double(sums[place + c])
        product[c] += Double(sums[place + target.pixelStride + c])
      }
    }
    return (sum, product)
  }

  /// Makes the gradient of some images, after ``FastNorm/beginBackward(_:accumulates:)`` where there is a
  /// normalisation, on the caller's thread.
  func finish(_ images: Range<Int>, _ loops: FastLoops) {
    for image in images {
      for row in 0..<target.rows {
        let (value, place) = places(image, row)
        unsafe loops.kernels.norm_gradient_apply(
          target.columns, target.pixelStride, values.base + value, gradient.base + place,
          norm.mean.base, norm.factor.base, norm.shift.weight.base, slope, norm.a.base,
          norm.b.base, norm.c0.base, gradient.base + place)
      }
    }
  }

  private func places(_ image: Int, _ row: Int) -> (value: Int, gradient: Int) {
    let layout = pieces.layout
    return (
      image * layout.imageStride + row * layout.rowStride,
      image * target.imageStride + target.origin + row * target.rowStride
    )
  }
}

extension FastNorm {
  /// `to = act((from − mean) · factor + shift)` of some images, on the caller's thread: from a map
  /// without margin to one with margin 1.
  func activate(
    _ from: FloatBuffer, layout: MapLayout, to: FloatBuffer, target: MapLayout,
    images: Range<Int>, slope: Float, loops: FastLoops
  ) {
    for image in images {
      for row in 0..<layout.rows {
        let source = image * layout.imageStride + row * layout.rowStride
        let place = image * target.imageStride + target.origin + row * target.rowStride
        unsafe loops.kernels.normalise(
          layout.columns, layout.pixelStride, from.base + source, mean.base, factor.base,
          shift.weight.base, slope, to.base + place)
      }
    }
  }
}
