import BollyGANExport
import BollyGANModel

/// The JSON object that `bollygan-export --json` prints.
struct WriteSummary: Encodable {
  /// Incremented when a field changes its meaning or is removed.
  let schema = 1
  let command = "write"
  let out, format: String
  let bytes: Int
  let dtype: String
  /// This field and the next few are set for ONNX only.
  var opset, ir: Int?
  var norm, outputRange, layout: String?
  var latentRank: Int?
  /// nil if any number is accepted.
  var batch: Int?
  let model: Model
  let check: Check
  let cost: Cost?

  struct Model: Encodable {
    let kind, file, format: String
    /// SHA-256 of the weights.
    let id: String
    /// nil for a discriminator.
    let latent: Int?
    let width, side, channels: Int
  }

  struct Check: Encodable {
    let faces: Int
    let largestDifference, bound: Float
  }

  /// The effect of rounding the weights on images in −1…1 or on scaled logits.
  struct Cost: Encodable {
    let largestDifference, rootMeanSquare: Float
  }

  init<N: Network>(
    _ write: Write, _ source: NetworkFile<N>, path: String, bytes: Int, _ check: ExportCheck
  ) {
    out = write.output
    format = write.chosenFormat.rawValue
    self.bytes = bytes
    dtype = write.storage.rawValue
    if write.chosenFormat == .onnx {
      opset = write.opset
      ir = write.options.effectiveIRVersion
      norm = write.keepNorm ? "kept" : "folded"
      layout = write.layout.rawValue
      batch = write.options.batch
      if N.kind == .generator {
        outputRange = write.outputRange.rawValue
        latentRank = write.latentRank
      }
    }
    let shape = source.weights.shape
    model = Model(
      kind: N.kind.rawValue, file: path, format: source.format.rawValue, id: source.id,
      latent: N.kind.latent(shape), width: N.kind.width(shape), side: shape.side,
      channels: shape.channels)
    self.check = Check(
      faces: check.samples, largestDifference: check.largestDifference,
      bound: ExportCheck.tolerance)
    cost =
      write.storage == .f32
      ? nil : Cost(largestDifference: check.largestCost, rootMeanSquare: check.meanCost)
  }
}
