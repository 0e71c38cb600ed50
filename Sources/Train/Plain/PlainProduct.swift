/// `out += a · b` with `a` `[rows, depth]`, `b` `[depth, columns]` and `out` `[rows, columns]`, all
/// row-major.
///
/// - Complexity: rows · depth · columns multiply-adds.
package func addProduct<Scalar: BinaryFloatingPoint>(
  _ a: [Scalar], _ b: [Scalar], to out: inout [Scalar], rows: Int, depth: Int, columns: Int
) {
  precondition(a.count == rows * depth && b.count == depth * columns)
  precondition(out.count == rows * columns)
  // Pointers, because bounds checks keep the compiler from turning the inner loop into vectors.
  unsafe a.withUnsafeBufferPointer { a in
    unsafe b.withUnsafeBufferPointer { b in
      unsafe out.withUnsafeMutableBufferPointer { out in
        for row in 0..<rows {
          for k in 0..<depth {
            let factor = unsafe a[row * depth + k]
            for column in 0..<columns {
              unsafe out[row * columns + column] += factor * b[k * columns + column]
            }
          }
        }
      }
    }
  }
}

/// The `[columns, rows]` matrix of a `[rows, columns]` one.
package func transposed<Scalar>(_ matrix: [Scalar], rows: Int, columns: Int) -> [Scalar] {
  precondition(matrix.count == rows * columns)
  var result: [Scalar] = []
  result.reserveCapacity(matrix.count)
  for column in 0..<columns {
    for row in 0..<rows { result.append(matrix[row * columns + column]) }
  }
  return result
}
