import BollyGANCompute
import BollyGANKernels

/// The backward pass through an activation and the ``FastNorm`` before it, in two passes over the
/// batch.
///
/// With x the values that were normalised, z = (x − mean) · factor + shift, y = act(z), and dy the
/// given gradient:
///
///     dz = dy · act′(z)
///     take:    Σdz and Σdz · (x − mean) of each channel, over all images
///     finish:  dx = a · dz + b · (x − mean) + addend, which overwrites dy
///
/// The statistics of a batch depend on every value, so no dx is known before all of the sums are;
/// ``FastNorm/beginBackward(_:accumulates:)`` turns them into a, b and addend in between. Both
/// passes compute dz anew, which costs less than storing it.
struct NormGradientSums {
  private let norm: FastNorm
  private let values: FloatBuffer
  private let gradient: FloatBuffer
  private let target: MapLayout
  private let slope: Float
  private let sums: ChannelSums

  /// - Parameters:
  ///   - values: x, maps of `layout`, without margin.
  ///   - gradient: dy, maps of `target`; ``finish(_:_:)`` turns it into dx.
  ///   - slope: act′(z) where z ≤ 0; it is 1 elsewhere.
  init(
    _ norm: FastNorm, values: FloatBuffer, layout: MapLayout, gradient: FloatBuffer,
    target: MapLayout, images: Int, slope: Float
  ) {
    self.norm = norm
    self.values = values
    self.gradient = gradient
    self.target = target
    self.slope = slope
    sums = ChannelSums(layout: layout, images: images)
  }

  /// Values of a channel in the whole batch.
  var count: Int { sums.count }

  /// Sums part of the batch, on the caller's thread.
  func take(_ images: Range<Int>, _ loops: FastLoops) {
    unsafe sums.each(images) { image, rows, sum, product in
      for row in rows {
        let (value, place) = places(image, row)
        unsafe loops.kernels.norm_gradient_sums(
          target.columns, target.pixelStride, values.base + value, gradient.base + place,
          norm.statistics.mean.base, norm.statistics.factor.base, norm.shift.weight.base, slope,
          sum, product)
      }
    }
  }

  /// For each channel of the whole batch Σdz and Σdz · (x − mean).
  func joined() -> (sum: [Double], product: [Double]) {
    var sum = [Double](repeating: 0, count: norm.channels)
    var product = sum
    sums.join { _, ofPiece, productOfPiece in
      for c in 0..<norm.channels {
        sum[c] += Double(ofPiece[ofPiece.startIndex + c])
        product[c] += Double(productOfPiece[productOfPiece.startIndex + c])
      }
    }
    return (sum, product)
  }

  /// Turns dy into dx for part of the batch, on the caller's thread.
  func finish(_ images: Range<Int>, _ loops: FastLoops) {
    for image in images {
      for row in 0..<target.rows {
        let (value, place) = places(image, row)
        unsafe loops.kernels.norm_gradient_apply(
          target.columns, target.pixelStride, values.base + value, gradient.base + place,
          norm.statistics.mean.base, norm.statistics.factor.base, norm.shift.weight.base, slope,
          norm.a.base, norm.b.base, norm.addend.base, gradient.base + place)
      }
    }
  }

  /// Where a row begins in `values` and in `gradient`.
  private func places(_ image: Int, _ row: Int) -> (value: Int, gradient: Int) {
    let layout = sums.layout
    return (
      image * layout.imageStride + row * layout.rowStride,
      image * target.imageStride + target.origin + row * target.rowStride
    )
  }
}
