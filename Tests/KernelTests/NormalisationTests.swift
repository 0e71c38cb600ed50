import BollyGANKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("Batch normalisation and tanh")
struct NormalisationTests {
  @Test(
    "batch normalisation and its gradient agree with plain loops", arguments: Level.available,
    [1, 7, 64])
  func normalisation(level: Level, pixels: Int) {
    let kernels = level.kernels
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
    let tolerance = sumBound(pixels) * 16
    for c in 0..<channels {
      var expected = (sum: 1.0, deviation: 2.0, total: 1.0, product: 2.0)
      for p in 0..<pixels {
        let index = p * channels + c
        let x = Double(values[index]) - Double(mean[c])
        let z = x * Double(scale[c]) + Double(shift[c])
        // If z were within rounding of 0, either slope would be right; none of these numbers is
        // that close.
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

  @Test("tanh is accurate to 2 ulp, odd, and 1 for large arguments", arguments: Level.available)
  func hyperbolicTangent(level: Level) {
    let kernels = level.kernels
    // Every 1,009th float32 from 0 to 20, and special values.
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
}
