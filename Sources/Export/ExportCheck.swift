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

  /// Draws `pictures` faces from a written file and from the weights it was made from.
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
    let read = try ONNXGenerator(model)
    let latents = Self.latents(count: pictures * weights.shape.latent)
    let file = PlainGenerator<Float>(read.weights).pictures(latents: latents)
    let stored =
      options.storage == .f32 ? weights : weights.stored(options)
    let fused = Generator(stored).pictures(latents: latents)
    self.pictures = pictures
    largestDifference = largestGap(file, fused)
    if options.storage == .f32 {
      largestCost = 0
      meanCost = 0
    } else {
      let exact = Generator(weights).pictures(latents: latents)
      largestCost = largestGap(fused, exact)
      let squares = zip(fused, exact).reduce(0.0) { sum, pair in
        let gap = Double(pair.0) - Double(pair.1)
        return sum + gap * gap
      }
      meanCost = Float((squares / Double(max(exact.count, 1))).squareRoot())
    }
  }

  /// Numbers spread as normal ones are, always the same.
  static func latents(count: Int) -> [Float] {
    // SplitMix64; the sum of 12 uniform numbers is near enough to a normal one here.
    var state: UInt64 = 0x42
    return (0..<count).map { _ in
      var sum: Float = -6
      for _ in 0..<12 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        sum += Float((z ^ (z >> 31)) >> 40) * 0x1p-24
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
