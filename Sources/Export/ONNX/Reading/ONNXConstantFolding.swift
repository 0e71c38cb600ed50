import BollyGANModel

/// Evaluates the nodes that the graph's input does not reach: weights in any encoding, casts,
/// dequantisation, and the arithmetic that exporters use to compute shapes.
extension ONNXModel.Node {
  /// The value of a node whose inputs are all constants.
  ///
  /// - Parameter inputs: by position; nil for an optional input that is left out.
  func folded(_ inputs: [ONNXConstant?]) throws(ONNXError) -> ONNXConstant {
    if operatorType == "Constant" { return try constant() }
    guard var value = inputs[0] else { throw error("its first input is missing") }
    switch operatorType {
    case "Identity":
      return value
    case "Cast":
      return try cast(value, to: try elementType())
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze":
      value.shape = try newShape(of: value.shape, inputs, hasBatch: false).compactMap { $0 }
      guard ONNXConstant.accepts(value.shape) else {
        throw error("the new shape \(value.shape) is too large")
      }
      return value
    case "Transpose":
      return value.transposed(try permutation(rank: value.shape.count))
    case "Add", "Sub", "Mul", "Div", "Mod":
      guard let other = inputs[1] else { throw error("its second input is missing") }
      return try combined(value, other)
    case "Sqrt":
      guard let floats = value.floats else { throw error("takes a root of integers") }
      value.numbers = .floats(floats.map { $0.squareRoot() })
      return try finite(value)
    case "DequantizeLinear":
      return try dequantised(value, inputs)
    case "Shape":
      return ONNXConstant(
        list: value.shape[try shapeRange(rank: value.shape.count)].map { Int64($0) })
    case "Slice":
      return try slice(value, inputs)
    case "Gather":
      guard let numbers = value.list, let indices = inputs[1]?.ints, try int("axis") ?? 0 == 0
      else { throw error("gathers, which is supported for lists of integers only") }
      var gathered: [Int64?] = []
      for place in indices { gathered.append(numbers[try index(place, count: numbers.count)]) }
      return ONNXConstant(shape: inputs[1]!.shape, numbers: .ints(gathered))
    case "Concat":
      var joined: [Int64?] = []
      for input in inputs {
        guard let numbers = input?.list else {
          throw error("joins, which is supported for lists of integers only")
        }
        joined += numbers
      }
      return ONNXConstant(list: joined)
    default:
      throw error("is not supported between constants")
    }
  }

  /// `Add`, `Sub`, `Mul`, `Div` and `Mod` of two constants.
  private func combined(
    _ left: ONNXConstant, _ right: ONNXConstant
  ) throws(ONNXError) -> ONNXConstant {
    if case .ints = left.numbers { return try combinedIntegers(left, right) }
    let operation: (Float, Float) -> Float
    switch operatorType {
    case "Add": operation = (+)
    case "Sub": operation = (-)
    case "Mul": operation = (*)
    case "Div": operation = (/)
    default: throw error("is supported for integers only")
    }
    guard let result = ONNXConstant.combine(left, right, operation) else {
      throw error("shapes \(left.shape) and \(right.shape) of floats do not combine")
    }
    return try finite(result)
  }

  /// Arithmetic on integers, from which exporters compute shapes.
  private func combinedIntegers(
    _ left: ONNXConstant, _ right: ONNXConstant
  ) throws(ONNXError) -> ONNXConstant {
    guard case .ints(let a) = left.numbers, case .ints(let b) = right.numbers,
      left.shape == right.shape || a.count == 1 || b.count == 1
    else { throw error("shapes \(left.shape) and \(right.shape) of integers do not combine") }
    guard try int("fmod") ?? 0 == 0 else { throw error("sets fmod, accepted: 0") }
    let longer = a.count >= b.count ? left : right
    var result: [Int64?] = []
    for index in 0..<longer.count {
      // The batch is unknown, and so is everything computed from it.
      guard let x = a[a.count == 1 ? 0 : index], let y = b[b.count == 1 ? 0 : index] else {
        result.append(nil)
        continue
      }
      let (value, overflow): (Int64, Bool) =
        switch operatorType {
        case "Add": x.addingReportingOverflow(y)
        case "Sub": x.subtractingReportingOverflow(y)
        case "Mul": x.multipliedReportingOverflow(by: y)
        case "Div": x.dividedReportingOverflow(by: y)
        // The result has the sign of the divisor.
        default: y > 0 ? ((x % y + y) % y, false) : (0, true)
        }
      guard !overflow else { throw error("has no result for \(x) and \(y)") }
      result.append(value)
    }
    return ONNXConstant(shape: longer.shape, numbers: .ints(result))
  }

  /// `Slice` of a list of integers.
  private func slice(
    _ value: ONNXConstant, _ inputs: [ONNXConstant?]
  ) throws(ONNXError) -> ONNXConstant {
    guard let numbers = value.list else {
      throw error("slices, which is supported for lists of integers only")
    }
    // An attribute up to operator set 9, an input from 10 on.
    func setting(_ name: String, _ position: Int) throws(ONNXError) -> Int64? {
      if let stated = try ints(name) {
        guard stated.count == 1 else { throw error("\(name) has \(stated.count) numbers") }
        return stated[0]
      }
      guard position < inputs.count, let given = inputs[position] else { return nil }
      guard let number = given.ints, number.count == 1 else {
        throw error("\(name) is not a constant integer")
      }
      return number[0]
    }
    guard let start = try setting("starts", 1), let end = try setting("ends", 2),
      try setting("axes", 3) ?? 0 == 0, try setting("steps", 4) ?? 1 == 1
    else { throw error("accepted: start and end along axis 0, step 1") }
    return ONNXConstant(
      list: Array(numbers[clampedRange(from: start, to: end, count: numbers.count)]))
  }

  private func cast(
    _ value: ONNXConstant, to type: ONNXModel.ElementType
  ) throws(ONNXError) -> ONNXConstant {
    var value = value
    switch (type, value.numbers) {
    case (.float, .floats), (.double, .floats), (.int64, .ints): break
    case (.float16, .floats(let numbers)):
      value.numbers = .floats(numbers.map { BollyGANModel.float(binary16: binary16($0)) })
    case (.bfloat16, .floats(let numbers)):
      value.numbers = .floats(numbers.map { BollyGANModel.float(bfloat16: bfloat16($0)) })
    case (.float, .ints), (.double, .ints), (.float16, .ints):
      guard let numbers = value.ints else { throw error("casts the unknown batch size") }
      value.numbers = .floats(numbers.map { Float($0) })
    case (.float, .bytes(let numbers)), (.double, .bytes(let numbers)):
      value.numbers = .floats(numbers.map { Float($0) })
    default: throw error("casts constants to \(type), which is not supported")
    }
    return try finite(value)
  }

  /// `DequantizeLinear`: (x − zero point) · scale, for the whole tensor or per index of one axis.
  private func dequantised(
    _ value: ONNXConstant, _ inputs: [ONNXConstant?]
  ) throws(ONNXError) -> ONNXConstant {
    guard let quantised = value.bytes, let scale = inputs[1], let factors = scale.floats else {
      throw error("takes 8-bit integers and float scales")
    }
    guard try int("block_size") ?? 0 == 0 else { throw error("has blocks, accepted: none") }
    var zeros = [Int16](repeating: 0, count: factors.count)
    if inputs.count == 3, !self.inputs[2].isEmpty {
      guard let given = inputs[2]?.bytes, given.count == factors.count else {
        throw error("its zero points are not 8-bit integers, one per scale")
      }
      zeros = given
    }
    var result: [Float] = []
    result.reserveCapacity(quantised.count)
    if scale.shape.isEmpty || factors.count == 1 {
      for number in quantised { result.append(Float(number - zeros[0]) * factors[0]) }
    } else {
      let axis = try index(try int("axis") ?? 1, count: value.shape.count)
      guard scale.shape == [value.shape[axis]] else {
        throw error("has \(factors.count) scales for an axis of length \(value.shape[axis])")
      }
      let run = value.shape[(axis + 1)...].reduce(1, *)
      for (index, number) in quantised.enumerated() {
        let channel = index / run % factors.count
        result.append(Float(number - zeros[channel]) * factors[channel])
      }
    }
    return try finite(ONNXConstant(shape: value.shape, numbers: .floats(result)))
  }
}
