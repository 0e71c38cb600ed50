/// A file of named tensors and text, as huggingface/safetensors defines it.
///
/// Eight bytes of length, a JSON header of that length, then the tensors' bytes without gaps.
public struct SafetensorsFile: Equatable, Sendable {
  /// Text by name. `format` is `pt` in every file written here: other programs ask for it.
  public var metadata: [String: String]
  /// Tensors by name.
  public var tensors: [String: StoredTensor]

  /// A file of the given content; `format` is added to the metadata where it is not there.
  public init(metadata: [String: String] = [:], tensors: [String: StoredTensor]) {
    self.metadata = ["format": "pt"].merging(metadata) { $1 }
    self.tensors = tensors
  }

  /// A file as it was read, its metadata untouched.
  init(metadata: [String: String], tensorsRead tensors: [String: StoredTensor]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// What a file may hold to be read, and so to be written.
  package enum Limits {
    /// Bytes of the header, its padding included.
    package static let headerByteCount = 1 << 20
    /// Tensors in a file.
    package static let tensorCount = 4096
    /// Axes of a tensor.
    package static let rank = 8
    /// Bytes of a name, without escapes.
    package static let nameByteCount = 256
    /// Bytes of a text in the metadata, without escapes.
    package static let textByteCount = 64 << 10
  }
}
