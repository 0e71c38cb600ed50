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
          var k = 0
          // Four terms at a time: a sum is then read and written once for four products.
          while k + 4 <= depth {
            let (w0, w1) = unsafe (a[row * depth + k], a[row * depth + k + 1])
            let (w2, w3) = unsafe (a[row * depth + k + 2], a[row * depth + k + 3])
            let start = k * columns
            for column in start..<start + columns {
              unsafe out[row * columns + column - start] +=
                w0 * b[column] + w1 * b[column + columns]
                + (w2 * b[column + 2 * columns] + w3 * b[column + 3 * columns])
            }
            k += 4
          }
          while k < depth {
            let w = unsafe a[row * depth + k]
            for column in 0..<columns {
              unsafe out[row * columns + column] += w * b[k * columns + column]
            }
            k += 1
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
