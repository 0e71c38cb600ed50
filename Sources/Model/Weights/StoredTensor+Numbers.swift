// Decodes the numbers of stored tensors.

extension StoredTensor {
  /// The numbers of an F32, F16 or BF16 tensor, converted exactly.
  ///
  /// - Parameter name: The name of the tensor in errors.
  /// - Throws: ``WeightsError/type(tensor:found:accepted:)`` for any other type.
  public func floats(name: String = "") throws(WeightsError) -> [Float] {
    try checkHoldsFloats(name: name)
    return widened(0..<count)
  }

  func checkHoldsFloats(name: String) throws(WeightsError) {
    switch type {
    case .f32, .f16, .bf16: return
    default: throw .type(tensor: name, found: type, accepted: [.f32, .f16, .bf16])
    }
  }

  /// A range of the numbers of an F32, F16 or BF16 tensor, converted exactly.
  func widened(_ range: Range<Int>) -> [Float] {
    switch type {
    case .f32: numbers32(range)
    case .f16: numbers16(range, float(binary16:))
    case .bf16: numbers16(range, float(bfloat16:))
    default: preconditionFailure("\(type.rawValue) does not convert to float32 exactly")
    }
  }

  /// The numbers of an F64, F32, F16 or BF16 tensor, converted exactly.
  ///
  /// - Parameter name: The name of the tensor in errors.
  /// - Throws: ``WeightsError/type(tensor:found:accepted:)`` for any other type.
  public func doubles(name: String = "") throws(WeightsError) -> [Double] {
    switch type {
    case .f64: numbers64().map(Double.init(bitPattern:))
    case .f32, .f16, .bf16: try floats(name: name).map(Double.init)
    default: throw .type(tensor: name, found: type, accepted: [.f64, .f32, .f16, .bf16])
    }
  }

  /// The numbers of an I64 tensor.
  ///
  /// - Parameter name: The name of the tensor in errors.
  /// - Throws: ``WeightsError/type(tensor:found:accepted:)`` for any other type.
  public func int64s(name: String = "") throws(WeightsError) -> [Int64] {
    guard type == .i64 else { throw .type(tensor: name, found: type, accepted: [.i64]) }
    return numbers64().map(Int64.init(bitPattern:))
  }

  // Appending to an OutputSpan compiles to a vectorised loop; a map over indices is eight times
  // slower.

  @inline(__always)
  func numbers16(_ range: Range<Int>, _ float: (UInt16) -> Float) -> [Float] {
    [Float](capacity: range.count) { numbers in
      numbers.adviseLargePages()
      // Gather the bits first, then convert them, in pieces that stay in the cache. The compiler
      // vectorises each of these loops, but not one loop that does both.
      for first in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 13) {
        let halves = bits16(first..<min(first + (1 << 13), range.upperBound))
        let span = halves.span
        for k in span.indices { numbers.append(float(span[k])) }
      }
    }
  }

  private func bits16(_ range: Range<Int>) -> [UInt16] {
    let (start, count) = (bytes.startIndex + 2 * range.lowerBound, range.count)
    var halves = [UInt16](repeating: 0, count: count)
    var out = halves.mutableSpan
    let piece = bytes[start..<start + 2 * count]
    let span = piece.span
    // Tells the compiler both counts, and that twice an index does not overflow. It then checks the
    // bounds once instead of for every byte, which takes a fifth of the time.
    precondition(span.count == 2 &* count && (0..<1 << 40).contains(count) && out.count == count)
    for k in 0..<count {
      let i = 2 &* k
      out[k] = UInt16(span[i]) | UInt16(span[i &+ 1]) << 8
    }
    return halves
  }

  /// The index of the first infinity or NaN in an F32, F16 or BF16 tensor.
  var firstNonFinite: Int? {
    // A piece stays in the cache.
    let piece = 1 << 13
    for start in stride(from: 0, to: count, by: piece) {
      let range = start..<min(start + piece, count)
      // Test 16-bit numbers by their bits, which is faster than converting them.
      if type != .f32 {
        let largest = bits16(range).reduce(UInt16(0)) { max($0, $1 & 0x7fff) }
        guard largest >= (type == .f16 ? 0x7c00 : 0x7f80) else { continue }
      }
      if let index = BollyGANModel.firstNonFinite(widened(range)[...]) { return start + index }
    }
    return nil
  }

  func numbers32(_ range: Range<Int>) -> [Float] {
    let piece = bytes[(bytes.startIndex + 4 * range.lowerBound)...]
    let span = piece.span
    return [Float](capacity: range.count) { numbers in
      numbers.adviseLargePages()
      for k in 0..<numbers.capacity {
        let i = 4 * k
        numbers.append(
          Float(
            bitPattern: UInt32(span[i]) | UInt32(span[i + 1]) << 8 | UInt32(span[i + 2]) << 16
              | UInt32(span[i + 3]) << 24))
      }
    }
  }

  func numbers64() -> [UInt64] {
    let span = bytes.span
    return [UInt64](capacity: count) { numbers in
      for k in 0..<numbers.capacity {
        let i = 8 * k
        let low =
          UInt64(span[i]) | UInt64(span[i + 1]) << 8 | UInt64(span[i + 2]) << 16
          | UInt64(span[i + 3]) << 24
        let high =
          UInt64(span[i + 4]) | UInt64(span[i + 5]) << 8 | UInt64(span[i + 6]) << 16
          | UInt64(span[i + 7]) << 24
        numbers.append(low | high << 32)
      }
    }
  }
}
