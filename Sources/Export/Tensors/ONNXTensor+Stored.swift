import BollyGANModel

// Converts tensors of ONNX models to those of safetensors files.

extension ONNXModel.Tensor {
  /// The tensor in the form of a safetensors file; nil if that format lacks its type, or if its
  /// numbers do not fill its shape.
  var stored: StoredTensor? {
    let types: [ONNXModel.ElementType: TensorType] = [
      .float: .f32, .uint8: .u8, .int8: .i8, .uint16: .u16, .int16: .i16, .int32: .i32,
      .int64: .i64, .bool: .bool, .float16: .f16, .double: .f64, .uint32: .u32, .uint64: .u64,
      .bfloat16: .bf16,
    ]
    guard let type = types[type] else { return nil }
    var count = 1
    var shape: [Int] = []
    for dimension in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: Int(dimension))
      guard dimension >= 0, !overflow, product <= 1 << 40 else { return nil }
      count = product
      shape.append(Int(dimension))
    }
    let tensor: StoredTensor
    switch contents {
    case .raw(let bytes):
      guard bytes.count == count * type.byteCount else { return nil }
      return StoredTensor(type: type, shape: shape, bytes: bytes)
    case .floats(let values):
      guard values.count == count, type == .f32 else { return nil }
      tensor = StoredTensor(Tensor(shape: shape, values: values))
    case .doubles(let values):
      guard values.count == count, type == .f64 else { return nil }
      tensor = StoredTensor(values, shape: shape)
    case .int64s(let values):
      guard values.count == count, type == .i64 else { return nil }
      tensor = StoredTensor(int64: values, shape: shape)
    case .int32s(let values):
      guard values.count == count, type.byteCount <= 4, type != .f32 else { return nil }
      tensor = StoredTensor(
        type: type, shape: shape,
        bytes: values.flatMap { value in
          (0..<type.byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * Int32($0))) }
        })
    case .uint64s(let values):
      guard values.count == count, type == .u64 else { return nil }
      tensor = StoredTensor(
        type: type, shape: shape,
        bytes: values.flatMap { value in
          (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        })
    case .external: return nil
    }
    return tensor
  }
}
