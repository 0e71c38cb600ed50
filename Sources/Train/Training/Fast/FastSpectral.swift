import BollyGANCompute

/// Spectral normalisation of one kernel (see ``SpectralVectors``), in the order in which the loops
/// read weights.
///
/// The kernel is a matrix `[coarseChannels, 16 · fineStride]`, `[rows, columns]` below, with zeros
/// in the columns that pad the fine channels. Each row's sum and each column's sum is computed in
/// order, in float64, so results do not depend on the number of threads.
final class FastSpectral {
  /// The kernel divided by its largest singular value.
  let kernel: FloatBuffer
  private let link: StridedLink
  private let rows: Int
  private let columns: Int
  private var left: [Float]
  private var right: [Float]
  /// The largest singular value.
  private var value: Float = 1
  private let workers: Workers

  init(link: StridedLink, workers: Workers) {
    self.link = link
    rows = link.coarseChannels
    columns = link.weightStride
    kernel = FloatBuffer(count: link.weightCount)
    left = []
    right = [Float](repeating: 0, count: columns)
    self.workers = workers
  }

  /// Estimates the vectors of a new kernel.
  func begin(_ weight: FloatBuffer) {
    left = SpectralVectors.beginning(count: rows).map { Float($0) }
    for _ in 0..<SpectralVectors.firstRounds { iterate(weight) }
  }

  /// One round of power iteration.
  func iterate(_ weight: FloatBuffer) {
    // Columns of one task: a row's part of them is contiguous, 1 KiB.
    let chunk = 256
    let sums = FloatBuffer(count: columns)
    workers.run((columns + chunk - 1) / chunk) { task, _ in
      let range = task * chunk..<min((task + 1) * chunk, columns)
      weight.read(0..<weight.count) { weights in
        var total = [Double](repeating: 0, count: range.count)
        for row in 0..<rows {
          let factor = Double(left[row])
          for (place, column) in range.enumerated() {
            total[place] += factor * Double(weights[row * columns + column])
          }
        }
        sums.write(range) { sums in
          for place in sums.indices { sums[place] = Float(total[place]) }
        }
      }
    }
    right = Self.unit(sums.array)
    left = Self.unit(timesRight(weight))
  }

  /// Divides the kernel by its largest singular value, as the current vectors estimate it.
  func normalise(_ weight: FloatBuffer) {
    value = zip(left, timesRight(weight)).reduce(0) { $0 + $1.0 * $1.1 }
    eachRow(of: weight, into: kernel) { _, _, number in number / value }
  }

  /// Turns the gradient with respect to the divided kernel into the gradient with respect to the
  /// kernel (see ``PlainSpectral/backward(_:kernel:)``).
  func backward(_ gradient: FloatBuffer) {
    let parts = workers.map(rows) { row in
      gradient.read(range(row)) { numbers in
        kernel.read(range(row)) { weights in
          var sum = 0.0
          for column in 0..<columns { sum += Double(numbers[column]) * Double(weights[column]) }
          return Float(sum)
        }
      }
    }
    let along = Float(parts.reduce(0) { $0 + Double($1) })
    eachRow(of: gradient, into: gradient) { row, column, number in
      (number - along * left[row] * right[column]) / value
    }
  }

  /// The current vectors, `right` in the order of `[fineChannels, 4, 4]`.
  var vectors: SpectralVectors {
    SpectralVectors(
      left: left,
      right: (0..<link.fineChannels).flatMap { channel in
        (0..<16).map { right[$0 * link.fineStride + channel] }
      })
  }

  /// Loads vectors that ``vectors`` returned.
  func load(_ vectors: SpectralVectors) {
    left = vectors.left
    right = [Float](repeating: 0, count: columns)
    for channel in 0..<link.fineChannels {
      for tap in 0..<16 {
        right[tap * link.fineStride + channel] = vectors.right[channel * 16 + tap]
      }
    }
  }

  private func range(_ row: Int) -> Range<Int> { row * columns..<(row + 1) * columns }

  private func timesRight(_ weight: FloatBuffer) -> [Float] {
    workers.map(rows) { row in
      weight.read(range(row)) { weights in
        var sum = 0.0
        for column in 0..<columns { sum += Double(weights[column]) * Double(right[column]) }
        return Float(sum)
      }
    }
  }

  private func eachRow(
    of source: FloatBuffer, into target: FloatBuffer,
    _ body: (_ row: Int, _ column: Int, _ number: Float) -> Float
  ) {
    workers.run(rows) { row, _ in
      source.read(range(row)) { from in
        target.write(range(row)) { to in
          for column in 0..<columns { to[column] = body(row, column, from[column]) }
        }
      }
    }
  }

  private static func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    return vector.map { $0 / Float(max(length, SpectralVectors.leastLength)) }
  }
}
