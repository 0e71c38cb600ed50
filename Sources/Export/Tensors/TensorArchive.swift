public import BollyGANModel

/// Tensors by name in the order of a state_dict, as programs for Python read them.
public struct TensorArchive: Equatable, Sendable {
  /// Names and tensors.
  public let entries: [(name: String, tensor: StoredTensor)]

  /// Puts tensors into the order in which `state_dict()` gives them: module by module, `weight`,
  /// `bias`, and what training keeps behind them.
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

  /// Whether names and tensors are equal, and in the same order.
  public static func == (a: TensorArchive, b: TensorArchive) -> Bool {
    a.entries.count == b.entries.count
      && zip(a.entries, b.entries).allSatisfy { $0.name == $1.name && $0.tensor == $1.tensor }
  }

  /// A file that `torch.load(weights_only=True)` reads: what `torch.save(network.state_dict(), file)`
  /// writes since version 1.6, a zip archive of a pickle and the numbers.
  ///
  /// - Precondition: all tensors are of float32, float16, bfloat16 or int64.
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

  /// A file that `numpy.load` reads: a zip archive of one `.npy` file for each tensor.
  ///
  /// - Precondition: all tensors are of float32, float16 or int64; numpy has no bfloat16.
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

  /// The float tensors of a file of ``npzFile()``; whole numbers are left out.
  ///
  /// - Throws: ``TorchFileError`` where the archive is broken, `NPYError` where an array is.
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

/// Writes the pickle of a state_dict, with the few instructions that PyTorch's own uses.
///
/// - SeeAlso: `PickleReader`, CPython's `Lib/pickletools.py`.
private struct PickleWriter {
  // PROTO 2.
  private var bytes: [UInt8] = [0x80, 2]

  mutating func beginDict() {
    global("collections", "OrderedDict")
    bytes += Array(")R(".utf8)
  }

  /// An entry: `torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
  mutating func set(_ name: String, to tensor: StoredTensor, storage: String) {
    text(name)
    global("torch._utils", "_rebuild_tensor_v2")
    bytes += Array("((".utf8)
    text("storage")
    let kind =
      switch tensor.type {
      case .f32: "FloatStorage"
      case .f16: "HalfStorage"
      case .bf16: "BFloat16Storage"
      case .i64: "LongStorage"
      default: preconditionFailure("a state_dict here has no \(tensor.type.rawValue)")
      }
    global("torch", kind)
    text(storage)
    text("cpu")
    int(tensor.count)
    bytes += Array("tQ".utf8)
    int(0)
    tuple(tensor.shape)
    tuple(
      tensor.shape.indices.map { tensor.shape[($0 + 1)...].reduce(1, *) })
    // False, no hooks; the end of the arguments, the call.
    bytes.append(0x89)
    global("collections", "OrderedDict")
    bytes += Array(")RtR".utf8)
  }

  func finished() -> [UInt8] { bytes + Array("u.".utf8) }

  private mutating func global(_ module: String, _ name: String) {
    bytes += Array("c\(module)\n\(name)\n".utf8)
  }

  private mutating func text(_ text: String) {
    bytes.append(UInt8(ascii: "X"))
    little(text.utf8.count)
    bytes += Array(text.utf8)
  }

  private mutating func int(_ number: Int) {
    bytes.append(UInt8(ascii: "J"))
    little(number)
  }

  private mutating func tuple(_ numbers: [Int]) {
    bytes.append(UInt8(ascii: "("))
    for number in numbers { int(number) }
    bytes.append(UInt8(ascii: "t"))
  }

  /// - Precondition: `number` is below 2^31: tensors have fewer numbers.
  private mutating func little(_ number: Int) {
    let number = UInt32(Int32(number))
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
  }
}
