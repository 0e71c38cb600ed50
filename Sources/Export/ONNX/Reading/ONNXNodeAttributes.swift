import BollyGANModel

/// Attributes by name, each of the type that it must have; nil if the node does not set it.
extension ONNXModel.Node {
  private func value(_ name: String) -> ONNXModel.Attribute.Value? {
    attributes.first { $0.name == name }?.value
  }

  func int(_ name: String) throws(ONNXError) -> Int64? {
    switch value(name) {
    case nil: return nil
    case .int(let value): return value
    default: throw error("\(name) is not an integer")
    }
  }

  func float(_ name: String) throws(ONNXError) -> Float? {
    switch value(name) {
    case nil: return nil
    case .float(let value):
      guard value.isFinite else { throw error("\(name) is \(value)") }
      return value
    default: throw error("\(name) is not a number")
    }
  }

  func ints(_ name: String) throws(ONNXError) -> [Int64]? {
    switch value(name) {
    case nil: return nil
    case .ints(let values): return values
    default: throw error("\(name) is not a list of integers")
    }
  }

  func text(_ name: String) throws(ONNXError) -> String? {
    switch value(name) {
    case nil: return nil
    case .string(let bytes): return String(decoding: bytes, as: UTF8.self)
    default: throw error("\(name) is not text")
    }
  }

  /// The value of a `Constant` node.
  func constant() throws(ONNXError) -> ONNXConstant {
    guard attributes.count == 1 else { throw error("a constant has exactly one value") }
    switch attributes[0].value {
    case .tensor(let tensor): return try ONNXConstant(tensor)
    case .float(let value): return try finite(ONNXConstant(shape: [], numbers: .floats([value])))
    case .floats(let values):
      return try finite(ONNXConstant(shape: [values.count], numbers: .floats(values)))
    case .int(let value): return ONNXConstant(shape: [], numbers: .ints([value]))
    case .ints(let values): return ONNXConstant(shape: [values.count], numbers: .ints(values))
    case .string, .strings: throw error("text is not supported")
    }
  }

  /// The element type that a `Cast` converts to.
  func elementType() throws(ONNXError) -> ONNXModel.ElementType {
    let number = try int("to") ?? 0
    guard let type = Int32(exactly: number).flatMap({ ONNXModel.ElementType(rawValue: $0) }) else {
      throw error("casts to unknown type \(number)")
    }
    return type
  }

  /// The order of axes that a `Transpose` asks for.
  func permutation(rank: Int) throws(ONNXError) -> [Int] {
    guard let stated = try ints("perm") else { return (0..<rank).reversed() }
    guard stated.sorted() == (0..<rank).map(Int64.init) else {
      throw error("perm \(stated) does not permute \(rank) axes")
    }
    return stated.map { Int($0) }
  }

  /// The axes that a node names, as an attribute or (from operator set 13 on) as an input; nil if
  /// it names none.
  ///
  /// - Parameter rank: counts negative axes from the end of this many; nil leaves them negative.
  func axes(_ inputs: [ONNXConstant?], rank: Int?) throws(ONNXError) -> [Int]? {
    var stated = try ints("axes")
    if inputs.count > 1, !self.inputs[1].isEmpty {
      guard stated == nil, let axes = inputs[1]?.ints else {
        throw error("its axes are not a constant list of integers")
      }
      stated = axes
    }
    guard let stated else { return nil }
    guard stated.count <= 8 else { throw error("names \(stated.count) axes") }
    var result: [Int] = []
    for axis in stated {
      if let rank {
        result.append(try index(axis, count: rank))
      } else {
        guard (-8...8).contains(axis) else { throw error("names axis \(axis)") }
        result.append(Int(axis))
      }
    }
    guard Set(result).count == result.count else { throw error("names an axis twice") }
    return result
  }

  /// An axis or index, counted from the front; negative ones count from the end.
  func index(_ index: Int64, count: Int) throws(ONNXError) -> Int {
    guard Int64(-count) <= index, index < Int64(count) else {
      throw error("axis or index \(index) is not within \(count)")
    }
    return Int(index < 0 ? index + Int64(count) : index)
  }

  /// The axes that a `Shape` node returns the lengths of.
  func shapeRange(rank: Int) throws(ONNXError) -> Range<Int> {
    clampedRange(from: try int("start") ?? 0, to: try int("end") ?? Int64(rank), count: rank)
  }

  /// A range of a list; negative ends count from the end of the list, and both are clamped to it.
  func clampedRange(from start: Int64, to end: Int64, count: Int) -> Range<Int> {
    func clamped(_ place: Int64) -> Int {
      // A negative number plus a length cannot overflow.
      Int(max(0, min(Int64(count), place < 0 ? place + Int64(count) : place)))
    }
    return clamped(start)..<max(clamped(start), clamped(end))
  }

  /// The constant itself if all its numbers are finite.
  func finite(_ constant: ONNXConstant) throws(ONNXError) -> ONNXConstant {
    if case .floats(let values) = constant.numbers, !values.allSatisfy(\.isFinite) {
      throw error("a number is not finite")
    }
    return constant
  }

  /// An error that names this node, or its output if the node has no name.
  func error(_ reason: String) -> ONNXError {
    .node(
      name: name.isEmpty ? outputs.first ?? "" : name, operatorType: operatorType, reason: reason)
  }
}
