/// A file of named tensors and text in the format of huggingface/safetensors.
///
/// It consists of 8 bytes that give the length of the header, the header in JSON, and the bytes of
/// the tensors without gaps.
public struct SafetensorsFile: Equatable, Sendable {
  /// Text by name. Every file written here has `format` set to `pt`, which other programs require.
  public var metadata: [String: String]
  /// Tensors by name.
  public var tensors: [String: StoredTensor]

  /// A file of the given contents. `format` is added to the metadata if it is missing.
  public init(metadata: [String: String] = [:], tensors: [String: StoredTensor]) {
    self.metadata = ["format": "pt"].merging(metadata) { $1 }
    self.tensors = tensors
  }

  /// A file that was read, with its metadata unchanged.
  init(metadata: [String: String], tensorsRead tensors: [String: StoredTensor]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// The limits of a file that can be read, and so may be written.
  ///
  /// They are far beyond any network here and keep the cost of a hostile header low.
  package enum Limits {
    /// The size of the header in bytes, including its padding.
    package static let headerByteCount = 1 << 20
    /// The number of tensors.
    package static let tensorCount = 4096
    /// The number of axes of a tensor.
    package static let rank = 8
    /// The length of a name in bytes, after escapes are resolved.
    package static let nameByteCount = 256
    /// The length of a metadata text in bytes, after escapes are resolved.
    package static let textByteCount = 64 << 10
  }
}
