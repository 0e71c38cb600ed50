/// The linear operator of every layer in both networks: a 4x4 kernel between a small and a big map.
///
/// Place (p, q) of the small map sees the 16 places (stride · p + u − padding,
/// stride · q + v − padding) of the big one, 0 ≤ u, v < 4. With a kernel `w` of
/// `[smallChannels, bigChannels, 4, 4]`
///
/// - ``down(_:kernel:count:)`` is PyTorch's `Conv2d`,
/// - ``up(_:kernel:count:)`` is its adjoint, `ConvTranspose2d`; each is the other's gradient to its
///   input, and
/// - ``kernelGradient(small:big:count:)`` serves both.
package struct PlainConvolution: Equatable, Sendable {
  package let smallChannels: Int
  package let bigChannels: Int
  package let smallSide: Int
  package let bigSide: Int
  package let stride: Int
  package let padding: Int

  /// Halves the side (stride 2, padding 1), or takes 4x4 to 1x1 (stride 1, padding 0).
  package init(smallChannels: Int, bigChannels: Int, smallSide: Int) {
    self.smallChannels = smallChannels
    self.bigChannels = bigChannels
    self.smallSide = smallSide
    (bigSide, stride, padding) = smallSide == 1 ? (4, 1, 0) : (2 * smallSide, 2, 1)
  }

  /// Values in one small map.
  package var smallSize: Int { smallChannels * smallSide * smallSide }
  /// Values in one big map.
  package var bigSize: Int { bigChannels * bigSide * bigSide }
  /// Rows of an unfolded big map: a channel and a tap.
  private var taps: Int { bigChannels * 16 }
  /// Columns of an unfolded big map: places of the small map.
  private var places: Int { smallSide * smallSide }

  /// `small[n, o, p, q] = Σ big[n, c, stride·p + u − padding, stride·q + v − padding] · w[o, c, u, v]`
  package func down<Scalar: BinaryFloatingPoint>(
    _ big: [Scalar], kernel: [Scalar], count: Int
  ) -> [Scalar] {
    var small: [Scalar] = []
    small.reserveCapacity(count * smallSize)
    for n in 0..<count {
      var map = [Scalar](repeating: 0, count: smallSize)
      addProduct(
        kernel, unfold(big[n * bigSize..<(n + 1) * bigSize]), to: &map, rows: smallChannels,
        depth: taps, columns: places)
      small += map
    }
    return small
  }

  /// `big[n, c, stride·p + u − padding, stride·q + v − padding] += small[n, o, p, q] · w[o, c, u, v]`
  /// from zero.
  package func up<Scalar: BinaryFloatingPoint>(
    _ small: [Scalar], kernel: [Scalar], count: Int
  ) -> [Scalar] {
    let kernel = transposed(kernel, rows: smallChannels, columns: taps)
    var big: [Scalar] = []
    big.reserveCapacity(count * bigSize)
    for n in 0..<count {
      var unfolded = [Scalar](repeating: 0, count: taps * places)
      addProduct(
        kernel, Array(small[n * smallSize..<(n + 1) * smallSize]), to: &unfolded, rows: taps,
        depth: smallChannels, columns: places)
      big += fold(unfolded)
    }
    return big
  }

  /// `w[o, c, u, v] = Σ small[n, o, p, q] · big[n, c, stride·p + u − padding, stride·q + v − padding]`
  package func kernelGradient<Scalar: BinaryFloatingPoint>(
    small: [Scalar], big: [Scalar], count: Int
  ) -> [Scalar] {
    // With the places outermost the inner loop runs over channels, which are contiguous then.
    var sum = [Scalar](repeating: 0, count: taps * smallChannels)
    for n in 0..<count {
      // A sum a picture, so that the rounding error grows with the pictures and the places, not
      // with their product.
      var ofPicture = [Scalar](repeating: 0, count: sum.count)
      let places = transposed(
        Array(small[n * smallSize..<(n + 1) * smallSize]), rows: smallChannels, columns: places)
      addProduct(
        unfold(big[n * bigSize..<(n + 1) * bigSize]), places, to: &ofPicture, rows: taps,
        depth: self.places, columns: smallChannels)
      for index in sum.indices { sum[index] += ofPicture[index] }
    }
    return transposed(sum, rows: taps, columns: smallChannels)
  }

  /// Calls `body` with each index of an unfolded big map and the index in the map that it shows;
  /// places in the padding are left out.
  @inline(__always)
  private func forEachTap(_ body: (_ unfolded: Int, _ big: Int) -> Void) {
    for channel in 0..<bigChannels {
      for u in 0..<4 {
        for v in 0..<4 {
          // The columns q of the small map that see a column x = stride · q + v − padding.
          let first = v < padding ? 1 : 0
          let last = (bigSide - 1 + padding - v) / stride
          let row = ((channel * 4 + u) * 4 + v) * places
          for p in 0..<smallSide {
            let y = stride * p + u - padding
            guard y >= 0 && y < bigSide else { continue }
            let big = (channel * bigSide + y) * bigSide + v - padding
            for q in first...min(last, smallSide - 1) {
              body(row + p * smallSide + q, big + stride * q)
            }
          }
        }
      }
    }
  }

  /// The big map as `[channel and tap, place]`: column by column what each place of the small map
  /// sees, zeros for padding.
  private func unfold<Scalar: BinaryFloatingPoint>(_ big: ArraySlice<Scalar>) -> [Scalar] {
    var unfolded = [Scalar](repeating: 0, count: taps * places)
    precondition(big.count == bigSize)
    unsafe big.withUnsafeBufferPointer { big in
      unsafe unfolded.withUnsafeMutableBufferPointer { unfolded in
        forEachTap { unsafe unfolded[$0] = unsafe big[$1] }
      }
    }
    return unfolded
  }

  /// The adjoint of ``unfold(_:)``: what falls on the same place of the big map is added.
  private func fold<Scalar: BinaryFloatingPoint>(_ unfolded: [Scalar]) -> [Scalar] {
    var big = [Scalar](repeating: 0, count: bigSize)
    precondition(unfolded.count == taps * places)
    unsafe unfolded.withUnsafeBufferPointer { unfolded in
      unsafe big.withUnsafeMutableBufferPointer { big in
        forEachTap { unsafe big[$1] += unsafe unfolded[$0] }
      }
    }
    return big
  }
}
