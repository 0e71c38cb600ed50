import BollyGANModel

/// Reads what a pickle of tensors describes, without running any of it.
///
/// A pickle is a program for a stack machine that can call anything. This reader knows only the
/// instructions that build numbers, text, lists and dicts, and the few functions by which PyTorch
/// describes tensors. It does not call those either, but records their arguments. Everything else
/// is refused by name.
///
/// - SeeAlso: CPython's `Lib/pickletools.py`; PyTorch's `torch/_weights_only_unpickler.py`.
struct PickleReader {
  /// Size of the largest pickle in bytes; a DCGAN's takes about 5 kB.
  static let byteLimit = 16 << 20
  /// Largest number of instructions, and so of values.
  static let stepLimit = 200_000

  /// A value. Lists, tuples, dicts and tensors are indices into the arrays below, so that no value
  /// is recursive, however deeply the file nests them.
  enum Value: Equatable {
    case none
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case text(String)
    case sequence(Int)
    case dict(Int)
    case global(Global)
    case storage(Storage)
    case tensor(Int)
  }

  /// The names that a pickle may import.
  enum Global: Equatable {
    case orderedDict
    case rebuildTensor
    case rebuildParameter
    case storageType(TensorType)

    init?(module: String, name: String) {
      switch "\(module) \(name)" {
      case "collections OrderedDict": self = .orderedDict
      case "torch._utils _rebuild_tensor_v2": self = .rebuildTensor
      case "torch._utils _rebuild_parameter": self = .rebuildParameter
      case "torch FloatStorage": self = .storageType(.f32)
      case "torch DoubleStorage": self = .storageType(.f64)
      case "torch HalfStorage": self = .storageType(.f16)
      case "torch BFloat16Storage": self = .storageType(.bf16)
      case "torch LongStorage": self = .storageType(.i64)
      case "torch IntStorage": self = .storageType(.i32)
      case "torch ShortStorage": self = .storageType(.i16)
      case "torch CharStorage": self = .storageType(.i8)
      case "torch ByteStorage": self = .storageType(.u8)
      case "torch BoolStorage": self = .storageType(.bool)
      default: return nil
      }
    }
  }

  /// A block of numbers, stored as the file `data/KEY` of the archive.
  struct Storage: Equatable {
    var type: TensorType
    var key: String
    var count: Int64
  }

  /// A view of a storage.
  struct TorchTensor: Equatable {
    var storage: Storage
    var offset: Int64
    var shape: [Int64]
    var strides: [Int64]
  }

  /// Elements of lists and tuples.
  private(set) var sequences: [[Value]] = []
  /// Entries of dicts, in order; if a key repeats, the last entry counts.
  private(set) var dicts: [[(key: Value, value: Value)]] = []
  private(set) var tensors: [TorchTensor] = []
  /// The pickle's value.
  private(set) var result = Value.none

  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var stack: [Value] = []
  private var marks: [Int] = []
  private var memo: [UInt32: Value] = [:]

  /// Reads a pickle to its end.
  init(_ bytes: ArraySlice<UInt8>) throws(TorchFileError) {
    self.bytes = bytes
    position = bytes.startIndex
    guard bytes.count <= Self.byteLimit else {
      throw .archive(reason: "data.pkl has \(bytes.count) bytes, the limit is \(Self.byteLimit)")
    }
    for _ in 0..<Self.stepLimit {
      if try step() { return }
    }
    throw fail("more than \(Self.stepLimit) instructions")
  }

  private func fail(_ reason: String) -> TorchFileError {
    .pickle(offset: position - bytes.startIndex, reason: reason)
  }

  /// Executes one instruction; true at the end.
  private mutating func step() throws(TorchFileError) -> Bool {
    let code = try byte()
    switch code {
    case 0x80:  // PROTO
      let version = try byte()
      guard (2...5).contains(version) else { throw fail("protocol \(version), accepted: 2 to 5") }
    case 0x95: _ = try take(8)  // FRAME: a hint for buffered readers
    case UInt8(ascii: "."):
      guard stack.count == 1, marks.isEmpty else {
        throw fail("ends with values left on the stack")
      }
      result = try pop()
      return true
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "J"): stack.append(.int(Int64(Int32(truncatingIfNeeded: try number(4)))))
    case UInt8(ascii: "K"): stack.append(.int(Int64(try number(1))))
    case UInt8(ascii: "M"): stack.append(.int(Int64(try number(2))))
    case 0x8A: stack.append(.int(try long()))
    case UInt8(ascii: "G"):
      let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      stack.append(.float(Double(bitPattern: bits)))
    case UInt8(ascii: "X"): stack.append(.text(try text(Int(try number(4)))))
    case 0x8C: stack.append(.text(try text(Int(try number(1)))))
    case UInt8(ascii: ")"): append(sequence: [])
    case UInt8(ascii: "]"): append(sequence: [])
    case UInt8(ascii: "t"): append(sequence: try popToMark())
    case 0x85...0x87:  // TUPLE1 to TUPLE3
      let count = Int(code) - 0x84
      guard stack.count - (marks.last ?? 0) >= count else {
        throw fail("takes values that do not exist")
      }
      let elements = Array(stack.suffix(count))
      stack.removeLast(count)
      append(sequence: elements)
    case UInt8(ascii: "a"):
      let value = try pop()
      try extend(with: [value])
    case UInt8(ascii: "e"):
      let values = try popToMark()
      try extend(with: values)
    case UInt8(ascii: "}"): appendDict()
    case UInt8(ascii: "s"):
      let value = try pop()
      let key = try pop()
      try set([key, value])
    case UInt8(ascii: "u"):
      let pairs = try popToMark()
      try set(pairs)
    case UInt8(ascii: "q"): try remember(UInt32(try number(1)))
    case UInt8(ascii: "r"): try remember(UInt32(try number(4)))
    case 0x94: try remember(UInt32(memo.count))
    case UInt8(ascii: "h"): try recall(UInt32(try number(1)))
    case UInt8(ascii: "j"): try recall(UInt32(try number(4)))
    case UInt8(ascii: "c"):
      let module = try line()
      try append(global: module, try line())
    case 0x93:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw fail("imports a name that is not text")
      }
      try append(global: module, name)
    case UInt8(ascii: "R"):
      let arguments = try pop()
      stack.append(try call(try pop(), arguments))
    case UInt8(ascii: "b"):
      // Attributes of an OrderedDict (`_metadata`) do not change its entries.
      _ = try pop()
      guard case .dict = stack.last else {
        throw fail("sets attributes of something other than a dict")
      }
    case UInt8(ascii: "Q"):
      stack.append(.storage(try storage(try pop())))
    default:
      throw fail("instruction 0x\(String(code, radix: 16)), which tensors do not need")
    }
    return false
  }

  // MARK: Bytes

  private mutating func byte() throws(TorchFileError) -> UInt8 {
    guard position < bytes.endIndex else { throw fail("ends without a STOP") }
    position += 1
    return bytes[position - 1]
  }

  private mutating func take(_ count: Int) throws(TorchFileError) -> ArraySlice<UInt8> {
    guard count <= bytes.endIndex - position else { throw fail("ends inside a value") }
    position += count
    return bytes[position - count..<position]
  }

  private mutating func number(_ count: Int) throws(TorchFileError) -> UInt64 {
    try take(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  }

  /// An integer in two's complement, preceded by its number of bytes.
  private mutating func long() throws(TorchFileError) -> Int64 {
    let count = Int(try byte())
    guard count <= 8 else { throw fail("an integer of \(count) bytes") }
    let digits = try take(count)
    let start: UInt64 = (digits.last ?? 0) >= 0x80 ? .max : 0
    return Int64(bitPattern: digits.reversed().reduce(start) { $0 << 8 | UInt64($1) })
  }

  private mutating func text(_ count: Int) throws(TorchFileError) -> String {
    guard let text = String(validating: try take(count), as: UTF8.self) else {
      throw fail("text is not UTF-8")
    }
    return text
  }

  private mutating func line() throws(TorchFileError) -> String {
    guard let end = bytes[position...].prefix(257).firstIndex(of: UInt8(ascii: "\n")) else {
      throw fail("a name has more than 256 bytes, or no end")
    }
    let text = try text(end - position)
    position += 1
    return text
  }

  // MARK: The stack

  private mutating func pop() throws(TorchFileError) -> Value {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw fail("takes a value that does not exist")
    }
    return value
  }

  private mutating func popToMark() throws(TorchFileError) -> [Value] {
    guard let mark = marks.popLast() else { throw fail("looks for a mark that does not exist") }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func append(sequence: [Value]) {
    stack.append(.sequence(sequences.count))
    sequences.append(sequence)
  }

  private mutating func appendDict() {
    stack.append(.dict(dicts.count))
    dicts.append([])
  }

  private mutating func append(global module: String, _ name: String) throws(TorchFileError) {
    guard let global = Global(module: module, name: name) else {
      throw .global(name: "\(module).\(name)")
    }
    stack.append(.global(global))
  }

  private mutating func extend(with values: [Value]) throws(TorchFileError) {
    guard case .sequence(let index) = stack.last else {
      throw fail("appends to something other than a list")
    }
    sequences[index] += values
  }

  private mutating func set(_ pairs: [Value]) throws(TorchFileError) {
    guard case .dict(let index) = stack.last, pairs.count.isMultiple(of: 2) else {
      throw fail("sets entries of something other than a dict, or half an entry")
    }
    for place in stride(from: 0, to: pairs.count, by: 2) {
      dicts[index].append((pairs[place], pairs[place + 1]))
    }
  }

  private mutating func remember(_ place: UInt32) throws(TorchFileError) {
    guard let value = stack.last else { throw fail("stores a value that does not exist") }
    memo[place] = value
  }

  private mutating func recall(_ place: UInt32) throws(TorchFileError) {
    guard let value = memo[place] else { throw fail("recalls a value that does not exist") }
    stack.append(value)
  }

  // MARK: Tensors

  private mutating func call(
    _ function: Value, _ arguments: Value
  ) throws(TorchFileError) -> Value {
    guard case .global(let global) = function, case .sequence(let index) = arguments else {
      throw fail("calls something other than a function")
    }
    let arguments = sequences[index]
    switch global {
    case .orderedDict where arguments.isEmpty:
      dicts.append([])
      return .dict(dicts.count - 1)
    case .rebuildParameter:
      guard arguments.count == 3, case .tensor = arguments[0] else {
        throw fail("describes a parameter by something other than a tensor")
      }
      return arguments[0]
    case .rebuildTensor:
      // storage, offset, size, stride, requires_grad, hooks, metadata
      guard (6...7).contains(arguments.count), case .storage(let storage) = arguments[0],
        case .int(let offset) = arguments[1], let shape = integers(arguments[2]),
        let strides = integers(arguments[3])
      else { throw fail("describes a tensor by something other than storage, offset and sizes") }
      tensors.append(
        TorchTensor(storage: storage, offset: offset, shape: shape, strides: strides))
      return .tensor(tensors.count - 1)
    case .orderedDict, .storageType:
      throw fail("calls \(global) with \(arguments.count) arguments")
    }
  }

  private func integers(_ value: Value) -> [Int64]? {
    guard case .sequence(let index) = value, sequences[index].count <= 8 else { return nil }
    var result: [Int64] = []
    for element in sequences[index] {
      guard case .int(let number) = element else { return nil }
      result.append(number)
    }
    return result
  }

  /// A persistent id: ("storage", type, key, location, count).
  private func storage(_ value: Value) throws(TorchFileError) -> Storage {
    guard case .sequence(let index) = value, sequences[index].count == 5,
      sequences[index][0] == .text("storage"),
      case .global(.storageType(let type)) = sequences[index][1],
      case .text(let key) = sequences[index][2], case .int(let count) = sequences[index][4]
    else { throw fail("names something other than a storage of numbers") }
    return Storage(type: type, key: key, count: count)
  }
}
