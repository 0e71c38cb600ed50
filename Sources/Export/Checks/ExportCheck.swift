public import BollyGANModel
import BollyGANInfer

/// What came of reading a written file back and drawing faces with it.
public struct ExportCheck: Equatable, Sendable {
  /// Faces that were drawn both ways.
  public let pictures: Int
  /// Largest difference between the file's faces, drawn by the plain engine, and those of the fused
  /// engine on the weights that the file stores, in −1…1.
  public let largestDifference: Float
  /// What the storage cost: largest difference of the file's faces from those of the weights as they
  /// were before rounding; 0 for float32.
  public let largestCost: Float
  /// The same as a root mean square over all values.
  public let meanCost: Float

  /// What two float32 engines may differ by.
  public static let tolerance: Float = 2e-5

  /// Whether the file says what the weights say.
  public var holds: Bool { largestDifference <= Self.tolerance }

  /// Draws `pictures` faces from an ONNX file and from the weights it was made from.
  ///
  /// - Parameters:
  ///   - bytes: the file, as it lies on the disk.
  ///   - weights: what it was made from.
  ///   - options: how it was made.
  ///   - data: the file beside it and its name, where tensors lie in one.
  ///   - pictures: how many faces to draw.
  /// - Throws: ``ONNXError`` where the file cannot be read back.
  public init(
    _ bytes: [UInt8], madeFrom weights: GeneratorWeights, options: ONNXExportOptions,
    data: (location: String, bytes: [UInt8])? = nil, pictures: Int = 4
  ) throws(ONNXError) {
    var model = try ONNXModel(bytes: bytes)
    if let data { try model.readExternalData(location: data.location, bytes: data.bytes) }
    self.init(
      read: try ONNXGenerator(model).weights, madeFrom: weights,
      stored: options.storage == .f32 ? nil : weights.stored(options), pictures: pictures)
  }

  /// Draws faces from what was read back and from the weights that it was made from.
  ///
  /// - Parameter stored: those weights as the file's storage rounds them; nil where it does not.
  init(
    read: GeneratorWeights, madeFrom weights: GeneratorWeights, stored: GeneratorWeights?,
    pictures: Int = 4
  ) {
    let latents = Self.latents(count: pictures * weights.shape.latent)
    self.init(
      pictures: pictures, file: PlainGenerator<Float>(read).pictures(latents: latents),
      stored: Generator(stored ?? weights).pictures(latents: latents),
      exact: stored == nil ? nil : Generator(weights).pictures(latents: latents))
  }

  /// Judges pictures of noise with an ONNX file of a discriminator, in float32, and with the weights
  /// that it was made from, in float64; differences are those of logits, in parts of the largest one
  /// where it is above 1.
  ///
  /// - Parameters: as for a generator.
  /// - Throws: ``ONNXError`` where the file cannot be read back.
  public init(
    _ bytes: [UInt8], madeFrom weights: DiscriminatorWeights, options: ONNXExportOptions,
    data: (location: String, bytes: [UInt8])? = nil, pictures: Int = 4
  ) throws(ONNXError) {
    var model = try ONNXModel(bytes: bytes)
    if let data { try model.readExternalData(location: data.location, bytes: data.bytes) }
    self.init(
      read: try ONNXDiscriminator(model).weights, madeFrom: weights,
      stored: options.storage == .f32 ? nil : weights.stored(options), pictures: pictures)
  }

  init(
    read: DiscriminatorWeights, madeFrom weights: DiscriminatorWeights,
    stored: DiscriminatorWeights?, pictures: Int = 4
  ) {
    let noise = Self.pictures(count: pictures * weights.shape.pictureCount)
    // Before the sigmoid: a trained discriminator scores noise with 0 whatever its weights are. In
    // parts of the largest, for logits may be of any size.
    func logits(_ weights: DiscriminatorWeights) -> [Double] {
      PlainDiscriminator<Double>(weights).logits(pictures: noise.map(Double.init))
    }
    let expected = logits(stored ?? weights)
    let scale = expected.reduce(1) { max($0, abs($1)) }
    func parts(_ logits: [Double]) -> [Float] { logits.map { Float($0 / scale) } }
    self.init(
      pictures: pictures,
      file: parts(PlainDiscriminator<Float>(read).logits(pictures: noise).map(Double.init)),
      stored: parts(expected), exact: stored == nil ? nil : parts(logits(weights)))
  }

  private init(pictures: Int, file: [Float], stored: [Float], exact: [Float]?) {
    self.pictures = pictures
    largestDifference = largestGap(file, stored)
    guard let exact else {
      largestCost = 0
      meanCost = 0
      return
    }
    largestCost = largestGap(stored, exact)
    let squares = zip(stored, exact).reduce(0.0) { sum, pair in
      let gap = Double(pair.0) - Double(pair.1)
      return sum + gap * gap
    }
    meanCost = Float((squares / Double(max(exact.count, 1))).squareRoot())
  }

  /// Pictures of noise in −1…1.
  static func pictures(count: Int) -> [Float] {
    latents(count: count).map { max(-1, min(1, $0 / 2)) }
  }

  /// Numbers spread as normal ones are, always the same.
  static func latents(count: Int) -> [Float] {
    // The sum of 12 uniform numbers is near enough to a normal one here.
    var bits = SplitMix64(seed: 0x42)
    return (0..<count).map { _ in
      var sum: Float = -6
      for _ in 0..<12 {
        sum += Float(bits.next() >> 40) * 0x1p-24
      }
      return sum
    }
  }
}

/// The largest difference between two lists of numbers; NaN where there is one in either, infinity
/// where they are of different lengths.
func largestGap(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  var largest: Float = 0
  for (x, y) in zip(a, b) {
    let gap = abs(x - y)
    guard !gap.isNaN else { return .nan }
    largest = max(largest, gap)
  }
  return largest
}
