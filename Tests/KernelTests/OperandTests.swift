import BollyGANKernels
import Testing

@Suite("Gathering operands")
struct OperandTests {
  @Test("rows are gathered from their runs, whole or in part, and transposed")
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
}
