import BollyGANKernels
import Testing

/// The product of a tile of rows and a panel, on random numbers.
private struct RowsProduct {
  /// What sums start from, and whether they are rectified.
  enum Start: CaseIterable { case zero, bias, before, rectifiedBias, leakyBias }

  typealias Loop =
    @convention(c) (
      Int, UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<bg_tile>?
    ) -> Void

  let level: Level
  let depth: Int
  let rows: Int
  private let width: Int
  private let left: [Float]
  private let panel: [Float]
  private let bias: [Float]

  init(level: Level, depth: Int) {
    self.level = level
    self.depth = depth
    rows = Int(level.kernels.rows)
    width = Int(level.kernels.columns)
    var numbers = Numbers(state: UInt64(depth))
    left = numbers.floats(rows * Int(BG_ROW_STRIDE))
    panel = numbers.floats(depth * width)
    bias = numbers.floats(width)
  }

  var kernels: bg_kernels { level.kernels }

  /// Numbers of columns to compute.
  var widths: [Int] { [1, width / 2, width - 1, width] }

  /// Each output's exact sum, in float64, and its error. Checks that no memory beside them is
  /// written.
  @unsafe func outputs(by loop: Loop, count: Int, columns: Int, start: Start) -> [(
    exact: Double, error: Double
  )] {
    let isRectified = start == .rectifiedBias || start == .leakyBias
    let hasBias = start == .bias || isRectified
    let slope: Float = start == .leakyBias ? 0.2 : 0
    let pitch = width + 3
    var out = [Float](repeating: canary, count: rows * pitch)
    for row in 0..<count {
      for column in 0..<columns { out[row * pitch + column] = Float(row - column) / 8 }
    }
    let before = out
    unsafe out.withUnsafeMutableBufferPointer { out in
      unsafe bias.withUnsafeBufferPointer { bias in
        let targets: [UnsafeMutablePointer<Float>?] = unsafe (0..<count).map {
          unsafe out.baseAddress! + $0 * pitch
        }
        unsafe targets.withUnsafeBufferPointer { targets in
          var tile = unsafe bg_tile(
            rows: targets.baseAddress!, count: count, columns: columns,
            bias: hasBias ? bias.baseAddress : nil, accumulate: start == .before ? 1 : 0,
            rectify: isRectified ? 1 : 0, slope: slope)
          unsafe loop(depth, left, panel, &tile)
        }
      }
    }
    return out.indices.compactMap { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: pitch)
      guard row < count, column < columns else {
        #expect(out[index] == canary)
        return nil
      }
      var sum = hasBias ? Double(bias[column]) : start == .before ? Double(before[index]) : 0
      for k in 0..<depth {
        sum += Double(left[row * Int(BG_ROW_STRIDE) + k]) * Double(panel[k * width + column])
      }
      if isRectified { sum = max(0, sum) + Double(slope) * min(0, sum) }
      return (sum, abs(sum - Double(out[index])))
    }
  }
}

@Suite("Products of a register tile")
struct ProductTests {
  /// Depths around common factors of unrolling, and the largest block.
  static let depths = [1, 2, 3, 15, 16, 17, 64, 1023, 1024]

  @Test(
    "a product of rows is the plain sum, and writes nothing outside of the tile",
    arguments: Level.available, depths)
  func rows(level: Level, depth: Int) {
    let product = RowsProduct(level: level, depth: depth)
    for count in 1...product.rows {
      for columns in product.widths {
        for start in RowsProduct.Start.allCases {
          let outputs = unsafe product.outputs(
            by: product.kernels.multiply_rows, count: count, columns: columns, start: start)
          #expect(outputs.allSatisfy { $0.error <= sumBound(depth) })
        }
      }
    }
  }

  // Each of `depth` additions rounds a partial sum below 4 by at most 2^-23, on average 2^-23 / √3.
  // The bound is four times that for their sum, plus half a unit in the last place for the result.
  @Test(
    "sums in float64 have a third of the error, and write nothing outside of the tile",
    arguments: Level.available, depths)
  func rowsInFloat64(level: Level, depth: Int) {
    let product = RowsProduct(level: level, depth: depth)
    var (squares, plainSquares) = (0.0, 0.0)
    for count in [1, 2, product.rows - 1, product.rows] {
      for columns in product.widths {
        for start in [RowsProduct.Start.zero, .bias, .before] {
          let outputs = unsafe product.outputs(
            by: product.kernels.multiply_rows_float64, count: count, columns: columns,
            start: start)
          #expect(
            outputs.allSatisfy {
              $0.error <= 0x1p-24 * abs($0.exact) + Double(depth).squareRoot() * 0x1p-21
            })
          squares += outputs.reduce(0) { $0 + $1.error * $1.error }
          plainSquares += unsafe product.outputs(
            by: product.kernels.multiply_rows, count: count, columns: columns, start: start
          ).reduce(0) { $0 + $1.error * $1.error }
        }
      }
    }
    // Partial sums of 32 products have 1/32 of the squared error of one long sum, and rounding the
    // result adds to it. With partial sums of 128 products it would be 1/8.
    if depth >= 1023 { #expect(squares * 9 < plainSquares) }
  }

  @Test("a row has the same bits alone, with few others and with many", arguments: Level.available)
  func heights(level: Level) {
    let kernels = level.kernels
    let (tileRows, tileColumns, depth) = (Int(kernels.rows), Int(kernels.columns), 200)
    var numbers = Numbers(state: 5)
    let left = numbers.floats(tileRows * Int(BG_ROW_STRIDE))
    let panel = numbers.floats(depth * tileColumns)
    let bias = numbers.floats(tileColumns)
    func product(_ count: Int) -> [Float] {
      var out = [Float](repeating: canary, count: tileRows * tileColumns)
      unsafe out.withUnsafeMutableBufferPointer { out in
        let targets: [UnsafeMutablePointer<Float>?] = unsafe (0..<count).map {
          unsafe out.baseAddress! + $0 * tileColumns
        }
        unsafe targets.withUnsafeBufferPointer { targets in
          unsafe bias.withUnsafeBufferPointer { bias in
            var tile = unsafe bg_tile(
              rows: targets.baseAddress!, count: count, columns: tileColumns,
              bias: bias.baseAddress, accumulate: 0, rectify: 1, slope: 0.2)
            unsafe kernels.multiply_rows(depth, left, panel, &tile)
          }
        }
      }
      return Array(out.prefix(count * tileColumns))
    }
    let all = product(tileRows)
    for count in 1..<tileRows { #expect(product(count)[...] == all.prefix(count * tileColumns)) }
  }

  @Test(
    "a product of panels equals the product of the same numbers in rows, bit for bit",
    arguments: Level.available, depths)
  func panels(level: Level, depth: Int) {
    let kernels = level.kernels
    let (tileRows, tileColumns) = (Int(kernels.rows), Int(kernels.columns))
    var numbers = Numbers(state: UInt64(depth) + 99)
    let panel = numbers.floats(depth * tileColumns)
    let columnsFirst = numbers.floats(depth * tileRows)
    var rowsFirst = [Float](repeating: 0, count: tileRows * Int(BG_ROW_STRIDE))
    for k in 0..<depth {
      for row in 0..<tileRows {
        rowsFirst[row * Int(BG_ROW_STRIDE) + k] = columnsFirst[k * tileRows + row]
      }
    }
    func product(_ body: (UnsafePointer<bg_tile>) -> Void) -> [Float] {
      var out = [Float](repeating: 0.25, count: tileRows * tileColumns)
      unsafe out.withUnsafeMutableBufferPointer { out in
        let targets: [UnsafeMutablePointer<Float>?] = unsafe (0..<tileRows).map {
          unsafe out.baseAddress! + $0 * tileColumns
        }
        unsafe targets.withUnsafeBufferPointer { targets in
          var tile = unsafe bg_tile(
            rows: targets.baseAddress!, count: tileRows, columns: tileColumns, bias: nil,
            accumulate: 1, rectify: 0, slope: 0)
          unsafe body(&tile)
        }
      }
      return out
    }
    let byRows = unsafe product { unsafe kernels.multiply_rows(depth, rowsFirst, panel, $0) }
    let byPanels = unsafe product { unsafe kernels.multiply_panels(depth, columnsFirst, panel, $0) }
    #expect(byRows == byPanels)
  }
}
