// Products and transposes of row-major matrices, for the plain convolutions.

/// Adds a matrix product: `out += a · b` with `a` `[rows, depth]`, `b` `[depth, columns]` and `out`
/// `[rows, columns]`, all row-major.
///
/// - Complexity: rows · depth · columns multiply-adds.
package func addProduct<Scalar: BinaryFloatingPoint>(
  _ a: [Scalar], _ b: [Scalar], to out: inout [Scalar], rows: Int, depth: Int, columns: Int
) {
  precondition(a.count == rows * depth && b.count == depth * columns)
  precondition(out.count == rows * columns)
  guard rows > 0, depth > 0, columns > 0 else { return }
  // Pointers to rows, because checks of bounds and of index arithmetic keep the compiler from
  // vectorising the inner loops.
  unsafe a.withUnsafeBufferPointer { a in
    unsafe b.withUnsafeBufferPointer { b in
      unsafe out.withUnsafeMutableBufferPointer { out in
        for row in 0..<rows {
          let w = unsafe a.baseAddress! + row * depth
          let sum = unsafe out.baseAddress! + row * columns
          var k = 0
          // Four terms at a time, so that a sum is read and written once for four products.
          while k + 4 <= depth {
            let (w0, w1, w2, w3) = unsafe (w[k], w[k + 1], w[k + 2], w[k + 3])
            let b0 = unsafe b.baseAddress! + k * columns
            let (b1, b2) = unsafe (b0 + columns, b0 + 2 * columns)
            let b3 = unsafe b2 + columns
            for column in 0..<columns {
              unsafe sum[column] +=
                (w0 * b0[column] + w1 * b1[column]) + (w2 * b2[column] + w3 * b3[column])
            }
            k += 4
          }
          while k < depth {
            let w0 = unsafe w[k]
            let b0 = unsafe b.baseAddress! + k * columns
            for column in 0..<columns { unsafe sum[column] += w0 * b0[column] }
            k += 1
          }
        }
      }
    }
  }
}

/// The transpose `[columns, rows]` of a matrix `[rows, columns]`.
package func transposed<Scalar>(_ matrix: [Scalar], rows: Int, columns: Int) -> [Scalar] {
  precondition(matrix.count == rows * columns)
  var result: [Scalar] = []
  result.reserveCapacity(matrix.count)
  for column in 0..<columns {
    for row in 0..<rows { result.append(matrix[row * columns + column]) }
  }
  return result
}
