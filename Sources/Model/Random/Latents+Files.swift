extension Latents {
  /// Latents from the bytes of a .npy or a safetensors file, told apart by how they begin.
  ///
  /// - Throws: ``LatentsError``.
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
  /// - Throws: ``LatentsError`` for other shapes and for values that are not finite.
  public init(npy: NPYFile) throws(LatentsError) {
    try self.init(shape: npy.shape, values: npy.floats)
  }

  /// Latents from a tensor of shape `[count, size]` or `[count, size, 1, 1]`: the one named
  /// `latents`, or the only one.
  ///
  /// - Throws: ``LatentsError`` where there is no such tensor, and for other shapes, types than F32,
  ///   F16 and BF16, and values that are not finite.
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

  /// Checks that the vectors have the length that a generator takes.
  ///
  /// - Throws: ``LatentsError/size(found:expected:)``.
  public func check(size expected: Int) throws(LatentsError) {
    guard size == expected else { throw .size(found: size, expected: expected) }
  }

  /// The latents as a numpy array of shape `[count, size]`.
  public var npy: NPYFile { NPYFile(shape: [count, size], floats: values) }

  /// The latents as a file with one tensor, `latents`, of shape `[count, size]`.
  public var safetensors: SafetensorsFile {
    SafetensorsFile(
      tensors: ["latents": StoredTensor(Tensor(shape: [count, size], values: values))])
  }
}

/// Why a file holds no latents that can be used.
public enum LatentsError: Error, Equatable, CustomStringConvertible {
  /// The array is not `[N, nz]` or `[N, nz, 1, 1]`, or holds nothing.
  case shape([Int])
  /// A value is infinite or not a number.
  case notFinite(row: Int, column: Int)
  /// The vectors have another length than the generator takes.
  case size(found: Int, expected: Int)
  /// There is no tensor `latents`, and not just one.
  case noTensor(names: [String])
  /// The file is not read as a .npy file.
  case npy(NPYError)
  /// The file is not read as a safetensors file.
  case safetensors(WeightsError)

  /// A sentence that says what is wrong and what would be right.
  public var description: String {
    switch self {
    case .shape(let shape): "latents of shape \(shape); accepted are [N, nz] and [N, nz, 1, 1]"
    case .notFinite(let row, let column):
      "latent \(row), number \(column) is infinite or not a number"
    case .size(let found, let expected):
      "latents of \(found) numbers, the generator takes \(expected)"
    case .noTensor(let names):
      "no tensor \"latents\" among " + names.prefix(5).map(quoted).joined(separator: ", ")
        + (names.count > 5 ? ", ..." : "")
    case .npy(let error): error.description
    case .safetensors(let error): error.description
    }
  }
}
