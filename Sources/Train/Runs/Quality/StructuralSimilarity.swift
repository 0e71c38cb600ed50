#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Multi-scale structural similarity (MS-SSIM) of two images: 1 for identical images, near 0 for
/// images with nothing in common. The mean over pairs of generated images says how much they look
/// alike.
///
/// Wang et al. use five scales and a Gaussian window of 11x11 pixels with standard deviation 1.5.
/// The window has to fit, so this uses only scales of 16x16 and above (64, 32 and 16 for 64x64),
/// with the first of their weights, divided by the sum. A negative similarity counts as 0.
///
/// - SeeAlso: Wang, Simoncelli and Bovik 2003, "Multiscale structural similarity for image quality
///   assessment"; Odena, Olah and Shlens 2017 (arXiv:1610.09585), section 4.2, for the use.
package enum StructuralSimilarity {
  private static let window: [Double] = {
    let weights = (-5...5).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }()
  private static let scaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
  private static let c1 = (0.01 * 255) * (0.01 * 255)
  private static let c2 = (0.03 * 255) * (0.03 * 255)

  /// The similarity of two images, averaged over their channels.
  ///
  /// - Parameters:
  ///   - a: `[side, side, channels]`, 0…255.
  ///   - b: An image of the same size.
  package static func similarity(
    _ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>, side: Int, channels: Int
  ) -> Double {
    let planes = zip(planar(a, channels: channels), planar(b, channels: channels))
    return planes.reduce(0) { sum, pair in
      sum + similarity(pair.0.map { Double($0) }, pair.1.map { Double($0) }, side: side)
    } / Double(channels)
  }

  private static func similarity(_ a: [Double], _ b: [Double], side: Int) -> Double {
    let sides = LaplacianPyramid.sides(side)
    let weights = scaleWeights.prefix(sides.count)
    let total = weights.reduce(0, +)
    var (a, b) = (a, b)
    var product = 1.0
    for (scale, side) in sides.enumerated() {
      let (contrast, whole) = atOneScale(a, b, side: side)
      let factor = scale == sides.count - 1 ? whole : contrast
      product *= pow(max(factor, 0), weights[scale] / total)
      if scale < sides.count - 1 { (a, b) = (halved(a, side: side), halved(b, side: side)) }
    }
    return product
  }

  /// Means over all windows inside the image: contrast and structure alone, and with luminance.
  private static func atOneScale(
    _ a: [Double], _ b: [Double], side: Int
  ) -> (contrast: Double, whole: Double) {
    let meanA = blurred(a, side: side)
    let meanB = blurred(b, side: side)
    let squareA = blurred(zip(a, a).map { $0 * $1 }, side: side)
    let squareB = blurred(zip(b, b).map { $0 * $1 }, side: side)
    let product = blurred(zip(a, b).map { $0 * $1 }, side: side)
    var (contrast, whole) = (0.0, 0.0)
    for index in meanA.indices {
      let (x, y) = (meanA[index], meanB[index])
      let covariance = product[index] - x * y
      let variances = squareA[index] - x * x + squareB[index] - y * y
      let ofContrast = (2 * covariance + c2) / (variances + c2)
      contrast += ofContrast
      whole += ofContrast * (2 * x * y + c1) / (x * x + y * y + c1)
    }
    let count = Double(meanA.count)
    return (contrast / count, whole / count)
  }

  /// Gaussian means over all windows inside the image.
  private static func blurred(_ x: [Double], side: Int) -> [Double] {
    let rest = side - window.count + 1
    var rows = [Double](repeating: 0, count: rest * side)
    for row in 0..<rest {
      for (tap, weight) in window.enumerated() {
        for column in 0..<side {
          rows[row * side + column] += weight * x[(row + tap) * side + column]
        }
      }
    }
    var result = [Double](repeating: 0, count: rest * rest)
    for row in 0..<rest {
      for (tap, weight) in window.enumerated() {
        for column in 0..<rest {
          result[row * rest + column] += weight * rows[row * side + column + tap]
        }
      }
    }
    return result
  }

  /// Halves the size by averaging 2x2 pixels.
  private static func halved(_ x: [Double], side: Int) -> [Double] {
    let half = side / 2
    return (0..<half * half).map { index in
      let corner = 2 * (index / half) * side + 2 * (index % half)
      return (x[corner] + x[corner + 1] + x[corner + side] + x[corner + side + 1]) / 4
    }
  }
}
