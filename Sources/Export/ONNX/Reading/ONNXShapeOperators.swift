/// `Reshape`, `Flatten`, `Squeeze` and `Unsqueeze`, which change a shape and leave the numbers
/// alone.
///
/// One implementation serves two kinds of value. All lengths of a constant are known. In a value
/// that depends on the graph's input, the first axis is the batch, which must stay first, and
/// lengths that are unknown before the network runs are nil.
extension ONNXModel.Node {
  /// The shape that this node gives to its first input.
  ///
  /// - Parameters:
  ///   - shape: lengths of the input's axes.
  ///   - inputs: the node's constant inputs, by position.
  ///   - hasBatch: whether the first axis is the batch.
  /// - Precondition: the operator is one of the four.
  func newShape(
    of shape: [Int?], _ inputs: [ONNXConstant?], hasBatch: Bool
  ) throws(ONNXError) -> [Int?] {
    switch operatorType {
    case "Reshape":
      guard case .ints(let target)? = inputs[1]?.numbers, inputs[1]?.shape.count == 1,
        target.count <= 8
      else { throw error("the new shape is not a known list of up to 8 integers") }
      return try reshaped(shape, to: target, hasBatch: hasBatch)
    case "Flatten":
      let axis = try index(try int("axis") ?? 1, count: shape.count + 1)
      guard !hasBatch || axis == 1 else { throw error("flattens at axis \(axis), accepted: 1") }
      return [elementCount(shape[..<axis]), elementCount(shape[axis...])]
    case "Squeeze":
      let first = hasBatch ? 1 : 0
      let axes =
        try axes(inputs, rank: shape.count)
        ?? shape.indices.filter { $0 >= first && shape[$0] == 1 }
      for axis in axes where axis < first || shape[axis] ?? 1 != 1 {
        throw error("removes axis \(axis), which is not of length 1")
      }
      return shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    default:
      guard let added = try axes(inputs, rank: nil) else {
        throw error("does not say which axes to add")
      }
      let rank = shape.count + added.count
      guard rank <= 8 else { throw error("adds \(added.count) axes to \(shape.count)") }
      var places: Set<Int> = []
      for axis in added { places.insert(try index(Int64(axis), count: rank)) }
      guard places.count == added.count, !hasBatch || !places.contains(0) else {
        throw error(
          "adds axes \(added), accepted: distinct ones\(hasBatch ? " after the batch" : "")")
      }
      var rest = shape[...]
      return (0..<rank).map { places.contains($0) ? 1 : rest.removeFirst() }
    }
  }

  /// `Reshape`: 0 copies a length (unless `allowzero` is set), −1 stands for whatever is left.
  private func reshaped(
    _ shape: [Int?], to target: [Int64?], hasBatch: Bool
  ) throws(ONNXError) -> [Int?] {
    let copiesZero = try int("allowzero") ?? 0 == 0
    let accepted: ClosedRange<Int64> = (hasBatch ? 1 : 0)...1 << 24
    var result: [Int?] = []
    var inferred: Int?
    for (axis, length) in target.enumerated() {
      switch length {
      case nil:
        // Only the batch gives lengths that no constant knows.
        guard hasBatch, axis == 0 else { throw error("axis \(axis) has an unknown length") }
        result.append(shape[0])
      case 0 where copiesZero:
        guard axis < shape.count else { throw error("copies axis \(axis), which does not exist") }
        result.append(shape[axis])
      case -1:
        guard inferred == nil else { throw error("the new shape has two lengths of -1") }
        inferred = axis
        result.append(nil)
      case let length?:
        guard accepted.contains(length) else {
          throw error("the new shape has a length of \(length)")
        }
        result.append(Int(length))
      }
    }
    if hasBatch {
      guard !result.isEmpty else { throw error("the new shape has no axes") }
      // If the lengths after the batch match, as checked below, an inferred batch is the old one.
      if inferred == 0 { result[0] = shape[0] }
      guard result[0] == shape[0] else { throw error("mixes the batch with other axes") }
    }
    // What follows the batch must hold as many numbers as before; one unknown length is the
    // quotient.
    let first = hasBatch ? 1 : 0
    let unknown = result.indices.filter { $0 >= first && result[$0] == nil }
    let known = elementCount(result[first...].filter { $0 != nil })!
    guard let count = elementCount(shape[first...]) else {
      return result
    }
    if let axis = unknown.first {
      guard unknown.count == 1, known > 0, count % known == 0 else {
        throw error("\(count) numbers do not fill shape \(describedShape(result))")
      }
      result[axis] = count / known
    } else if count != known {
      throw error("\(count) numbers do not fill shape \(describedShape(result))")
    }
    return result
  }
}

/// The product of lengths, `Int.max` if it is larger; nil if a length is unknown.
func elementCount(_ shape: some Sequence<Int?>) -> Int? {
  var count = 1
  for length in shape {
    guard let length else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: length)
    count = overflow ? .max : product
  }
  return count
}

/// A shape as error messages show it, `?` for an unknown length.
func describedShape(_ shape: [Int?]) -> String {
  "[\(shape.map { $0.map { "\($0)" } ?? "?" }.joined(separator: ", "))]"
}
