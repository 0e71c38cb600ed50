import BollyGANKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("Adam")
struct AdamTests {
  @Test(
    "an update follows the definition, at any length", arguments: Level.available, [1, 15, 16, 100])
  func adam(level: Level, count: Int) {
    let kernels = level.kernels
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
    "an update has the same bits within a vector and after the last whole one",
    arguments: Level.available)
  func places(level: Level) {
    let kernels = level.kernels
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
    // Fewer numbers than fit the narrowest vector.
    for start in stride(from: 0, to: 1023, by: 3) {
      #expect(updated(start..<start + 3) == whole.map { Array($0[start..<start + 3]) })
    }
  }

  @Test(
    "an update reports a single value that is not finite, at any place",
    arguments: Level.available)
  func finite(level: Level) {
    let kernels = level.kernels
    var constants = bg_adam(
      one_minus_beta1: 0.5, beta2: 0.999, one_minus_beta2: 0.001, step_size: 0.0002,
      root_of_correction2: 1, epsilon: 1e-8)
    // Whether everything is finite after an update of four given numbers at one place, among the
    // largest numbers that stay finite.
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
        // A gradient whose square overflows; then values that are not finite before the update.
        #expect(!isFinite(count, index, [1e25, 0, 0, 0]))
        for bad in [Float.nan, .infinity, -.infinity] {
          for place in 0..<4 {
            var numbers: [Float] = [0, 0, 1, 0]
            numbers[place] = bad
            // A second moment of -infinity has no square root.
            #expect(!isFinite(count, index, numbers))
          }
        }
      }
    }
  }
}
