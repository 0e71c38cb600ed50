import BollyGANKernels
import Testing

@Suite("Levels")
struct LevelTests {
  @Test("this processor has at least one level, and unknown levels do not exist")
  func levels() {
    #expect(!Level.available.isEmpty)
    #expect(unsafe bg_kernels_named("avx1024") == nil)
    #expect(unsafe bg_kernels_named("") == nil)
  }

  @Test("levels with fused multiply-add produce equal bits")
  func equalBits() {
    let levels = Level.fused
    var numbers = Numbers(state: 7)
    let values = numbers.floats(64 * 48, -3...3)
    let (scale, shift) = (numbers.floats(48), numbers.floats(48))
    let results = levels.map { level in
      let kernels = level.kernels
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

  /// The product of a row of 64 numbers and a matrix `[64, 48]`, summed in float64.
  @unsafe private func product(_ kernels: bg_kernels, _ matrix: [Float]) -> [Float] {
    let width = Int(kernels.columns)
    let rows = [Float](
      repeating: 0.3, count: Int(kernels.rows) * Int(BG_ROW_STRIDE))
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
}
