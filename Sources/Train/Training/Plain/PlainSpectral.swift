/// Spectral normalisation of one kernel, as a matrix `[rows, columns]` (see ``SpectralVectors``).
package struct PlainSpectral<Scalar: BinaryFloatingPoint & Sendable>: Equatable, Sendable {
  package var left: [Scalar]
  package var right: [Scalar]

  /// Estimates the vectors of a new kernel.
  package init(rows: Int, kernel: [Scalar]) {
    left = SpectralVectors.beginning(count: rows).map { Scalar($0) }
    right = []
    for _ in 0..<SpectralVectors.firstRounds { iterate(kernel) }
  }

  /// Widens vectors to `Scalar`.
  package init(_ vectors: SpectralVectors) {
    left = vectors.left.map { Scalar($0) }
    right = vectors.right.map { Scalar($0) }
  }

  /// The vectors rounded to float32.
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

  /// The largest singular value, as the vectors estimate it.
  package func value(_ kernel: [Scalar]) -> Scalar {
    zip(left, timesRight(kernel)).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The kernel divided by its largest singular value.
  package func normalised(_ kernel: [Scalar]) -> [Scalar] {
    let value = value(kernel)
    return kernel.map { $0 / value }
  }

  /// The gradient with respect to the kernel, from the gradient with respect to the divided one.
  ///
  /// The vectors count as constants, so the gradient of the singular value σ is `left` · `right`ᵀ.
  /// With W the kernel and g the given gradient, the result is
  /// (g − ⟨g, W⟩ / σ · `left` · `right`ᵀ) / σ.
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
