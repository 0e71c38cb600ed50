extension SafetensorsFile {
  /// Adds what programs that list models look for: Stability AI's ModelSpec 1.0.0.
  ///
  /// `modelspec.hash_sha256` is ``tensorHash`` behind `0x`, as that standard asks; it becomes the
  /// model's id. So call this when the tensors are complete.
  ///
  /// - Parameters:
  ///   - title: what a list shows.
  ///   - date: the run's own date in ISO 8601, not the clock's, so that the same run gives the same
  ///     bytes; nil leaves it out.
  ///   - side: height and width of the pictures in pixels.
  public mutating func addModelSpec(title: String, date: String? = nil, side: Int) {
    metadata["modelspec.sai_model_spec"] = "1.0.0"
    metadata["modelspec.architecture"] = "dcgan-\(side)"
    metadata["modelspec.implementation"] = "bollygan"
    metadata["modelspec.title"] = title
    metadata["modelspec.date"] = date
    metadata["modelspec.resolution"] = "\(side)x\(side)"
    metadata["modelspec.hash_sha256"] = "0x" + tensorHash
  }

  /// The 64 hexadecimal digits that name these weights, as the file itself gives them
  /// (`modelspec.hash_sha256`), or nil where it does not.
  ///
  /// This costs nothing, but believes the file; ``tensorHash`` computes them.
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
