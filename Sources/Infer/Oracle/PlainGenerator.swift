public import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A generator in plain loops, straight from the definitions: the reference for every faster one.
///
/// It computes what PyTorch's generator computes in `eval` mode, normalising with the running
/// statistics, in the precision of `Scalar` throughout. A 64x64 face of the article's width takes a
/// few hundredths of a second.
public struct PlainGenerator<Scalar: BinaryFloatingPoint & Sendable>: Sendable {
  /// The sizes of the network.
  public let shape: DCGANShape

  private let layers: [Layer]
  /// The factor of negative numbers in the hidden activations; 0 is ReLU.
  private let slope: Scalar

  /// A transposed convolution with 4x4 taps and the normalisation that follows it.
  private struct Layer: Sendable {
    let inputs: Int
    let outputs: Int
    /// `[4, 4, inputs, outputs]`: the weights from one input to all outputs are contiguous.
    let kernel: [Scalar]
    let bias: [Scalar]?
    let norm: Norm?

    init(_ weights: LayerWeights) {
      inputs = weights.kernel.shape[0]
      outputs = weights.kernel.shape[1]
      kernel = PlainGenerator.tapsFirst(weights.kernel)
      bias = weights.bias?.map { Scalar($0) }
      norm = weights.norm.map(Norm.init)
    }
  }

  /// Batch normalisation with running statistics.
  private struct Norm: Sendable {
    let scale, shift, mean, variance: [Scalar]

    init(_ weights: NormWeights) {
      scale = weights.scale.map { Scalar($0) }
      shift = weights.shift.map { Scalar($0) }
      mean = weights.runningMean.map { Scalar($0) }
      variance = weights.runningVariance.map { Scalar($0) }
    }
  }

  /// A generator with a copy of the given weights.
  public init(_ weights: GeneratorWeights) {
    shape = weights.shape
    layers = weights.layers.map(Layer.init)
    slope = Scalar(weights.slope)
  }

  /// Transposes `[inputs, outputs, 4, 4]` to `[4, 4, inputs, outputs]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func tapsFirst(_ kernel: Tensor) -> [Scalar] {
    let rows = kernel.shape[0] * kernel.shape[1]
    let values = kernel.values
    var result: [Scalar] = []
    result.reserveCapacity(16 * rows)
    for tap in 0..<16 {
      for row in 0..<rows { result.append(Scalar(values[row * 16 + tap])) }
    }
    return result
  }

  /// Draws the images of latents.
  ///
  /// - Parameter latents: `[n, latent]`, row-major, any n.
  /// - Returns: `[n, channels, side, side]` in −1…1, row-major.
  /// - Precondition: The number of latents is a multiple of `shape.latent`.
  /// - Complexity: 4 · inputs · outputs · side² multiply-adds for each doubling layer and image,
  ///   where `side` is the side of the larger map.
  public func pictures(latents: [Scalar]) -> [Scalar] {
    precondition(
      latents.count % shape.latent == 0,
      "\(latents.count) numbers are not a whole number of latents of size \(shape.latent)")
    var pictures: [Scalar] = []
    pictures.reserveCapacity(latents.count / shape.latent * shape.pictureCount)
    for start in stride(from: 0, to: latents.count, by: shape.latent) {
      pictures += picture(latent: Array(latents[start..<start + shape.latent]))
    }
    return pictures
  }

  /// Draws one image. Maps are `[rows, columns, channels]`; the image is transposed at the end.
  private func picture(latent: [Scalar]) -> [Scalar] {
    var map = Self.projected(latent, by: layers[0])
    Self.finish(&map, layers[0], slope: slope)
    var side = 4
    for layer in layers.dropFirst() {
      map = Self.doubled(map, side: side, by: layer)
      side *= 2
      // The last layer has no normalisation; tanh follows it.
      Self.finish(&map, layer, slope: slope)
    }
    return (0..<shape.channels).flatMap { channel in
      stride(from: channel, to: map.count, by: shape.channels).map { Scalar(tanh(Double(map[$0]))) }
    }
  }

  /// Projects the latent, as a 1x1 map, by a transposed convolution with stride 1 and no padding:
  /// `y[u, v, d] = Σ z[c] · w[u, v, c, d]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func projected(_ latent: [Scalar], by layer: Layer) -> [Scalar] {
    var result: [Scalar] = []
    for tap in 0..<16 {
      var sums = [Scalar](repeating: 0, count: layer.outputs)
      for c in 0..<layer.inputs {
        add(latent[c], timesRow: tap * layer.inputs + c, of: layer, to: &sums)
      }
      result += sums
    }
    return result
  }

  /// A transposed convolution with stride 2 and padding 1.
  ///
  ///     y[p, q, d] = Σ x[i, j, c] · w[u, v, c, d]
  ///     over all c and all i, j, u, v with p = 2i + u − 1 and q = 2j + v − 1
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func doubled(_ map: [Scalar], side: Int, by layer: Layer) -> [Scalar] {
    var result: [Scalar] = []
    result.reserveCapacity(4 * side * side * layer.outputs)
    for p in 0..<2 * side {
      for q in 0..<2 * side {
        var sums = [Scalar](repeating: 0, count: layer.outputs)
        for u in 0..<4 where (p + 1 - u).isMultiple(of: 2) {
          for v in 0..<4 where (q + 1 - v).isMultiple(of: 2) {
            let i = (p + 1 - u) / 2
            let j = (q + 1 - v) / 2
            guard (0..<side).contains(i), (0..<side).contains(j) else { continue }
            for c in 0..<layer.inputs {
              add(
                map[(i * side + j) * layer.inputs + c],
                timesRow: (u * 4 + v) * layer.inputs + c, of: layer, to: &sums)
            }
          }
        }
        result += sums
      }
    }
    return result
  }

  /// `sums[d] += x · kernel[row, d]`
  @inline(__always)
  private static func add(
    _ x: Scalar, timesRow row: Int, of layer: Layer, to sums: inout [Scalar]
  ) {
    // Spans, because array subscripts would keep the compiler from vectorising this loop.
    let weights = layer.kernel.span.extracting(row * layer.outputs..<(row + 1) * layer.outputs)
    var sums = sums.mutableSpan
    for d in weights.indices { sums[d] += x * weights[d] }
  }

  /// Applies what follows a convolution.
  ///
  /// With batch normalisation: `max(z, 0) + slope · min(z, 0)`, where `z = (x − mean) / √(variance
  /// + 1e-5) · scale + shift` for each channel. Without: `x + bias`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func finish(_ map: inout [Scalar], _ layer: Layer, slope: Scalar) {
    guard let norm = layer.norm else {
      guard let bias = layer.bias else { return }
      for k in map.indices { map[k] += bias[k % layer.outputs] }
      return
    }
    for d in 0..<layer.outputs {
      let deviation = (norm.variance[d] + Scalar(NormWeights.epsilon)).squareRoot()
      for k in stride(from: d, to: map.count, by: layer.outputs) {
        let z = (map[k] - norm.mean[d]) / deviation * norm.scale[d] + norm.shift[d]
        map[k] = max(0, z) + slope * min(0, z)
      }
    }
  }
}
