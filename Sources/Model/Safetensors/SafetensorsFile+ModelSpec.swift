// Metadata that describe a model to other programs.

extension SafetensorsFile {
  /// Adds the metadata that model browsers read: Stability AI's ModelSpec 1.0.0.
  ///
  /// Call this when the tensors are complete: `modelspec.hash_sha256`, which identifies the model,
  /// is `0x` and ``tensorHash``.
  ///
  /// - Parameters:
  ///   - title: The title to show in a list.
  ///   - date: The date of the run in ISO 8601, or nil to leave it out. Do not take it from the
  ///     clock, so that the same run gives the same bytes.
  ///   - side: The height and width of the images in pixels.
  public mutating func addModelSpec(title: String, date: String? = nil, side: Int) {
    metadata["modelspec.sai_model_spec"] = "1.0.0"
    metadata["modelspec.architecture"] = "dcgan-\(side)"
    metadata["modelspec.implementation"] = "bollygan"
    metadata["modelspec.title"] = title
    metadata["modelspec.date"] = date
    metadata["modelspec.resolution"] = "\(side)x\(side)"
    metadata["modelspec.hash_sha256"] = "0x" + tensorHash
  }

  /// The hash of the weights that the file states in `modelspec.hash_sha256`: 64 hexadecimal
  /// digits, or nil if there is none.
  ///
  /// It is not verified. ``tensorHash`` computes the hash.
  public var storedTensorHash: String? {
    guard var text = metadata["modelspec.hash_sha256"]?[...] else { return nil }
    if text.hasPrefix("0x") { text = text.dropFirst(2) }
    let isDigit = { (byte: UInt8) in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
    guard text.utf8.count == 64, text.utf8.allSatisfy(isDigit) else { return nil }
    return String(text)
  }
}
