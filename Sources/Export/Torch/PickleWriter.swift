import BollyGANModel

/// Writes the pickle of a state_dict with the few instructions that PyTorch uses.
///
/// - SeeAlso: `PickleReader`, CPython's `Lib/pickletools.py`.
struct PickleWriter {
  // Instruction PROTO, version 2.
  private var bytes: [UInt8] = [0x80, 2]

  /// Begins the one dict of the pickle.
  mutating func beginDict() {
    global("collections", "OrderedDict")
    bytes += Array(")R(".utf8)
  }

  /// Adds an entry:
  /// `torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
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
    // False (requires_grad), no hooks, end of the arguments, call.
    bytes.append(0x89)
    global("collections", "OrderedDict")
    bytes += Array(")RtR".utf8)
  }

  /// The pickle, with the end of its dict.
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

  /// Four bytes, lowest first.
  ///
  /// - Precondition: `number` is below 2^31, as every size and offset here.
  private mutating func little(_ number: Int) {
    let number = UInt32(Int32(number))
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
  }
}
