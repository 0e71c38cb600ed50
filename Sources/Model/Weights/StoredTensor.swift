/// A tensor in the encoding of a file: little-endian numbers of any type, row-major.
public struct StoredTensor: Equatable, Sendable {
  /// The type of its numbers.
  public let type: TensorType
  /// The length of each axis, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The numbers: `count · type.byteCount` bytes. A tensor read from a file shares its memory.
  public let bytes: ArraySlice<UInt8>

  /// A tensor of encoded numbers.
  ///
  /// - Precondition: The number of bytes is the product of `shape` and the size of `type`.
  public init(type: TensorType, shape: [Int], bytes: ArraySlice<UInt8>) {
    // Multiply the shape first, as the reader did: [2^61, 0] gives 0 in this order, where 2^61
    // times the size of a number would overflow.
    precondition(
      shape.reduce(1, *) * type.byteCount == bytes.count,
      "\(bytes.count) bytes do not fill shape \(shape) of \(type.rawValue)")
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// A tensor of encoded numbers.
  ///
  /// - Precondition: The number of bytes is the product of `shape` and the size of `type`.
  public init(type: TensorType, shape: [Int], bytes: [UInt8]) {
    self.init(type: type, shape: shape, bytes: bytes[...])
  }

  /// The numbers of a tensor in float32, or rounded to nearest even in float16 or bfloat16.
  ///
  /// - Precondition: `type` is F32, F16 or BF16.
  public init(_ tensor: Tensor, type: TensorType = .f32) {
    let bytes =
      switch type {
      case .f32: littleEndianBytes(tensor.values)
      case .f16: littleEndianBytes(tensor.values.map(binary16))
      case .bf16: littleEndianBytes(tensor.values.map(bfloat16))
      default: preconditionFailure("float32 numbers cannot be stored as \(type.rawValue)")
      }
    self.init(type: type, shape: tensor.shape, bytes: bytes)
  }

  /// A tensor of float64 numbers.
  public init(_ doubles: [Double], shape: [Int]) {
    self.init(type: .f64, shape: shape, bytes: littleEndianBytes(doubles))
  }

  /// A tensor of 64-bit integers.
  public init(int64 numbers: [Int64], shape: [Int]) {
    self.init(type: .i64, shape: shape, bytes: littleEndianBytes(numbers))
  }

  /// A tensor of bytes, of shape `[bytes.count]`.
  public init(bytes: [UInt8]) {
    self.init(type: .u8, shape: [bytes.count], bytes: bytes)
  }

  /// The number of elements.
  public var count: Int { bytes.count / type.byteCount }
}
