import BollyGANCompute

/// Spectral normalisation of one kernel, in the order in which the loops read weights:
/// `[coarseChannels, 4, 4, fineStride]`, so `[rows, columns]` as a matrix, with zeros where a column
/// only fills up.
///
/// A row's sums are in order and a column's too, each in float64, so the thread count changes
/// nothing.
final class FastSpectral {
  /// The kernel divided by its largest singular value.
  let kernel: FloatBuffer
  private let rows: Int
  private let columns: Int
  private var left: [Float]
  private var right: [Float]
  private var value: Float = 1
  private let workers: Workers

  init(link: StridedLink, workers: Workers) {
    rows = link.coarseChannels
    columns = link.weightStride
    kernel = FloatBuffer(count: link.weightCount)
    left = []
    right = [Float](repeating: 0, count: columns)
    self.workers = workers
  }

  /// Begins with a new kernel.
  func begin(_ weight: FloatBuffer) {
    left = SpectralVectors.beginning(count: rows).map { Float($0) }
    for _ in 0..<SpectralVectors.firstRounds { iterate(weight) }
  }

  /// One round of power iteration.
  func iterate(_ weight: FloatBuffer) {
    let chunk = 256
    let chunks = (columns + chunk - 1) / chunk
    let sums = FloatBuffer(count: columns)
    workers.run(chunks) { task, _ in
      let range = task * chunk..<min((task + 1) * chunk, columns)
      let weights = unsafe Span(_unsafeStart: weight.base, count: weight.count)
      var total = [Double](repeating: 0, count: range.count)
      for row in 0..<rows {
        let factor = Double(left[row])
        for (place, column) in range.enumerated() {
          total[place] += factor * Double(weights[row * columns + column])
        }
      }
      for (place, column) in range.enumerated() {
        unsafe sums.base[column] = Float(total[place])
      }
    }
    right = Self.unit(sums.array)
    left = Self.unit(timesRight(weight))
  }

  /// Divides the kernel, by the vectors as they are.
  func normalise(_ weight: FloatBuffer) {
    value = zip(left, timesRight(weight)).reduce(0) { $0 + $1.0 * $1.1 }
    eachRow(of: weight, into: kernel) { _, _, number in number / value }
  }

  /// Turns the gradient to the divided kernel into that to the kernel itself
  /// (``PlainSpectral/backward(_:kernel:)``).
  func backward(_ gradient: FloatBuffer) {
    let parts = FloatBuffer(count: rows)
    workers.run(rows) { row, _ in
      let numbers = unsafe Span(_unsafeStart: gradient.base + row * columns, count: columns)
      let weights = unsafe Span(_unsafeStart: kernel.base + row * columns, count: columns)
      var sum = 0.0
      for column in 0..<columns { sum += Double(numbers[column]) * Double(weights[column]) }
      unsafe parts.base[row] = Float(sum)
    }
    let along = Float(parts.array.reduce(0) { $0 + Double($1) })
    eachRow(of: gradient, into: gradient) { row, column, number in
      (number - along * left[row] * right[column]) / value
    }
  }

  /// The vectors, `right` in the order of `[fineChannels, 4, 4]`.
  func vectors(_ link: StridedLink) -> SpectralVectors {
    let stride = link.fineStride
    return SpectralVectors(
      left: left,
      right: (0..<link.fineChannels).flatMap { channel in
        (0..<16).map { right[$0 * stride + channel] }
      })
  }

  func load(_ vectors: SpectralVectors, _ link: StridedLink) {
    left = vectors.left
    right = [Float](repeating: 0, count: columns)
    for channel in 0..<link.fineChannels {
      for tap in 0..<16 {
        right[tap * link.fineStride + channel] = vectors.right[channel * 16 + tap]
      }
    }
  }

  private func timesRight(_ weight: FloatBuffer) -> [Float] {
    let sums = FloatBuffer(count: rows)
    workers.run(rows) { row, _ in
      let weights = unsafe Span(_unsafeStart: weight.base + row * columns, count: columns)
      var sum = 0.0
      for column in 0..<columns { sum += Double(weights[column]) * Double(right[column]) }
      unsafe sums.base[row] = Float(sum)
    }
    return sums.array
  }

  private func eachRow(
    of source: FloatBuffer, into target: FloatBuffer,
    _ body: (_ row: Int, _ column: Int, _ number: Float) -> Float
  ) {
    workers.run(rows) { row, _ in
      let from = unsafe Span(_unsafeStart: source.base + row * columns, count: columns)
      var to = unsafe MutableSpan(_unsafeStart: target.base + row * columns, count: columns)
      for column in 0..<columns { to[column] = body(row, column, from[column]) }
    }
  }

  private static func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    return vector.map { $0 / Float(max(length, SpectralVectors.leastLength)) }
  }
}
