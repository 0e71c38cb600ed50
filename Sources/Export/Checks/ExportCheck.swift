public import BollyGANModel

/// The result of reading an exported file back and running the network in it.
///
/// A generator's images are compared directly, in −1…1. A discriminator's logits can have any size,
/// so they are divided by the largest expected one if that exceeds 1.
public struct ExportCheck: Equatable, Sendable {
  /// Number of samples that were run both ways.
  public let samples: Int
  /// Largest difference between the network in the file, run by the plain engine in float32, and
  /// the weights as the file stores them, run by the reference engine.
  public let largestDifference: Float
  /// Largest difference between the rounded weights and the original ones, the cost of the storage;
  /// 0 for float32.
  public let largestCost: Float
  /// The same as a root mean square over all values.
  public let meanCost: Float

  /// Largest difference expected between two float32 engines.
  public static let tolerance: Float = 2e-5

  /// Whether the file contains the network that it was made from.
  public var holds: Bool { largestDifference <= Self.tolerance }

  /// Runs the network in an ONNX file and the weights that the file was made from.
  ///
  /// - Parameters:
  ///   - bytes: the file, as read back from disk.
  ///   - weights: what it was made from.
  ///   - options: how it was made.
  ///   - data: name and bytes of the second file, if tensors are stored in one.
  ///   - samples: number of images to generate or score.
  /// - Throws: ``ONNXError`` if the file cannot be read back.
  public init<N: RunnableNetwork>(
    _ bytes: [UInt8], madeFrom weights: N, options: ONNXExportOptions,
    data: (location: String, bytes: [UInt8])? = nil, samples: Int = 4
  ) throws(ONNXError) {
    var model = try ONNXModel(bytes: bytes)
    if let data { try model.readExternalData(location: data.location, bytes: data.bytes) }
    self.init(
      read: try model.network(N.self).weights, madeFrom: weights,
      stored: options.storage == .f32 ? nil : weights.stored(options), samples: samples)
  }

  /// Runs the network in a file of tensors and the weights that the file was made from.
  ///
  /// - Throws: what the reader of the format throws if the file cannot be read back.
  public init<N: RunnableNetwork>(
    _ bytes: [UInt8], _ format: TensorFormat, madeFrom weights: N,
    storage: ONNXExportOptions.Storage
  ) throws {
    var read = try N.load(format.tensors(bytes)).weights
    // Tensors do not tell the slope; the program that loads them knows it.
    try read.describe(by: weights.describingMetadata)
    self.init(
      read: read, madeFrom: weights, stored: storage == .f32 ? nil : weights.rounded(storage))
  }

  /// Runs the weights of a page. Its script is not run.
  ///
  /// - Throws: what the reader of safetensors files throws if they cannot be read back.
  public init(
    page: [UInt8], madeFrom weights: GeneratorWeights, storage: ONNXExportOptions.Storage
  ) throws {
    try self.init(
      ExplorerPage.weights(in: page) ?? [], .safetensors, madeFrom: weights, storage: storage)
  }

  /// Runs the weights of a C header. The header itself is not compiled.
  ///
  /// - Returns: nil if the file does not have exactly the generator's number of weights.
  public init?(cWeights bytes: [UInt8], madeFrom weights: GeneratorWeights) {
    guard let read = CSource.generator(bytes, like: weights) else { return nil }
    self.init(read: read, madeFrom: weights, stored: nil)
  }

  /// Compares a network that was read back with the one that it was made from.
  ///
  /// - Parameter stored: the original weights as the file's storage rounds them; nil if it does
  ///   not.
  private init<N: RunnableNetwork>(
    read: N, madeFrom weights: N, stored: N?, samples: Int = 4
  ) {
    let input = N.sampleInput(count: samples, shape: weights.shape)
    let expected = (stored ?? weights).referenceValues(input)
    // 1 for images, which are in −1…1.
    let scale = expected.reduce(1) { max($0, abs($1)) }
    func scaled(_ values: [Double]) -> [Float] { values.map { Float($0 / scale) } }
    self.samples = samples
    largestDifference = largestGap(scaled(read.plainValues(input)), scaled(expected))
    guard stored != nil else {
      largestCost = 0
      meanCost = 0
      return
    }
    let (rounded, exact) = (scaled(expected), scaled(weights.referenceValues(input)))
    largestCost = largestGap(rounded, exact)
    let squares = zip(rounded, exact).reduce(0.0) { sum, pair in
      let gap = Double(pair.0) - Double(pair.1)
      return sum + gap * gap
    }
    meanCost = Float((squares / Double(max(exact.count, 1))).squareRoot())
  }
}

/// The largest difference between two lists of numbers; NaN if either contains one, infinity if the
/// lists have different lengths.
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
