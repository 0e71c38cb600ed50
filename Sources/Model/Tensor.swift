/// A row-major block of float32 numbers with its shape.
public struct Tensor: Equatable, Sendable {
  /// Length of each axis, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The numbers, the last axis running fastest.
  public var values: [Float]

  /// - Precondition: the product of `shape` is the number of values.
  public init(shape: [Int], values: [Float]) {
    precondition(
      shape.reduce(1, *) == values.count, "\(values.count) values do not fill shape \(shape)")
    self.shape = shape
    self.values = values
  }

  /// Zeros of the given shape.
  public init(zeros shape: [Int]) {
    self.init(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
  }
}
