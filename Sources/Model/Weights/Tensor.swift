/// A row-major array of float32 numbers and its shape.
public struct Tensor: Sendable {
  /// The length of each axis, outermost first; empty for a scalar.
  public let shape: [Int]
  private var storage: Storage

  /// The numbers, or their encoding in a file.
  ///
  /// An engine packs weights straight from the encoding. Converting them to an array first would
  /// take longer than packing, because it touches new memory that is read only once.
  private enum Storage: Sendable {
    case floats([Float])
    /// F32, F16 or BF16.
    case stored(StoredTensor)
  }

  /// The numbers, the last axis varying fastest.
  ///
  /// - Complexity: O(1), but O(count) on every access to a tensor that was read from a file and
  ///   has not been modified since. Keep the result.
  public var values: [Float] {
    get {
      switch storage {
      case .floats(let floats): floats
      case .stored(let tensor): tensor.widened(0..<tensor.count)
      }
    }
    // Unlike a getter and a setter, this modifies the numbers in place.
    _modify {
      var floats = values
      storage = .floats([])
      defer { storage = .floats(floats) }
      yield &floats
    }
  }

  /// A tensor of the given numbers.
  ///
  /// - Precondition: The product of `shape` is the number of values.
  public init(shape: [Int], values: [Float]) {
    precondition(
      shape.reduce(1, *) == values.count, "\(values.count) values do not fill shape \(shape)")
    self.shape = shape
    storage = .floats(values)
  }

  /// The numbers of an F32, F16 or BF16 tensor, converted exactly and only when needed.
  ///
  /// - Parameter name: The name of the tensor in errors.
  /// - Throws: ``WeightsError/type(tensor:found:accepted:)`` for any other type.
  package init(_ stored: StoredTensor, name: String) throws(WeightsError) {
    try stored.checkHoldsFloats(name: name)
    shape = stored.shape
    storage = .stored(stored)
  }

  /// A tensor of zeros.
  public init(zeros shape: [Int]) {
    self.init(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
  }

  /// A range of the numbers.
  package func values(_ range: Range<Int>) -> ArraySlice<Float> {
    switch storage {
    case .floats(let floats): floats[range]
    case .stored(let tensor): tensor.widened(range)[...]
    }
  }

  /// The index of the first infinity or NaN.
  package var firstNonFinite: Int? {
    switch storage {
    case .floats(let floats): BollyGANModel.firstNonFinite(floats[...])
    case .stored(let tensor): tensor.firstNonFinite
    }
  }
}

extension Tensor: Equatable {
  /// Whether shapes and numbers are equal, however they are stored.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape && a.values == b.values
  }
}
