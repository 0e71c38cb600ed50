public import BollyGANModel

/// Tensors by name in the order of a state_dict, for files that Python programs read.
public struct TensorArchive: Equatable, Sendable {
  /// Names and tensors, in order.
  public let entries: [(name: String, tensor: StoredTensor)]

  /// Sorts tensors as `state_dict()` does: module by module, `weight` and `bias` first, then the
  /// running statistics.
  public init(_ tensors: [String: StoredTensor]) {
    let fields = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    func key(_ name: String) -> (module: Int, field: Int) {
      let parts = name.split(separator: ".")
      return (
        parts.dropLast().last.flatMap { Int($0) } ?? 0,
        parts.last.flatMap { fields.firstIndex(of: String($0)) } ?? fields.count
      )
    }
    entries = tensors.map { (name: $0.key, tensor: $0.value) }.sorted {
      let (a, b) = (key($0.name), key($1.name))
      return (a.module, a.field, $0.name) < (b.module, b.field, $1.name)
    }
  }

  /// Whether names and tensors are equal and in the same order.
  public static func == (a: TensorArchive, b: TensorArchive) -> Bool {
    a.entries.count == b.entries.count
      && zip(a.entries, b.entries).allSatisfy { $0.name == $1.name && $0.tensor == $1.tensor }
  }

  /// A file that `torch.load(weights_only=True)` reads.
  ///
  /// It is what `torch.save(network.state_dict(), file)` writes since version 1.6: a zip archive of
  /// a pickle and the numbers.
  ///
  /// - Precondition: all tensors are float32, float16, bfloat16 or int64.
  public func torchFile() -> [UInt8] {
    var pickle = PickleWriter()
    pickle.beginDict()
    for (index, entry) in entries.enumerated() {
      pickle.set(entry.name, to: entry.tensor, storage: "\(index)")
    }
    var zip = ZipWriter()
    func add(_ name: String, _ content: some Collection<UInt8>) {
      zip.add("archive/\(name)", content)
    }
    add("data.pkl", pickle.finished())
    add(".format_version", "1".utf8)
    add(".storage_alignment", "64".utf8)
    add("byteorder", "little".utf8)
    for (index, entry) in entries.enumerated() { add("data/\(index)", entry.tensor.bytes) }
    add("version", "3\n".utf8)
    return zip.finished()
  }

  /// A file that `numpy.load` reads: a zip archive of one `.npy` file per tensor.
  ///
  /// - Precondition: all tensors are float32, float16 or int64; numpy has no bfloat16.
  public func npzFile() -> [UInt8] {
    var zip = ZipWriter()
    for (name, tensor) in entries {
      let kind =
        switch tensor.type {
        case .f32: "<f4"
        case .f16: "<f2"
        case .i64: "<i8"
        default: preconditionFailure("numpy has no \(tensor.type.rawValue)")
        }
      zip.add("\(name).npy", NPYFile.header(shape: tensor.shape, kind: kind) + tensor.bytes)
    }
    return zip.finished()
  }

  /// The float tensors of a file that ``npzFile()`` wrote; integers are left out.
  ///
  /// - Throws: ``TorchFileError`` if the archive is broken, `NPYError` if an array is.
  static func readNPZ(_ bytes: [UInt8]) throws -> [String: StoredTensor] {
    let archive = try ZipArchive(bytes)
    var tensors: [String: StoredTensor] = [:]
    for name in archive.names where !name.hasSuffix("num_batches_tracked.npy") {
      let array = try NPYFile(bytes: Array(bytes[archive.place(of: name)!]))
      tensors[String(name.dropLast(".npy".count))] = StoredTensor(
        Tensor(shape: array.shape, values: array.floats))
    }
    return tensors
  }
}
