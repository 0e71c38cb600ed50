/// The type of the numbers in a stored tensor, named as in safetensors files.
///
/// - SeeAlso: `Dtype` in huggingface/safetensors, `safetensors/src/tensor.rs`.
public enum TensorType: String, CaseIterable, Sendable {
  // In the order of the safetensors library, which writes tensors from the last of these types to
  // the first. The sizes then decrease, which aligns every tensor to the size of its numbers.
  case bool = "BOOL"
  case u8 = "U8"
  case i8 = "I8"
  case f8e5m2 = "F8_E5M2"
  case f8e4m3 = "F8_E4M3"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  /// The size of one number in bytes.
  public var byteCount: Int {
    switch self {
    case .bool, .u8, .i8, .f8e5m2, .f8e4m3: 1
    case .i16, .u16, .f16, .bf16: 2
    case .i32, .u32, .f32: 4
    case .f64, .i64, .u64: 8
    }
  }

  /// The position in the order of the safetensors library.
  var rank: Int { Self.allCases.firstIndex(of: self)! }
}
