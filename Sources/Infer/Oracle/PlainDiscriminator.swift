public import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A discriminator in plain loops, straight from the definitions: the reference for exported ones.
///
/// It computes what PyTorch's discriminator computes in `eval` mode, normalising with the running
/// statistics, in the precision of `Scalar` throughout.
///
/// - SeeAlso: Radford, Metz and Chintala 2015 (arXiv:1511.06434), section 3.
public struct PlainDiscriminator<Scalar: BinaryFloatingPoint & Sendable>: Sendable {
  /// The sizes of the network.
  public let shape: DCGANShape

  private let layers: [LayerWeights]

  /// The slope of the LeakyReLU between layers, as in PyTorch's tutorial.
  public static var slope: Double { 0.2 }

  /// A discriminator with the given weights.
  public init(_ weights: DiscriminatorWeights) {
    shape = weights.shape
    layers = weights.withNorms.layers
  }

  /// The probability that each image is real, 0 to 1: the sigmoid of the last layer.
  ///
  /// - Parameter pictures: `[n, channels, side, side]` in −1…1, row-major, any n.
  /// - Returns: One number for each image.
  /// - Precondition: `pictures` holds a whole number of images.
  public func scores(pictures: [Scalar]) -> [Scalar] {
    logits(pictures: pictures).map { Scalar(1 / (1 + exp(-Double($0)))) }
  }

  /// The logit of each image: ``scores(pictures:)`` before the sigmoid.
  package func logits(pictures: [Scalar]) -> [Scalar] {
    let size = shape.pictureCount
    precondition(
      pictures.count.isMultiple(of: size),
      "\(pictures.count) numbers are not a whole number of images")
    return stride(from: 0, to: pictures.count, by: size).map { start in
      var map = Array(pictures[start..<start + size])
      var side = shape.side
      for (index, layer) in layers.enumerated() {
        let isLast = index == layers.count - 1
        map = Self.convolved(map, side: side, by: layer.kernel, isLast: isLast)
        side = isLast ? 1 : side / 2
        if !isLast { Self.normaliseAndRectify(&map, layer) }
      }
      return map[0]
    }
  }

  /// A convolution with stride 2 and padding 1; the last one has stride 1 and no padding.
  ///
  ///     y[d, p, q] = Σ x[c, 2p + u − 1, 2q + v − 1] · w[d, c, u, v]
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func convolved(
    _ map: [Scalar], side: Int, by kernel: Tensor, isLast: Bool
  ) -> [Scalar] {
    let (outputs, inputs) = (kernel.shape[0], kernel.shape[1])
    let (step, padding) = isLast ? (1, 0) : (2, 1)
    let width = isLast ? 1 : side / 2
    let values = kernel.values
    var result = [Scalar](repeating: 0, count: outputs * width * width)
    for d in 0..<outputs {
      for c in 0..<inputs {
        for tap in 0..<16 {
          let weight = Scalar(values[(d * inputs + c) * 16 + tap])
          for p in 0..<width {
            let i = step * p + tap / 4 - padding
            guard (0..<side).contains(i) else { continue }
            for q in 0..<width {
              let j = step * q + tap % 4 - padding
              guard (0..<side).contains(j) else { continue }
              result[(d * width + p) * width + q] += map[(c * side + i) * side + j] * weight
            }
          }
        }
      }
    }
    return result
  }

  /// Applies batch normalisation, where the layer has one, and LeakyReLU: `z > 0 ? z : 0.2 z` with
  /// `z = (x − mean) / √(variance + 1e-5) · scale + shift` for each channel, or `z = x`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func normaliseAndRectify(_ map: inout [Scalar], _ layer: LayerWeights) {
    let area = map.count / layer.kernel.shape[0]
    for index in map.indices {
      var z = map[index]
      if let norm = layer.norm {
        let d = index / area
        let deviation =
          (Scalar(norm.runningVariance[d]) + Scalar(NormWeights.epsilon)).squareRoot()
        z =
          (z - Scalar(norm.runningMean[d])) / deviation * Scalar(norm.scale[d])
          + Scalar(norm.shift[d])
      }
      map[index] = z > 0 ? z : z * Scalar(slope)
    }
  }
}
