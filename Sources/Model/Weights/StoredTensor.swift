/// A tensor as it lies in a file: numbers of some type, little-endian, row-major.
public struct StoredTensor: Equatable, Sendable {
  /// What one number is.
  public let type: TensorType
  /// Length of each axis, outermost first; empty for a scalar.
  public let shape: [Int]
  /// `count · type.byteCount` bytes; a tensor read from a file shares the file's memory.
  public let bytes: ArraySlice<UInt8>

  /// - Precondition: `bytes` are as many as shape and type need.
  public init(type: TensorType, shape: [Int], bytes: ArraySlice<UInt8>) {
    // The shape alone first: of [2^61, 0] the reader knows that this product does not overflow.
    precondition(
      shape.reduce(1, *) * type.byteCount == bytes.count,
      "\(bytes.count) bytes do not fill shape \(shape) of \(type.rawValue)")
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// - Precondition: `bytes` are as many as shape and type need.
  public init(type: TensorType, shape: [Int], bytes: [UInt8]) {
    self.init(type: type, shape: shape, bytes: bytes[...])
  }

  /// The numbers of a tensor in float32, or rounded to nearest-even in float16 or bfloat16.
  ///
  /// - Precondition: `type` is one of these three.
  public init(_ tensor: Tensor, type: TensorType = .f32) {
    let bytes =
      switch type {
      case .f32: littleEndianBytes(tensor.values)
      case .f16: littleEndianBytes(tensor.values.map(binary16))
      case .bf16: littleEndianBytes(tensor.values.map(bfloat16))
      default: preconditionFailure("\(type.rawValue) is no type for float32 numbers")
      }
    self.init(type: type, shape: tensor.shape, bytes: bytes)
  }

  /// Numbers in float64.
  public init(_ doubles: [Double], shape: [Int]) {
    self.init(type: .f64, shape: shape, bytes: littleEndianBytes(doubles))
  }

  /// Whole numbers.
  public init(int64 numbers: [Int64], shape: [Int]) {
    self.init(type: .i64, shape: shape, bytes: littleEndianBytes(numbers))
  }

  /// Plain bytes, `[bytes.count]`.
  public init(bytes: [UInt8]) {
    self.init(type: .u8, shape: [bytes.count], bytes: bytes)
  }

  /// How many numbers there are.
  public var count: Int { bytes.count / type.byteCount }
}
