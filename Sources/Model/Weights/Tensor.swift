/// A row-major block of float32 numbers with its shape.
public struct Tensor: Sendable {
  /// Length of each axis, outermost first; empty for a scalar.
  public let shape: [Int]
  private var storage: Storage

  /// Weights that are read to be packed for an engine would otherwise be widened into memory that is
  /// read once, and fetching that memory takes longer than packing.
  private enum Storage: Sendable {
    case floats([Float])
    /// As a file has them: F32, F16 or BF16.
    case stored(StoredTensor)
  }

  /// The numbers, the last axis running fastest.
  ///
  /// - Complexity: O(1); O(count) for each reading of a tensor that came from a file and was not
  ///   changed since, so keep what you have read.
  public var values: [Float] {
    get {
      switch storage {
      case .floats(let floats): floats
      case .stored(let tensor): tensor.widened(0..<tensor.count)
      }
    }
    // A getter and a setter would copy the numbers for each change in place.
    _modify {
      var floats = values
      storage = .floats([])
      defer { storage = .floats(floats) }
      yield &floats
    }
  }

  /// - Precondition: the product of `shape` is the number of values.
  public init(shape: [Int], values: [Float]) {
    precondition(
      shape.reduce(1, *) == values.count, "\(values.count) values do not fill shape \(shape)")
    self.shape = shape
    storage = .floats(values)
  }

  /// The numbers of an F32, F16 or BF16 tensor, exactly. They stay in the file's memory.
  ///
  /// - Parameter name: what an error calls the tensor.
  /// - Throws: ``WeightsError/type(tensor:found:accepted:)`` for any other type.
  package init(_ stored: StoredTensor, name: String) throws(WeightsError) {
    try stored.checkHoldsFloats(name: name)
    shape = stored.shape
    storage = .stored(stored)
  }

  /// Zeros of the given shape.
  public init(zeros shape: [Int]) {
    self.init(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
  }

  /// Some of the numbers.
  package func values(_ range: Range<Int>) -> ArraySlice<Float> {
    switch storage {
    case .floats(let floats): floats[range]
    case .stored(let tensor): tensor.widened(range)[...]
    }
  }

  /// Where the first value stands that is infinite or not a number.
  package var firstNonFinite: Int? {
    switch storage {
    case .floats(let floats): BollyGANModel.firstNonFinite(floats[...])
    case .stored(let tensor): tensor.firstNonFinite
    }
  }
}

extension Tensor: Equatable {
  /// Whether shapes and numbers are equal, wherever they lie.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape && a.values == b.values
  }
}
