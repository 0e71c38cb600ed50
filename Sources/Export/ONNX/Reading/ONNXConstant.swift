import BollyGANModel

/// A value of the graph that does not depend on its input.
struct ONNXConstant: Equatable {
  /// The numbers, in one of three representations.
  enum Numbers: Equatable {
    /// Floating point of any width.
    case floats([Float])
    /// Integers; nil for the batch size, which is unknown before the network runs.
    case ints([Int64?])
    /// 8-bit integers, signed or not, which store quantised weights.
    case bytes([Int16])
  }

  /// Length of each axis; empty for a scalar.
  var shape: [Int]
  /// Row-major; their number is the product of `shape`.
  var numbers: Numbers

  init(shape: [Int], numbers: Numbers) {
    self.shape = shape
    self.numbers = numbers
  }

  /// A list of integers.
  init(list: [Int64?]) { self.init(shape: [list.count], numbers: .ints(list)) }

  /// How many numbers there are.
  var count: Int {
    switch numbers {
    case .floats(let values): values.count
    case .ints(let values): values.count
    case .bytes(let values): values.count
    }
  }

  /// Whether a shape is small enough: no product of some of its lengths exceeds 2^32, even if
  /// another length is 0. Strides computed from such a shape cannot overflow.
  static func accepts(_ shape: [Int]) -> Bool {
    elementCount(shape.map { max(1, $0) })! <= 1 << 32
  }

  /// Reads a tensor, whose numbers must fill its shape exactly and be finite.
  init(_ tensor: ONNXModel.Tensor) throws(ONNXError) {
    func fail(_ reason: String) -> ONNXError { .tensor(name: tensor.name, reason: reason) }
    guard tensor.dimensions.count <= 8 else {
      throw fail("\(tensor.dimensions.count) axes, the limit is 8")
    }
    var shape: [Int] = []
    for dimension in tensor.dimensions {
      guard (0...1 << 24).contains(dimension) else {
        throw fail("axis of length \(dimension), accepted: 0 to \(1 << 24)")
      }
      shape.append(Int(dimension))
    }
    guard Self.accepts(shape) else { throw fail("shape \(tensor.dimensions) is too large") }
    let count = shape.reduce(1, *)
    self.shape = shape
    func expect(_ found: Int) throws(ONNXError) {
      guard found == count else {
        throw fail("\(found) numbers do not fill shape \(tensor.dimensions)")
      }
    }
    switch tensor.contents {
    case .raw(let bytes):
      guard let size = tensor.type.byteCount else { throw fail("text is not supported") }
      guard bytes.count == count * size else {
        throw fail(
          "\(bytes.count) bytes, shape \(tensor.dimensions) of \(tensor.type) needs \(count * size)"
        )
      }
      numbers = try Self.numbers(bytes, tensor.type, shape: shape, fail)
    case .floats(let values):
      try expect(values.count)
      guard tensor.type == .float else { throw fail("floats in a tensor of \(tensor.type)") }
      numbers = .floats(values)
    case .doubles(let values):
      try expect(values.count)
      guard tensor.type == .double else { throw fail("doubles in a tensor of \(tensor.type)") }
      numbers = .floats(values.map { Float($0) })
    case .int64s(let values):
      try expect(values.count)
      guard tensor.type == .int64 else {
        throw fail("64-bit integers in a tensor of \(tensor.type)")
      }
      guard values.count <= Self.listLimit else {
        throw fail("\(values.count) integers, the limit is \(Self.listLimit)")
      }
      numbers = .ints(values)
    case .int32s(let values):
      try expect(values.count)
      switch tensor.type {
      case .float16, .bfloat16:
        var floats: [Float] = []
        floats.reserveCapacity(values.count)
        for value in values {
          guard let bits = UInt16(exactly: value) else {
            throw fail("\(value) does not fit 16 bits")
          }
          floats.append(
            tensor.type == .float16
              ? float(binary16: bits) : float(bfloat16: bits))
        }
        numbers = .floats(floats)
      case .int8, .uint8:
        let range = tensor.type == .int8 ? -128...127 : 0...255
        guard values.allSatisfy({ range.contains(Int($0)) }) else {
          throw fail("a number is outside \(range.lowerBound) to \(range.upperBound)")
        }
        numbers = .bytes(values.map { Int16($0) })
      case .int32, .int16, .uint16:
        guard values.count <= Self.listLimit else {
          throw fail("\(values.count) integers, the limit is \(Self.listLimit)")
        }
        numbers = .ints(values.map { Int64($0) })
      default: throw fail("32-bit integers in a tensor of \(tensor.type)")
      }
    case .uint64s: throw fail("unsigned 64-bit integers are not supported")
    case .external: throw fail("its numbers are stored in another file, which was not read")
    }
    if case .floats(let values) = numbers, let index = values.firstIndex(where: { !$0.isFinite }) {
      throw fail("number \(index) is \(values[index])")
    }
  }

  /// Largest number of integers in a tensor, except 8-bit ones: they are lists of axes and shapes.
  private static var listLimit: Int { 65_536 }

  private static func numbers(
    _ bytes: [UInt8], _ type: ONNXModel.ElementType, shape: [Int], _ fail: (String) -> ONNXError
  ) throws(ONNXError) -> Numbers {
    func stored(_ type: TensorType) -> StoredTensor {
      StoredTensor(type: type, shape: shape, bytes: bytes)
    }
    func integers<T: FixedWidthInteger & BitwiseCopyable>(
      _: T.Type
    ) throws(ONNXError) -> Numbers {
      let size = MemoryLayout<T>.size
      guard bytes.count / size <= listLimit else {
        throw fail("\(bytes.count / size) integers of type \(type), the limit is \(listLimit)")
      }
      return .ints(
        stride(from: 0, to: bytes.count, by: size).map { start in
          Int64(
            (0..<size).reduce(T(0)) { $0 | T(truncatingIfNeeded: bytes[start + $1]) << ($1 * 8) })
        })
    }
    do {
      switch type {
      case .float: return .floats(try stored(.f32).floats())
      case .double: return .floats(try stored(.f64).doubles().map { Float($0) })
      case .float16: return .floats(try stored(.f16).floats())
      case .bfloat16: return .floats(try stored(.bf16).floats())
      case .int8: return .bytes(bytes.map { Int16(Int8(bitPattern: $0)) })
      case .uint8: return .bytes(bytes.map { Int16($0) })
      case .int64: return try integers(Int64.self)
      case .int32: return try integers(Int32.self)
      case .int16: return try integers(Int16.self)
      case .uint32: return try integers(UInt32.self)
      case .uint16: return try integers(UInt16.self)
      case .bool, .uint64, .complex64, .complex128, .string:
        throw fail("elements of type \(type) are not supported")
      }
    } catch let error as ONNXError {
      throw error
    } catch {
      throw fail("\(error)")
    }
  }

  /// The numbers if they are floats.
  var floats: [Float]? {
    guard case .floats(let values) = numbers else { return nil }
    return values
  }

  /// The numbers if they are 8-bit integers.
  var bytes: [Int16]? {
    guard case .bytes(let values) = numbers else { return nil }
    return values
  }

  /// The numbers if they are a list of integers, known or not.
  var list: [Int64?]? {
    guard case .ints(let values) = numbers, shape.count == 1 else { return nil }
    return values
  }

  /// The numbers if they are integers and all known.
  var ints: [Int64]? {
    guard case .ints(let values) = numbers else { return nil }
    let known = values.compactMap { $0 }
    return known.count == values.count ? known : nil
  }

  /// The number in a scalar or a tensor of one float.
  var scalar: Float? {
    guard count == 1 else { return nil }
    return floats?[0]
  }

  /// The same numbers with the axes permuted.
  func transposed(_ permutation: [Int]) -> ONNXConstant {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    let newShape = permutation.map { shape[$0] }
    let newStrides = permutation.map { strides[$0] }
    var source = [Int](repeating: 0, count: count)
    var position = [Int](repeating: 0, count: shape.count)
    var offset = 0
    for index in source.indices {
      source[index] = offset
      for axis in newShape.indices.reversed() {
        position[axis] += 1
        offset += newStrides[axis]
        if position[axis] < newShape[axis] { break }
        offset -= newStrides[axis] * newShape[axis]
        position[axis] = 0
      }
    }
    let moved: Numbers =
      switch numbers {
      case .floats(let values): .floats(source.map { values[$0] })
      case .ints(let values): .ints(source.map { values[$0] })
      case .bytes(let values): .bytes(source.map { values[$0] })
      }
    return ONNXConstant(shape: newShape, numbers: moved)
  }

  /// Combines two tensors element by element, repeating the smaller along axes of length 1.
  ///
  /// - Returns: nil if the shapes do not fit, or if the result would be larger than the larger
  ///   operand (an outer product, with which a small file could demand much memory).
  static func combine(
    _ left: ONNXConstant, _ right: ONNXConstant, _ operation: (Float, Float) -> Float
  ) -> ONNXConstant? {
    guard let a = left.floats, let b = right.floats else { return nil }
    let rank = max(left.shape.count, right.shape.count)
    func padded(_ shape: [Int]) -> [Int] {
      [Int](repeating: 1, count: rank - shape.count) + shape
    }
    let (shapeA, shapeB) = (padded(left.shape), padded(right.shape))
    var shape: [Int] = []
    for (m, n) in zip(shapeA, shapeB) {
      guard m == n || m == 1 || n == 1 else { return nil }
      shape.append(m == 1 ? n : m)
    }
    guard shape == shapeA || shape == shapeB else { return nil }
    func strides(_ own: [Int]) -> [Int] {
      var strides = [Int](repeating: 0, count: rank)
      var stride = 1
      for axis in own.indices.reversed() {
        strides[axis] = own[axis] == 1 ? 0 : stride
        stride *= own[axis]
      }
      return strides
    }
    let (stridesA, stridesB) = (strides(shapeA), strides(shapeB))
    var position = [Int](repeating: 0, count: rank)
    var (indexA, indexB) = (0, 0)
    var result = [Float](repeating: 0, count: max(a.count, b.count))
    for index in result.indices {
      result[index] = operation(a[indexA], b[indexB])
      for axis in shape.indices.reversed() {
        position[axis] += 1
        indexA += stridesA[axis]
        indexB += stridesB[axis]
        if position[axis] < shape[axis] { break }
        indexA -= stridesA[axis] * shape[axis]
        indexB -= stridesB[axis] * shape[axis]
        position[axis] = 0
      }
    }
    return ONNXConstant(shape: shape, numbers: .floats(result))
  }
}
