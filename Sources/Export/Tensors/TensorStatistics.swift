public import BollyGANModel

/// Range, mean and number of non-finite values of a tensor.
public struct TensorStatistics: Equatable, Sendable, Encodable {
  /// Smallest finite number; nil if there is none.
  public let min: Double?
  /// Mean of the finite numbers; nil if there are none.
  public let mean: Double?
  /// Largest finite number; nil if there is none.
  public let max: Double?
  /// How many values are infinite or NaN.
  public let nonFinite: Int

  /// Computes the statistics in one pass; nil for 8-bit floats, which are not supported.
  public init?(_ tensor: StoredTensor) {
    guard let numbers = tensor.numbers else { return nil }
    var low = Double.infinity
    var high = -Double.infinity
    var sum = 0.0
    var finite = 0
    for number in numbers where number.isFinite {
      low = Swift.min(low, number)
      high = Swift.max(high, number)
      sum += number
      finite += 1
    }
    min = finite > 0 ? low : nil
    max = finite > 0 ? high : nil
    mean = finite > 0 ? sum / Double(finite) : nil
    nonFinite = numbers.count - finite
  }
}

extension StoredTensor {
  /// The numbers, rounded to doubles; nil for 8-bit floats.
  var numbers: [Double]? {
    switch type {
    case .f64, .f32, .f16, .bf16: try? doubles()
    case .i64: integers(Int64.self)
    case .u64: integers(UInt64.self)
    case .i32: integers(Int32.self)
    case .u32: integers(UInt32.self)
    case .i16: integers(Int16.self)
    case .u16: integers(UInt16.self)
    case .i8: integers(Int8.self)
    case .u8, .bool: integers(UInt8.self)
    case .f8e4m3, .f8e5m2: nil
    }
  }

  private func integers<T: FixedWidthInteger>(_: T.Type) -> [Double] {
    let size = MemoryLayout<T>.size
    return stride(from: bytes.startIndex, to: bytes.endIndex, by: size).map { start in
      Double((0..<size).reduce(T(0)) { $0 | T(truncatingIfNeeded: bytes[start + $1]) << ($1 * 8) })
    }
  }
}
