/// Spectral normalisation of one kernel, `[rows, columns]` as a matrix.
package struct PlainSpectral<Scalar: BinaryFloatingPoint & Sendable>: Equatable, Sendable {
  package var left: [Scalar]
  package var right: [Scalar]

  /// The vectors of a new kernel.
  package init(rows: Int, kernel: [Scalar]) {
    left = SpectralVectors.beginning(count: rows).map { Scalar($0) }
    right = []
    for _ in 0..<SpectralVectors.firstRounds { iterate(kernel) }
  }

  package init(_ vectors: SpectralVectors) {
    left = vectors.left.map { Scalar($0) }
    right = vectors.right.map { Scalar($0) }
  }

  /// Rounded to float32.
  package var vectors: SpectralVectors {
    SpectralVectors(left: left.map { Float($0) }, right: right.map { Float($0) })
  }

  /// One round of power iteration.
  package mutating func iterate(_ kernel: [Scalar]) {
    let columns = kernel.count / left.count
    var product = [Scalar](repeating: 0, count: columns)
    addProduct(left, kernel, to: &product, rows: 1, depth: left.count, columns: columns)
    right = Self.unit(product)
    left = Self.unit(timesRight(kernel))
  }

  /// The largest singular value, as the vectors tell it.
  package func value(_ kernel: [Scalar]) -> Scalar {
    zip(left, timesRight(kernel)).reduce(0) { $0 + $1.0 * $1.1 }
  }

  package func normalised(_ kernel: [Scalar]) -> [Scalar] {
    let value = value(kernel)
    return kernel.map { $0 / value }
  }

  /// The gradient to the kernel from that to the normalised one. The vectors count as constants: the
  /// singular value's gradient is `left` `right`ᵀ.
  package func backward(_ gradient: [Scalar], kernel: [Scalar]) -> [Scalar] {
    let value = value(kernel)
    let columns = right.count
    let along =
      zip(gradient, kernel).reduce(0) { $0 + Double($1.0) * Double($1.1) } / Double(value)
    return gradient.indices.map {
      (gradient[$0] - Scalar(along) * left[$0 / columns] * right[$0 % columns]) / value
    }
  }

  private func timesRight(_ kernel: [Scalar]) -> [Scalar] {
    left.indices.map { row in
      var sum: Scalar = 0
      for column in right.indices { sum += kernel[row * right.count + column] * right[column] }
      return sum
    }
  }

  private static func unit(_ vector: [Scalar]) -> [Scalar] {
    let length = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    return vector.map { $0 / Scalar(max(length, SpectralVectors.leastLength)) }
  }
}
