/// The linear operator of every layer in both networks: a 4x4 kernel between a coarse map and a
/// fine one.
///
/// Pixel (p, q) of the coarse map sees the 16 pixels
/// (stride · p + u − padding, stride · q + v − padding) of the fine one, 0 ≤ u, v < 4. With a
/// kernel `w` of `[coarseChannels, fineChannels, 4, 4]`:
///
/// - ``down(_:kernel:count:)`` is PyTorch's `Conv2d`;
/// - ``up(_:kernel:count:)`` is its adjoint, `ConvTranspose2d`; each is the gradient of the other
///   with respect to its input;
/// - ``kernelGradient(coarse:fine:count:)`` is the kernel's gradient for both.
package struct PlainConvolution: Equatable, Sendable {
  package let coarseChannels: Int
  package let fineChannels: Int
  package let coarseSide: Int
  package let fineSide: Int
  package let stride: Int
  package let padding: Int

  /// Between maps whose sides differ by a factor of 2 (stride 2, padding 1), or between 1x1 and 4x4
  /// (stride 1, padding 0).
  package init(coarseChannels: Int, fineChannels: Int, coarseSide: Int) {
    self.coarseChannels = coarseChannels
    self.fineChannels = fineChannels
    self.coarseSide = coarseSide
    (fineSide, stride, padding) = coarseSide == 1 ? (4, 1, 0) : (2 * coarseSide, 2, 1)
  }

  /// Values in one coarse map.
  package var coarseSize: Int { coarseChannels * coarseSide * coarseSide }
  /// Values in one fine map.
  package var fineSize: Int { fineChannels * fineSide * fineSide }
  /// Rows of an unfolded fine map: one for each channel and tap.
  private var taps: Int { fineChannels * 16 }
  /// Columns of an unfolded fine map: one for each pixel of the coarse map.
  private var places: Int { coarseSide * coarseSide }

  /// PyTorch's `Conv2d`, with y = stride · p + u − padding and x = stride · q + v − padding:
  ///
  ///     coarse[n, o, p, q] = Σ fine[n, c, y, x] · w[o, c, u, v] over c, u and v
  package func down<Scalar: BinaryFloatingPoint>(
    _ fine: [Scalar], kernel: [Scalar], count: Int
  ) -> [Scalar] {
    var coarse: [Scalar] = []
    coarse.reserveCapacity(count * coarseSize)
    for n in 0..<count {
      var map = [Scalar](repeating: 0, count: coarseSize)
      addProduct(
        kernel, unfold(fine[n * fineSize..<(n + 1) * fineSize]), to: &map, rows: coarseChannels,
        depth: taps, columns: places)
      coarse += map
    }
    return coarse
  }

  /// PyTorch's `ConvTranspose2d`, with y = stride · p + u − padding and
  /// x = stride · q + v − padding:
  ///
  ///     fine[n, c, y, x] = Σ coarse[n, o, p, q] · w[o, c, u, v] over o, and all p, q, u and v
  package func up<Scalar: BinaryFloatingPoint>(
    _ coarse: [Scalar], kernel: [Scalar], count: Int
  ) -> [Scalar] {
    let kernel = transposed(kernel, rows: coarseChannels, columns: taps)
    var fine: [Scalar] = []
    fine.reserveCapacity(count * fineSize)
    for n in 0..<count {
      var unfolded = [Scalar](repeating: 0, count: taps * places)
      addProduct(
        kernel, Array(coarse[n * coarseSize..<(n + 1) * coarseSize]), to: &unfolded, rows: taps,
        depth: coarseChannels, columns: places)
      fine += fold(unfolded)
    }
    return fine
  }

  /// The kernel's gradient, with y = stride · p + u − padding and x = stride · q + v − padding:
  ///
  ///     w[o, c, u, v] = Σ coarse[n, o, p, q] · fine[n, c, y, x] over n, p and q
  package func kernelGradient<Scalar: BinaryFloatingPoint>(
    coarse: [Scalar], fine: [Scalar], count: Int
  ) -> [Scalar] {
    // A sum in the order [taps, channels], so that the inner loop runs over contiguous channels.
    var sum = [Scalar](repeating: 0, count: taps * coarseChannels)
    for n in 0..<count {
      // One sum for each image, so that rounding errors grow with the number of images plus the
      // number of pixels, not with their product.
      var ofImage = [Scalar](repeating: 0, count: sum.count)
      let places = transposed(
        Array(coarse[n * coarseSize..<(n + 1) * coarseSize]), rows: coarseChannels, columns: places)
      addProduct(
        unfold(fine[n * fineSize..<(n + 1) * fineSize]), places, to: &ofImage, rows: taps,
        depth: self.places, columns: coarseChannels)
      for index in sum.indices { sum[index] += ofImage[index] }
    }
    return transposed(sum, rows: taps, columns: coarseChannels)
  }

  /// Calls `body` with each index of an unfolded fine map and the index in the map that it copies.
  /// Pixels in the padding are left out.
  @inline(__always)
  private func forEachTap(_ body: (_ unfolded: Int, _ fine: Int) -> Void) {
    for channel in 0..<fineChannels {
      for u in 0..<4 {
        for v in 0..<4 {
          // The columns q of the coarse map that see a column x = stride · q + v − padding.
          let first = v < padding ? 1 : 0
          let last = (fineSide - 1 + padding - v) / stride
          let row = ((channel * 4 + u) * 4 + v) * places
          for p in 0..<coarseSide {
            let y = stride * p + u - padding
            guard y >= 0 && y < fineSide else { continue }
            let fine = (channel * fineSide + y) * fineSide + v - padding
            for q in first...min(last, coarseSide - 1) {
              body(row + p * coarseSide + q, fine + stride * q)
            }
          }
        }
      }
    }
  }

  /// The fine map as a matrix `[channel and tap, pixel]`: column by column what each pixel of the
  /// coarse map sees, with zeros for the padding.
  private func unfold<Scalar: BinaryFloatingPoint>(_ fine: ArraySlice<Scalar>) -> [Scalar] {
    var unfolded = [Scalar](repeating: 0, count: taps * places)
    precondition(fine.count == fineSize)
    unsafe fine.withUnsafeBufferPointer { fine in
      unsafe unfolded.withUnsafeMutableBufferPointer { unfolded in
        forEachTap { unsafe unfolded[$0] = unsafe fine[$1] }
      }
    }
    return unfolded
  }

  /// The adjoint of ``unfold(_:)``, which sums all copies of a pixel of the fine map.
  private func fold<Scalar: BinaryFloatingPoint>(_ unfolded: [Scalar]) -> [Scalar] {
    var fine = [Scalar](repeating: 0, count: fineSize)
    precondition(unfolded.count == taps * places)
    unsafe unfolded.withUnsafeBufferPointer { unfolded in
      unsafe fine.withUnsafeMutableBufferPointer { fine in
        forEachTap { unsafe fine[$1] += unsafe unfolded[$0] }
      }
    }
    return fine
  }
}
