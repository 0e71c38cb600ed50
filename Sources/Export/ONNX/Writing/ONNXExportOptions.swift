/// How a generator is written as ONNX.
public struct ONNXExportOptions: Equatable, Sendable {
  /// What the numbers of a picture mean.
  public enum OutputRange: String, CaseIterable, Sendable {
    /// −1…1 as the network gives them (tanh).
    case signed = "pm1"
    /// 0…1.
    case unit = "01"
    /// Bytes 0…255, rounded to the nearest.
    case bytes = "u8"
  }

  /// The order of a picture's axes.
  public enum Layout: String, CaseIterable, Sendable {
    /// Batch, channel, row, column, as PyTorch and ONNX have it.
    case nchw
    /// Batch, row, column, channel, as picture files and screens have it.
    case nhwc
  }

  /// How weights are stored; the arithmetic is always float32.
  public enum Storage: String, CaseIterable, Sendable {
    /// As they are.
    case f32
    /// Rounded to float16, half the file; a Cast brings them back.
    case f16
    /// Rounded to bfloat16, half the file; a Cast brings them back.
    case bf16
    /// Rounded to 8 bits with a factor for each output channel, a quarter of the file;
    /// DequantizeLinear brings them back.
    case int8
  }

  /// Operator sets that can be written.
  public static let opsets = 11...28
  /// Container versions that can be written. Older ones want initializers among the inputs.
  public static let irVersions = 4...14

  /// Version of the operator set; 17 is ONNX 1.12 of 2022, which every runtime of the last years
  /// loads.
  public var opset = 17
  /// Version of the container; nil for the one that the operator set came with.
  public var irVersion: Int?
  /// Whether batch normalisation stays a node of its own or is folded into the kernels.
  public var keepsNorm = false
  /// Axes of the latent: 4 for `[batch, latent, 1, 1]`, 2 for `[batch, latent]`.
  public var latentRank = 4
  /// Pictures a call; nil for any number.
  public var batch: Int?
  /// What the numbers of a picture mean.
  public var range = OutputRange.signed
  /// The order of a picture's axes.
  public var layout = Layout.nchw
  /// How weights are stored.
  public var storage = Storage.f32

  /// Folded, float32, operator set 17, any batch.
  public init() {}

  /// Refuses what cannot be written, with what could.
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
          what: "int8 storage in operator set \(opset) (its DequantizeLinear has one factor for a "
            + "whole tensor)",
          accepted: "operator set 13 or later")
      case .f32, .f16: break
      }
    }
  }

  /// The container version that is written.
  public var effectiveIRVersion: Int {
    if let irVersion { return irVersion }
    // The IR version of the release that brought the operator set (docs/Versioning.md).
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
