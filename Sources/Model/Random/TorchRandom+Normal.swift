#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// PyTorch's normal numbers.

extension TorchRandom {
  /// The numbers of `torch.empty(count).normal_(mean, std)`; with mean 0 and standard deviation 1,
  /// those of `torch.randn(count)`.
  ///
  /// PyTorch transforms 16 or more numbers in blocks of 16, which are eight pairs. If the count is
  /// not a multiple of 16, it redraws the last 16 numbers. Fewer than 16 are computed one by one in
  /// float64 with the functions of the C library, and an unused second number of a pair is kept for
  /// the next call of this kind.
  public mutating func normal(count: Int, mean: Double = 0, std: Double = 1) -> [Float] {
    guard count >= 16 else {
      return (0..<count).map { _ in Float(nextNormal(mean, std)) }
    }
    var values = [Float](repeating: 0, count: count)
    for i in 0..<count { values[i] = uniform() }
    let transform = BoxMuller(arithmetic, mean: Float(mean), std: Float(std))
    var span = values.mutableSpan
    for start in stride(from: 0, through: count - 16, by: 16) { transform(&span, start) }
    if count % 16 != 0 {
      for i in (count - 16)..<count { span[i] = uniform() }
      transform(&span, count - 16)
    }
    return values
  }

  /// The numbers of `torch.empty(count, dtype=torch.float64).normal_(mean, std)`.
  ///
  /// The scheme is that of float32, but both of PyTorch's paths use the functions of the C library,
  /// so the last bits depend on this machine's library.
  public mutating func normal64(count: Int, mean: Double = 0, std: Double = 1) -> [Double] {
    guard count >= 16 else {
      return (0..<count).map { _ in nextNormal(mean, std) }
    }
    func transform(_ values: inout [Double], _ start: Int) {
      for j in start..<(start + 8) {
        let radius = (-2 * log(1 - values[j])).squareRoot()
        let angle = 2 * Double.pi * values[j + 8]
        values[j] = mean.addingProduct(radius * cos(angle), std)
        values[j + 8] = mean.addingProduct(radius * sin(angle), std)
      }
    }
    var values = (0..<count).map { _ in uniform64() }
    for start in stride(from: 0, through: count - 16, by: 16) { transform(&values, start) }
    if count % 16 != 0 {
      for i in (count - 16)..<count { values[i] = uniform64() }
      transform(&values, count - 16)
    }
    return values
  }

  /// The next single normal number.
  private mutating func nextNormal(_ mean: Double, _ std: Double) -> Double {
    let normal = nextNormal()
    return switch arithmetic {
    case .avx2: mean.addingProduct(normal, std)
    case .libm: normal * std + mean  // fused on this path too, but only in blocks of 16
    }
  }

  private mutating func nextNormal() -> Double {
    if let second = cachedNormal {
      cachedNormal = nil
      return second
    }
    let u1 = uniform64()
    let u2 = uniform64()
    let radius = (-2 * log1p(-u2)).squareRoot()
    let angle = 2 * Double.pi * u1
    cachedNormal = radius * sin(angle)
    return radius * cos(angle)
  }
}

/// The Box-Muller transform of a block of 16 uniform numbers: the first eight give the radii, the
/// last eight the angles.
private struct BoxMuller {
  let arithmetic: TorchRandom.Arithmetic
  let mean: Float
  let std: Float

  init(_ arithmetic: TorchRandom.Arithmetic, mean: Float, std: Float) {
    self.arithmetic = arithmetic
    self.mean = mean
    self.std = std
  }

  func callAsFunction(_ values: inout MutableSpan<Float>, _ start: Int) {
    var (first, second) = (SIMD8<Float>(), SIMD8<Float>())
    for j in 0..<8 {
      first[j] = values[start + j]
      second[j] = values[start + 8 + j]
    }
    let logarithm: SIMD8<Float>
    let sine: SIMD8<Float>
    let cosine: SIMD8<Float>
    switch arithmetic {
    case .avx2:
      logarithm = Cephes.logarithm(1 - first)
      // Not 2 * Float.pi: Swift rounds that constant towards zero.
      (sine, cosine) = Cephes.sineAndCosine(Float(2 * Double.pi) * second)
    case .libm:
      var results = (SIMD8<Float>(), SIMD8<Float>(), SIMD8<Float>())
      for j in 0..<8 {
        let angle = Float(2 * Double.pi * Double(second[j]))
        results.0[j] = logf(1 - first[j])
        results.1[j] = sinf(angle)
        results.2[j] = cosf(angle)
      }
      (logarithm, sine, cosine) = results
    }
    let radius = (-2 * logarithm).squareRoot()
    let (m, s) = (SIMD8(repeating: mean), SIMD8(repeating: std))
    let x = fusedMultiplyAdd(radius * cosine, s, m)
    let y = fusedMultiplyAdd(radius * sine, s, m)
    for j in 0..<8 {
      values[start + j] = x[j]
      values[start + 8 + j] = y[j]
    }
  }
}

/// Logarithm, sine and cosine as in PyTorch's AVX2 code, with every multiply-add that its compiler
/// fuses.
///
/// - SeeAlso: Moshier's Cephes library, `single/logf.c` and `single/sinf.c`; PyTorch,
///   `aten/src/ATen/native/cpu/avx_mathfun.h`.
private enum Cephes {
  /// The natural logarithm.
  ///
  /// - Parameter x: 2^-24 to 1. Zero and subnormal numbers are not handled.
  static func logarithm(_ x: SIMD8<Float>) -> SIMD8<Float> {
    let bits = unsafe unsafeBitCast(x, to: SIMD8<Int32>.self)
    // x = m · 2^e with m in 1/√2..<√2.
    var e = SIMD8<Float>(bits &>> 23 &- 126)
    var m = unsafe unsafeBitCast(
      bits & 0x007f_ffff | SIMD8(repeating: 0x3f00_0000), to: SIMD8<Float>.self)
    let isSmall = m .< 0.707106781186547524
    e.replace(with: e - 1, where: isSmall)
    m = (m - 1) + SIMD8<Float>().replacing(with: m, where: isSmall)
    let z = m * m
    var y = SIMD8<Float>(repeating: 7.0376836292e-2)
    y = fusedMultiplyAdd(y, m, SIMD8(repeating: -1.1514610310e-1))
    y = fusedMultiplyAdd(y, m, SIMD8(repeating: 1.1676998740e-1))
    y = fusedMultiplyAdd(y, m, SIMD8(repeating: -1.2420140846e-1))
    y = fusedMultiplyAdd(y, m, SIMD8(repeating: 1.4249322787e-1))
    y = fusedMultiplyAdd(y, m, SIMD8(repeating: -1.6668057665e-1))
    y = fusedMultiplyAdd(y, m, SIMD8(repeating: 2.0000714765e-1))
    y = fusedMultiplyAdd(y, m, SIMD8(repeating: -2.4999993993e-1))
    y = fusedMultiplyAdd(y, m, SIMD8(repeating: 3.3333331174e-1))
    y *= m
    // Add e · ln 2 in two parts. The larger part, 355/512, has an exact product with e.
    y = fusedMultiplyAdd(y, z, e * -2.12194440e-4)
    y = fusedMultiplyAdd(-z, SIMD8(repeating: 0.5), y)
    return fusedMultiplyAdd(e, SIMD8(repeating: 0.693359375), m + y)
  }

  /// The sine and the cosine.
  ///
  /// - Parameter angle: 0 to 2π.
  static func sineAndCosine(
    _ angle: SIMD8<Float>
  ) -> (sine: SIMD8<Float>, cosine: SIMD8<Float>) {
    // The octant, rounded up to an even number, determines the polynomial and the signs.
    let octant = SIMD8<Int32>(angle * 1.27323954473516)
    let j = (octant &+ 1) & ~1
    let turns = SIMD8<Float>(j)
    // Subtract j · π/4 in three parts, so that little is lost to cancellation.
    var x = fusedMultiplyAdd(turns, SIMD8(repeating: -0.78515625), angle)
    x = fusedMultiplyAdd(turns, SIMD8(repeating: -2.4187564849853515625e-4), x)
    x = fusedMultiplyAdd(turns, SIMD8(repeating: -3.77489497744594108e-8), x)
    let z = x * x
    var a = SIMD8<Float>(repeating: 2.443315711809948e-5)
    a = fusedMultiplyAdd(a, z, SIMD8(repeating: -1.388731625493765e-3))
    a = fusedMultiplyAdd(a, z, SIMD8(repeating: 4.166664568298827e-2))
    a *= z
    a = fusedMultiplyAdd(a, z, -(z * 0.5)) + 1
    var b = SIMD8<Float>(repeating: -1.9515295891e-4)
    b = fusedMultiplyAdd(b, z, SIMD8(repeating: 8.3321608736e-3))
    b = fusedMultiplyAdd(b, z, SIMD8(repeating: -1.6666654611e-1))
    b = fusedMultiplyAdd(b * z, x, x)
    let isSwapped = j & 2 .!= 0
    var sine = b.replacing(with: a, where: isSwapped)
    var cosine = a.replacing(with: b, where: isSwapped)
    sine.replace(with: -sine, where: j & 4 .!= 0)
    cosine.replace(with: -cosine, where: (j &- 2) & 4 .== 0)
    return (sine, cosine)
  }
}
