/// How a network is written as ONNX.
public struct ONNXExportOptions: Equatable, Sendable {
  /// The range of an image's values.
  public enum OutputRange: String, CaseIterable, Sendable {
    /// −1…1, as tanh returns them.
    case signed = "pm1"
    /// 0…1.
    case unit = "01"
    /// Bytes 0…255, rounded to nearest.
    case bytes = "u8"
  }

  /// The order of an image's axes.
  public enum Layout: String, CaseIterable, Sendable {
    /// Batch, channel, row, column: the order of PyTorch and ONNX.
    case nchw
    /// Batch, row, column, channel: the order of image files and screens.
    case nhwc
  }

  /// How kernels are stored; the arithmetic is always float32.
  public enum Storage: String, CaseIterable, Sendable {
    /// Float32, exactly.
    case f32
    /// Rounded to float16, which halves the file; a Cast converts them to float32.
    case f16
    /// Rounded to bfloat16, which halves the file; a Cast converts them to float32.
    case bf16
    /// Rounded to 8 bits with one factor per output channel, which quarters the file;
    /// DequantizeLinear converts them to float32.
    case int8
  }

  /// Operator sets that can be written.
  public static let opsets = 11...28
  /// Container versions that can be written. Older ones list initializers among the inputs.
  public static let irVersions = 4...14

  /// Version of the operator set. 17 is ONNX 1.12 of 2022, which every current runtime loads.
  public var opset = 17
  /// Version of the container; nil for the one released with the operator set.
  public var irVersion: Int?
  /// Whether batch normalisation stays a node of its own instead of being folded into the kernels.
  public var keepsNorm = false
  /// Number of axes of the latent: 4 for `[batch, nz, 1, 1]`, 2 for `[batch, nz]`.
  public var latentRank = 4
  /// Images per call; nil for any number.
  public var batch: Int?
  /// The range of an image's values.
  public var range = OutputRange.signed
  /// The order of an image's axes.
  public var layout = Layout.nchw
  /// How kernels are stored.
  public var storage = Storage.f32

  /// Folded normalisation, float32, operator set 17, any batch.
  public init() {}

  /// Checks that the format can express these options.
  ///
  /// - Throws: ``ONNXError/unsupported(what:accepted:)``.
  public func check() throws(ONNXError) {
    guard Self.opsets.contains(opset) else {
      throw .unsupported(what: "operator set \(opset)", accepted: "\(text(Self.opsets))")
    }
    if let irVersion, !Self.irVersions.contains(irVersion) {
      throw .unsupported(what: "IR version \(irVersion)", accepted: "\(text(Self.irVersions))")
    }
    guard latentRank == 2 || latentRank == 4 else {
      throw .unsupported(what: "a latent of rank \(latentRank)", accepted: "2 or 4")
    }
    if let batch, !(1...65_536).contains(batch) {
      throw .unsupported(what: "batch \(batch)", accepted: "1 to 65536, or dynamic")
    }
    if opset < 13 {
      switch storage {
      case .bf16:
        throw .unsupported(
          what: "bf16 storage in operator set \(opset) (its Cast has no bfloat16)",
          accepted: "operator set 13 or later")
      case .int8:
        throw .unsupported(
          what: "int8 storage in operator set \(opset) (its DequantizeLinear has one factor per "
            + "tensor)",
          accepted: "operator set 13 or later")
      case .f32, .f16: break
      }
    }
  }

  /// The container version that is written.
  public var effectiveIRVersion: Int {
    if let irVersion { return irVersion }
    // The IR version of the release that introduced the operator set (docs/Versioning.md).
    return switch opset {
    case ...11: 6
    case 12...14: 7
    case 15...18: 8
    case 19...20: 9
    case 21...22: 10
    case 23: 11
    case 24: 12
    case 25...27: 13
    default: 14
    }
  }

  private func text(_ range: ClosedRange<Int>) -> String {
    "\(range.lowerBound) to \(range.upperBound)"
  }
}
