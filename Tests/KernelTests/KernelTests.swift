import BollyGANKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A level that this processor has.
struct Level: CustomTestStringConvertible, Sendable {
  let name: String
  var kernels: bg_kernels { unsafe bg_kernels_named(name)!.pointee }
  var testDescription: String { name }

  static let available = ["baseline", "avx2", "avx512", "neon"]
    .filter { (name: String) in unsafe bg_kernels_named(name) != nil }.map(Level.init)
}

/// Steele, Lea and Flood 2014, splitmix64: the same numbers on every machine.
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -1...1) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }
}

/// What stands where a kernel must not write.
private let canary: Float = 12345

/// A tile of rows times a panel, on random numbers.
private struct RowsProduct {
  /// What the sums start from, and whether they are rectified.
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
    rows = unsafe Int(level.kernels.rows)
    width = unsafe Int(level.kernels.columns)
    var numbers = Numbers(state: UInt64(depth))
    left = numbers.floats(rows * Int(BG_ROW_STRIDE))
    panel = numbers.floats(depth * width)
    bias = numbers.floats(width)
  }

  var kernels: bg_kernels { unsafe level.kernels }

  /// Numbers of columns to ask for.
  var widths: [Int] { [1, width / 2, width - 1, width] }

  /// Each output's sum in float64 and its error; checks that what lies beside them is left alone.
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

@Suite("Kernels")
struct KernelTests {
  /// Depths around the numbers that loops are unrolled by, and the largest block.
  static let depths = [1, 2, 3, 15, 16, 17, 64, 1023, 1024]

  @Test("there is a level, and unknown ones are not there")
  func levels() {
    #expect(!Level.available.isEmpty)
    #expect(unsafe bg_kernels_named("avx1024") == nil)
    #expect(unsafe bg_kernels_named("") == nil)
  }

  // n products of size at most 1, summed in float32 one after the other: each of the n additions
  // rounds a sum of at most n to 24 bits, and errors of random sign grow with their root.
  static func bound(_ depth: Int) -> Double { Double(depth).squareRoot() * 4 * 0x1p-24 * 8 }

  @Test(
    "a product of rows is the plain sum, and nothing beside the tile is touched",
    arguments: Level.available, depths)
  func rows(level: Level, depth: Int) {
    let product = RowsProduct(level: level, depth: depth)
    for count in 1...product.rows {
      for columns in product.widths {
        for start in RowsProduct.Start.allCases {
          let outputs = unsafe product.outputs(
            by: product.kernels.multiply_rows, count: count, columns: columns, start: start)
          #expect(outputs.allSatisfy { $0.error <= Self.bound(depth) })
        }
      }
    }
  }

  // Each of `depth` additions rounds a partial sum below 4, by 2^-23 at most and 2^-23 / √3 in the mean:
  // four times that for their sum, and half a unit of the last place for the result.
  @Test(
    "sums in float64 are three times nearer to the exact ones, and touch nothing beside the tile",
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
    // Squares of partial sums are 1/32 of those of one sum, and the result is rounded as well; with sums
    // of 128 in float32 it would be 1/8.
    if depth >= 1023 { #expect(squares * 9 < plainSquares) }
  }

  @Test("a row is the same bits alone, among few and among many", arguments: Level.available)
  func heights(level: Level) {
    let kernels = unsafe level.kernels
    let (tileRows, tileColumns, depth) = unsafe (Int(kernels.rows), Int(kernels.columns), 200)
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
    "a product of panels is the product of the same numbers in rows, bit for bit",
    arguments: Level.available, depths)
  func panels(level: Level, depth: Int) {
    let kernels = unsafe level.kernels
    let (tileRows, tileColumns) = unsafe (Int(kernels.rows), Int(kernels.columns))
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

  @Test("levels with fused multiply-add give equal bits")
  func equalBits() {
    let levels = Level.available.filter { unsafe $0.kernels.fused != 0 }
    var numbers = Numbers(state: 7)
    let values = numbers.floats(64 * 48, -3...3)
    let (scale, shift) = (numbers.floats(48), numbers.floats(48))
    let results = levels.map { level in
      let kernels = unsafe level.kernels
      var out = [Float](repeating: 0, count: values.count)
      unsafe kernels.normalise(64, 48, values, shift, scale, shift, 0.2, &out)
      var sums = [Float](repeating: 0, count: 48)
      unsafe kernels.channel_deviations(64, 48, values, shift, &sums)
      var curve = [Float](repeating: 0, count: values.count)
      unsafe kernels.tanh(values.count, values, &curve)
      return unsafe out + sums + curve + product(kernels, values)
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
  }

  /// A row of 64 numbers times a matrix `[64, 48]`, summed in float64.
  @unsafe private func product(_ kernels: bg_kernels, _ matrix: [Float]) -> [Float] {
    let width = Int(unsafe kernels.columns)
    let rows = [Float](
      repeating: 0.3, count: Int(unsafe kernels.rows) * Int(BG_ROW_STRIDE))
    var out = [Float](repeating: 0, count: 48 + width)
    for first in stride(from: 0, to: 48, by: width) {
      var panel = [Float](repeating: 0, count: 64 * width)
      for k in 0..<64 {
        for column in 0..<min(width, 48 - first) {
          panel[k * width + column] = matrix[k * 48 + first + column]
        }
      }
      unsafe out.withUnsafeMutableBufferPointer { out in
        let targets: [UnsafeMutablePointer<Float>?] = unsafe [out.baseAddress! + first]
        unsafe targets.withUnsafeBufferPointer { targets in
          var tile = unsafe bg_tile(
            rows: targets.baseAddress!, count: 1, columns: min(width, 48 - first), bias: nil,
            accumulate: 0, rectify: 0, slope: 0)
          unsafe kernels.multiply_rows_float64(64, rows, panel, &tile)
        }
      }
    }
    return Array(out.prefix(48))
  }

  @Test("tanh is within 2 ulp everywhere, odd, and 1 at the ends", arguments: Level.available)
  func hyperbolicTangent(level: Level) {
    let kernels = unsafe level.kernels
    // Every 1,009th float32 from 0 to 20, and the special ones.
    let bits = stride(from: Float(0).bitPattern, to: Float(20).bitPattern, by: 1009)
    var values = bits.map { Float(bitPattern: $0) }
    values += values.map { -$0 }
    values += [.infinity, -.infinity, 1e30, -1e30, .leastNonzeroMagnitude, 0.625]
    var out = [Float](repeating: 0, count: values.count)
    unsafe kernels.tanh(values.count, values, &out)
    var worst = 0.0
    for (x, y) in zip(values, out) {
      let exact = tanh(Double(x))
      worst = max(worst, abs(Double(y) - exact) / max(Double(Float(exact).ulp), 0x1p-149))
    }
    #expect(worst <= 2)
    for index in 0..<values.count / 2 where values[index].sign == .plus {
      var pair: [Float] = [values[index], -values[index]]
      unsafe kernels.tanh(2, pair, &pair)
      #expect(pair[0] == -pair[1])
      if index > 200 { break }
    }
    var odd: [Float] = [.nan, 9.5, -9.5]
    unsafe kernels.tanh(3, odd, &odd)
    #expect(odd[0].isNaN && odd[1] == 1 && odd[2] == -1)
  }

  @Test("normalisation's loops are the plain ones", arguments: Level.available, [1, 7, 64])
  func normalisation(level: Level, pixels: Int) {
    let kernels = unsafe level.kernels
    let channels = 3 * Int(BG_CHANNEL_UNIT)
    var numbers = Numbers(state: UInt64(pixels))
    let values = numbers.floats(pixels * channels, -2...2)
    let gradient = numbers.floats(pixels * channels)
    let (scale, shift) = (numbers.floats(channels), numbers.floats(channels))
    let (mean, a) = (numbers.floats(channels), numbers.floats(channels))
    let (b, addend) = (numbers.floats(channels), numbers.floats(channels))
    let slope: Float = 0.2
    var out = [Float](repeating: 0, count: values.count)
    var back = out
    var (sum, deviation) = (
      [Float](repeating: 1, count: channels), [Float](repeating: 2, count: channels)
    )
    var (total, product) = (sum, deviation)
    unsafe kernels.normalise(pixels, channels, values, mean, scale, shift, slope, &out)
    unsafe kernels.channel_sums(pixels, channels, values, &sum)
    unsafe kernels.channel_deviations(pixels, channels, values, mean, &deviation)
    unsafe kernels.norm_gradient_sums(
      pixels, channels, values, gradient, mean, scale, shift, slope, &total, &product)
    unsafe kernels.norm_gradient_apply(
      pixels, channels, values, gradient, mean, scale, shift, slope, a, b, addend, &back)
    let tolerance = Self.bound(pixels) * 16
    for c in 0..<channels {
      var expected = (sum: 1.0, deviation: 2.0, total: 1.0, product: 2.0)
      for p in 0..<pixels {
        let index = p * channels + c
        let x = Double(values[index]) - Double(mean[c])
        let z = x * Double(scale[c]) + Double(shift[c])
        // Where z is within rounding of 0 either side is right, and numbers here do not come near.
        let dz = Double(gradient[index]) * (z > 0 ? 1 : Double(slope))
        #expect(abs(Double(out[index]) - (z > 0 ? z : Double(slope) * z)) <= 1e-6)
        let applied = Double(a[c]) * dz + Double(b[c]) * x + Double(addend[c])
        #expect(abs(Double(back[index]) - applied) <= 1e-6)
        expected.sum += Double(values[index])
        expected.deviation += x * x
        expected.total += dz
        expected.product += dz * x
      }
      #expect(abs(Double(sum[c]) - expected.sum) <= tolerance)
      #expect(abs(Double(deviation[c]) - expected.deviation) <= tolerance)
      #expect(abs(Double(total[c]) - expected.total) <= tolerance)
      #expect(abs(Double(product[c]) - expected.product) <= tolerance)
    }
  }

  @Test(
    "Adam's update is the textbook's, at any length", arguments: Level.available, [1, 15, 16, 100])
  func adam(level: Level, count: Int) {
    let kernels = unsafe level.kernels
    var numbers = Numbers(state: UInt64(count))
    let gradient = numbers.floats(count)
    var (first, second) = (numbers.floats(count), numbers.floats(count, 0...1))
    var weight = numbers.floats(count)
    let old = (first: first, second: second, weight: weight)
    let (beta1, beta2, rate, step) = (0.5, 0.999, 0.0002, 7.0)
    var constants = bg_adam(
      one_minus_beta1: Float(1 - beta1), beta2: Float(beta2), one_minus_beta2: Float(1 - beta2),
      step_size: Float(rate / (1 - pow(beta1, step))),
      root_of_correction2: Float((1 - pow(beta2, step)).squareRoot()), epsilon: 1e-8)
    #expect(unsafe kernels.adam(count, gradient, &first, &second, &weight, &constants) != 0)
    for i in 0..<count {
      let g = Double(gradient[i])
      let m = beta1 * Double(old.first[i]) + (1 - beta1) * g
      let v = beta2 * Double(old.second[i]) + (1 - beta2) * g * g
      let update =
        rate * (m / (1 - pow(beta1, step)))
        / ((v / (1 - pow(beta2, step))).squareRoot() + 1e-8)
      #expect(abs(Double(first[i]) - m) <= 1e-6)
      #expect(abs(Double(second[i]) - v) <= 1e-6)
      #expect(abs(Double(weight[i]) - (Double(old.weight[i]) - update)) <= 1e-6)
    }
  }

  @Test(
    "Adam's update is the same bits within a vector and behind the last whole one",
    arguments: Level.available)
  func places(level: Level) {
    let kernels = unsafe level.kernels
    var numbers = Numbers(state: 3)
    let all = (0..<3).map { _ in numbers.floats(1024) } + [numbers.floats(1024, 0...1)]
    var constants = bg_adam(
      one_minus_beta1: 0.5, beta2: 0.999, one_minus_beta2: 0.001, step_size: 0.0002,
      root_of_correction2: 0.08, epsilon: 1e-8)
    func updated(_ range: Range<Int>) -> [[Float]] {
      var (first, weight) = (Array(all[1][range]), Array(all[2][range]))
      var second = Array(all[3][range])
      _ = unsafe kernels.adam(
        range.count, Array(all[0][range]), &first, &second, &weight, &constants)
      return [first, second, weight]
    }
    let whole = updated(0..<1024)
    // Fewer numbers than the narrowest vector has.
    for start in stride(from: 0, to: 1023, by: 3) {
      #expect(updated(start..<start + 3) == whole.map { Array($0[start..<start + 3]) })
    }
  }

  @Test(
    "Adam's update finds one number that is not finite behind it, wherever it stands",
    arguments: Level.available)
  func finite(level: Level) {
    let kernels = unsafe level.kernels
    var constants = bg_adam(
      one_minus_beta1: 0.5, beta2: 0.999, one_minus_beta2: 0.001, step_size: 0.0002,
      root_of_correction2: 1, epsilon: 1e-8)
    // What an update makes of four numbers at one place, among the largest ones that stay finite.
    func isFinite(_ count: Int, _ index: Int, _ numbers: [Float]) -> Bool {
      var gradient = [Float](repeating: 0, count: count)
      var first = [Float](repeating: -3e38, count: count)
      var (second, weight) = ([Float](repeating: 3e38, count: count), first)
      (gradient[index], first[index]) = (numbers[0], numbers[1])
      (second[index], weight[index]) = (numbers[2], numbers[3])
      return unsafe kernels.adam(count, gradient, &first, &second, &weight, &constants) != 0
    }
    for count in [1, 5, 16, 33] {
      for index in 0..<count {
        #expect(isFinite(count, index, [1, 3e38, 3e38, 3e38]))
        // A gradient whose square is too large, then what is no number before the update already.
        #expect(!isFinite(count, index, [1e25, 0, 0, 0]))
        for bad in [Float.nan, .infinity, -.infinity] {
          for place in 0..<4 {
            var numbers: [Float] = [0, 0, 1, 0]
            numbers[place] = bad
            // The root of a moment of -infinity is none.
            #expect(!isFinite(count, index, numbers))
          }
        }
      }
    }
  }

  @Test("rows are gathered from where they lie, whole or in part")
  func gather() {
    let map = (0..<4000).map(Float.init)
    let offsets = [0, 17, 5, 900]
    let (segments, length, stride) = (3, 20, 50)
    func expected(_ row: Int, _ index: Int) -> Float {
      Float(offsets[row] + index / length * stride + index % length)
    }
    for (first, depth) in [(0, 60), (0, 20), (13, 30), (59, 1), (20, 40)] {
      var block = [Float](repeating: canary, count: 4 * Int(BG_ROW_STRIDE))
      unsafe bg_gather_rows(&block, map, offsets, 4, length, stride, first, depth)
      for row in 0..<4 {
        for index in 0..<depth {
          #expect(block[row * Int(BG_ROW_STRIDE) + index] == expected(row, first + index))
        }
        #expect(block[row * Int(BG_ROW_STRIDE) + depth] == canary)
      }
    }
    for first in [0, 16, 48] {
      var panel = [Float](repeating: canary, count: 4 * 16 + 1)
      unsafe bg_gather_panel(&panel, map, offsets, 4, segments, length, stride, first, 16)
      for row in 0..<4 {
        for index in 0..<16 {
          let within = first + index < segments * length
          #expect(panel[row * 16 + index] == (within ? expected(row, first + index) : 0))
        }
      }
      #expect(panel[64] == canary)
    }
    var panel = [Float](repeating: canary, count: 40 * 8 + 1)
    unsafe bg_transpose_panel(&panel, map, 100, 5, 40, 8)
    for k in 0..<40 {
      for j in 0..<8 { #expect(panel[k * 8 + j] == (j < 5 ? Float(j * 100 + k) : 0)) }
    }
    #expect(panel[320] == canary)
  }

  @Test("a pool does each task once, round after round", arguments: [1, 2, 3, 8])
  func pool(threads: Int) {
    let pool = unsafe bg_pool_create(Int32(threads))!
    defer { unsafe bg_pool_destroy(pool) }
    #expect(unsafe bg_pool_threads(pool) == Int32(threads))
    // Each task has a place of its own, so the tasks may write side by side.
    let counts = UnsafeMutablePointer<Int>.allocate(capacity: 300)
    unsafe counts.initialize(repeating: 0, count: 300)
    defer { unsafe counts.deallocate() }
    for round in 0..<2000 {
      unsafe bg_pool_run(
        pool, round % 300,
        { context, task, _ in
          unsafe context!.assumingMemoryBound(to: Int.self)[task] += 1
        }, counts)
    }
    // Round r runs tasks 0..<r % 300, so task t runs in all rounds with r % 300 > t.
    for task in 0..<300 {
      #expect(unsafe counts[task] == (0..<2000).count { $0 % 300 > task })
    }
  }
}
