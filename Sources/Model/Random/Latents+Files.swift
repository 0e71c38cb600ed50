// Reads and writes latents as .npy and safetensors files.

extension Latents {
  /// Reads latents from the bytes of a `.npy` or safetensors file; the first bytes tell which.
  ///
  /// - Throws: ``LatentsError`` if the file is invalid or does not contain latents.
  public init(bytes: [UInt8]) throws(LatentsError) {
    guard bytes.starts(with: NPYFile.magic) else {
      let file: SafetensorsFile
      do throws(WeightsError) {
        file = try SafetensorsFile(bytes: bytes)
      } catch {
        throw .safetensors(error)
      }
      try self.init(safetensors: file)
      return
    }
    let file: NPYFile
    do throws(NPYError) {
      file = try NPYFile(bytes: bytes)
    } catch {
      throw .npy(error)
    }
    try self.init(npy: file)
  }

  /// Latents from an array of shape `[count, size]` or `[count, size, 1, 1]`.
  ///
  /// - Throws: ``LatentsError`` for any other shape, and for values that are not finite.
  public init(npy: NPYFile) throws(LatentsError) {
    try self.init(shape: npy.shape, values: npy.floats)
  }

  /// Latents from the tensor named `latents`, or from the only tensor in the file.
  ///
  /// Its shape must be `[count, size]` or `[count, size, 1, 1]`, its type F32, F16 or BF16.
  ///
  /// - Throws: ``LatentsError`` if there is no such tensor, for any other shape or type, and for
  ///   values that are not finite.
  public init(safetensors: SafetensorsFile) throws(LatentsError) {
    let tensors = safetensors.tensors
    guard let tensor = tensors["latents"] ?? (tensors.count == 1 ? tensors.values.first : nil)
    else { throw .noTensor(names: tensors.keys.sorted()) }
    let values: [Float]
    do throws(WeightsError) {
      values = try tensor.floats(name: tensors["latents"] == nil ? tensors.keys.first! : "latents")
    } catch {
      throw .safetensors(error)
    }
    try self.init(shape: tensor.shape, values: values)
  }

  private init(shape: [Int], values: [Float]) throws(LatentsError) {
    guard shape.count == 2 || shape.count == 4 && shape[2...] == [1, 1], !values.isEmpty else {
      throw .shape(shape)
    }
    if let index = firstNonFinite(values[...]) {
      throw .notFinite(row: index / shape[1], column: index % shape[1])
    }
    self.init(count: shape[0], size: shape[1], values: values)
  }

  /// Checks that the vectors have the length that a generator expects.
  ///
  /// - Throws: ``LatentsError/size(found:expected:)`` if they do not.
  public func check(size expected: Int) throws(LatentsError) {
    guard size == expected else { throw .size(found: size, expected: expected) }
  }

  /// The latents as a NumPy array of shape `[count, size]`.
  public var npy: NPYFile { NPYFile(shape: [count, size], floats: values) }

  /// The latents as a file with one tensor, `latents`, of shape `[count, size]`.
  public var safetensors: SafetensorsFile {
    SafetensorsFile(
      tensors: ["latents": StoredTensor(Tensor(shape: [count, size], values: values))])
  }
}

/// Why latents cannot be used.
public enum LatentsError: Error, Equatable, CustomStringConvertible {
  /// The shape is not `[N, nz]` or `[N, nz, 1, 1]`, or the array is empty.
  case shape([Int])
  /// A value is infinite or not a number.
  case notFinite(row: Int, column: Int)
  /// The vectors do not have the length that the generator expects.
  case size(found: Int, expected: Int)
  /// No tensor is named `latents`, and the file has more than one tensor or none.
  case noTensor(names: [String])
  /// The `.npy` file is invalid.
  case npy(NPYError)
  /// The safetensors file is invalid, or its numbers are of a type that is not accepted.
  case safetensors(WeightsError)

  /// What is wrong and what is expected.
  public var description: String {
    switch self {
    case .shape(let shape): "latents have shape \(shape), expected [N, nz] or [N, nz, 1, 1]"
    case .notFinite(let row, let column):
      "latent \(row), number \(column) is infinite or not a number"
    case .size(let found, let expected):
      "latents have \(found) numbers, but the generator takes \(expected)"
    case .noTensor(let names):
      "no tensor \"latents\" among " + names.prefix(5).map(quoted).joined(separator: ", ")
        + (names.count > 5 ? ", ..." : "")
    case .npy(let error): error.description
    case .safetensors(let error): error.description
    }
  }
}
