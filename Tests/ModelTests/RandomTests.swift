import BollyGANModel
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The numbers that Fixtures/make_random.py recorded from PyTorch and NumPy.
struct RandomFixture: Decodable {
  struct Summary: Decodable {
    var count: Int
    var sha256: String
    var first: String
    var last: String
  }
  struct Normals: Decodable {
    struct Draw: Decodable {
      var mean: Double
      var std: Double
      var count: Int
      var sha256: String
      var first: String
      var last: String
    }
    var seed: Int64
    var draws: [Draw]
    var then: Int
  }
  struct Uniforms: Decodable {
    struct Draw: Decodable {
      var from: Double
      var to: Double
      var count: Int
      var sha256: String
      var first: String
      var last: String
    }
    var seed: Int64
    var draws: [Draw]
    var then: Int
  }
  struct Arithmetic: Decodable {
    var normal32: [Normals]
    var uniform32: [Uniforms]
    var normal64: [Normals]
    var uniform64: [Uniforms]
  }
  struct Order: Decodable {
    var seed: Int64
    var permutations: [[Int]]
    var permutation1000: Summary
    var epochs: [Summary]
    var then: Int
  }
  struct State: Decodable {
    var seed: Int64
    var draw: Int
    var sha256: String
    var then: String
  }
  struct RandomState: Decodable {
    var seed: UInt32
    var count: Int
    var sha256: String
    var first: String
    var last: String
  }
  var avx2: Arithmetic
  var `default`: Arithmetic
  var orders: [Order]
  var states: [State]
  var randomstate: [RandomState]

  static let shared = try! JSONDecoder().decode(
    RandomFixture.self, from: Data(readFile(fixture("random.json"), limit: 1 << 20)))

  func arithmetic(_ arithmetic: TorchRandom.Arithmetic) -> Arithmetic {
    arithmetic == .avx2 ? avx2 : self.default
  }
}

/// The path of a file in Fixtures.
func fixture(_ name: String, file: String = #filePath) -> String {
  "\(file[..<file.lastIndex(of: "/")!])/Fixtures/\(name)"
}

/// Compares numbers bit for bit: a few by their bit patterns, to show differences, and all by hash.
private func expectBits(
  _ bits: [UInt64], byteCount: Int, _ expected: (sha256: String, first: String, last: String),
  _ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation
) {
  func hex(_ bits: ArraySlice<UInt64>) -> String {
    bits.map { String($0, radix: 16) }.joined(separator: " ")
  }
  #expect(hex(bits.prefix(4)) == expected.first, comment, sourceLocation: sourceLocation)
  #expect(hex(bits.suffix(2)) == expected.last, comment, sourceLocation: sourceLocation)
  let bytes = bits.flatMap { word in
    (0..<UInt64(byteCount)).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
  }
  #expect(SHA256.hex(of: bytes) == expected.sha256, comment, sourceLocation: sourceLocation)
}

private func expectBits(
  _ values: [Float], _ expected: (String, String, String), _ comment: Comment,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectBits(
    values.map { UInt64($0.bitPattern) }, byteCount: 4, expected, comment,
    sourceLocation: sourceLocation)
}

private func expectBits(
  _ values: [Double], _ expected: (String, String, String), _ comment: Comment,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectBits(
    values.map(\.bitPattern), byteCount: 8, expected, comment, sourceLocation: sourceLocation)
}

@Suite("PyTorch's random numbers")
struct TorchRandomTests {
  let fixture = RandomFixture.shared

  @Test("seed 42 gives the documented numbers")
  func documented() {
    var words = TorchRandom(seed: 42)
    #expect(words.next32() == 0x5fe1_dc66)
    #expect(words.next32() == 0xcbea_3db3)
    var uniforms = TorchRandom(seed: 42)
    #expect(uniforms.uniforms(count: 2) == [0x1.c3b8ccp-1, 0x1.d47b66p-1])
    var four = TorchRandom(seed: 42)
    #expect(
      four.normal(count: 4) == [0x1.58c55cp-2, 0x1.07cd3ap-3, 0x1.e02dcep-3, 0x1.d7b8d8p-3])
    var many = TorchRandom(seed: 42)
    let rows = many.normal(count: 6400)
    #expect(rows[0...3] == [0x1.ed4a52p+0, 0x1.7cbea6p+0, 0x1.cd2acep-1, -0x1.0d81b6p+1])
    #expect(rows[8...9] == [-0x1.8117e0p-1, 0x1.a612b6p+0])
    var hundred = TorchRandom(seed: 42)
    let row = hundred.normal(count: 100)
    #expect(
      row[83...86] == [-0x1.2bb5b0p-1, 0x1.481114p-1, 0x1.2a9f68p-1, 0x1.11221cp+0])
    #expect(row[99] == 0x1.3c0c38p-1)
    #expect(row[..<84] == rows[..<84])
    var order = TorchRandom(seed: 42)
    #expect(order.permutation(12) == [6, 8, 1, 7, 0, 2, 10, 11, 4, 3, 5, 9])
    var loader = TorchRandom(seed: 7)
    #expect(loader.loaderOrder(10) == [3, 2, 7, 8, 6, 1, 5, 9, 0, 4])
  }

  @Test("successive normal float32 tensors equal PyTorch's bit for bit")
  func normal32() {
    for expected in fixture.avx2.normal32 {
      var random = TorchRandom(seed: expected.seed)
      for (index, draw) in expected.draws.enumerated() {
        expectBits(
          random.normal(count: draw.count, mean: draw.mean, std: draw.std),
          (draw.sha256, draw.first, draw.last), "seed \(expected.seed), draw \(index)")
      }
      #expect(random.below(1 << 20) == expected.then)
    }
  }

  @Test(
    "uniform tensors equal PyTorch's bit for bit", arguments: [TorchRandom.Arithmetic.avx2, .libm])
  func uniform(arithmetic: TorchRandom.Arithmetic) {
    for expected in fixture.arithmetic(arithmetic).uniform32 {
      var random = TorchRandom(seed: expected.seed, arithmetic: arithmetic)
      for (index, draw) in expected.draws.enumerated() {
        expectBits(
          random.uniforms(count: draw.count, from: draw.from, to: draw.to),
          (draw.sha256, draw.first, draw.last), "seed \(expected.seed), draw \(index)")
      }
      #expect(random.below(1 << 20) == expected.then)
    }
    for expected in fixture.arithmetic(arithmetic).uniform64 {
      var random = TorchRandom(seed: expected.seed, arithmetic: arithmetic)
      for (index, draw) in expected.draws.enumerated() {
        expectBits(
          random.uniforms64(count: draw.count, from: draw.from, to: draw.to),
          (draw.sha256, draw.first, draw.last), "seed \(expected.seed), draw \(index)")
      }
      #expect(random.below(1 << 20) == expected.then)
    }
  }

  #if canImport(Glibc)
    // The C library's logarithm, sine and cosine must agree to the last bit with those of the
    // machine that made the fixture.
    @Test("with the C library's functions, normal tensors equal those of PyTorch's default path")
    func libm() {
      for expected in fixture.default.normal32 {
        var random = TorchRandom(seed: expected.seed, arithmetic: .libm)
        for (index, draw) in expected.draws.enumerated() {
          expectBits(
            random.normal(count: draw.count, mean: draw.mean, std: draw.std),
            (draw.sha256, draw.first, draw.last), "seed \(expected.seed), draw \(index)")
        }
      }
    }

    @Test(
      "normal float64 tensors equal PyTorch's on both of its paths",
      arguments: [TorchRandom.Arithmetic.avx2, .libm])
    func normal64(arithmetic: TorchRandom.Arithmetic) {
      for expected in fixture.arithmetic(arithmetic).normal64 {
        var random = TorchRandom(seed: expected.seed, arithmetic: arithmetic)
        for (index, draw) in expected.draws.enumerated() {
          expectBits(
            random.normal64(count: draw.count, mean: draw.mean, std: draw.std),
            (draw.sha256, draw.first, draw.last), "seed \(expected.seed), draw \(index)")
        }
        #expect(random.below(1 << 20) == expected.then)
      }
    }
  #endif

  @Test("permutations and the epochs of a shuffling loader have PyTorch's order")
  func orders() {
    for expected in fixture.orders {
      var random = TorchRandom(seed: expected.seed)
      for permutation in expected.permutations {
        #expect(random.permutation(permutation.count) == permutation)
      }
      func expectOrder(_ order: [Int], _ summary: RandomFixture.Summary) {
        expectBits(
          order.map(UInt64.init), byteCount: 8, (summary.sha256, summary.first, summary.last),
          "seed \(expected.seed)")
      }
      expectOrder(random.permutation(1000), expected.permutation1000)
      for epoch in expected.epochs { expectOrder(random.loaderOrder(700), epoch) }
      #expect(random.below(1 << 20) == expected.then)
    }
  }

  @Test("saved states equal torch.get_rng_state and resume like PyTorch")
  func states() throws {
    for expected in fixture.states {
      var random = TorchRandom(seed: expected.seed)
      if expected.draw == 3 {
        _ = random.normal(count: 3)
      } else {
        _ = random.uniforms(count: expected.draw)
      }
      #expect(SHA256.hex(of: random.blob) == expected.sha256)
      var resumed = try TorchRandom(blob: random.blob)
      #expect(resumed == random)
      #expect(resumed.normal(count: 1) == [Float(expected.then)!])
    }
  }

  @Test("invalid states are refused")
  func noStates() {
    let good = TorchRandom(seed: 1).blob
    #expect(throws: TorchRandomError.self) { try TorchRandom(blob: Array(good.dropLast())) }
    for (index, value) in [(8, 2), (12, 0), (16, 1), (17, 9), (28, 1), (5040, 2)] {
      var bad = good
      bad[index] = UInt8(value)
      #expect(throws: TorchRandomError.self, "byte \(index)") { try TorchRandom(blob: bad) }
    }
  }

  @Test("skipping words equals drawing them", arguments: [0, 1, 623, 624, 625, 2000])
  func skipping(count: Int) {
    var (skipped, drawn) = (TorchRandom(seed: 3), TorchRandom(seed: 3))
    skipped.skip(words: count)
    for _ in 0..<count { _ = drawn.next32() }
    #expect(skipped == drawn)
  }
}

@Suite("NumPy's random numbers")
struct NumpyRandomTests {
  @Test("seeds 42 and 85 give the documented numbers")
  func documented() {
    var random = NumpyRandom(seed: 42)
    #expect(
      random.normals(count: 3)
        == [0x1.fca2a28a9307cp-2, -0x1.1b2a505de052ap-3, 0x1.4b9dd50245e68p-1])
    var other = NumpyRandom(seed: 85)
    #expect(other.normal() == 0x1.6a30b5fa763c9p-3)
  }

  #if canImport(Glibc)  // the logarithm must agree to the last bit with the fixture's machine
    @Test("the numbers equal RandomState(seed).randn bit for bit")
    func randn() {
      for expected in RandomFixture.shared.randomstate {
        var random = NumpyRandom(seed: expected.seed)
        expectBits(
          random.normals(count: expected.count),
          (expected.sha256, expected.first, expected.last), "seed \(expected.seed)")
      }
    }
  #endif
}

@Suite("Fused multiply-add")
struct FusedMultiplyAddTests {
  /// Compares with the standard library's function, which rounds once on every processor.
  private func expectExact(_ a: [Float], _ b: [Float], _ c: [Float]) {
    for start in stride(from: 0, to: a.count, by: 8) {
      let range = start..<(start + 8)
      let result = fusedMultiplyAdd(SIMD8(a[range]), SIMD8(b[range]), SIMD8(c[range]))
      for lane in 0..<8 {
        let index = start + lane
        let expected = c[index].addingProduct(a[index], b[index])
        #expect(
          result[lane].bitPattern == expected.bitPattern,
          "\(a[index]) · \(b[index]) + \(c[index])")
      }
    }
  }

  @Test("numbers of all sizes and signs are rounded once")
  func random() {
    var random = TorchRandom(seed: 8)
    func numbers() -> [Float] {
      (0..<40_000).map { _ in
        Float(
          sign: random.below(2) == 0 ? .plus : .minus, exponent: random.below(40) - 20,
          significand: 1 + random.uniform())
      }
    }
    expectExact(numbers(), numbers(), numbers())
  }

  @Test("sums that float64 would round to a tie are rounded once")
  func ties() {
    // (1 + s)(1 - s) = 1 - s², so the product is half an ulp of c, minus 2^-8 to 2^-46 of that.
    // From s = 2^-15 on, a float64 sum with c loses the difference.
    var (a, b, c): ([Float], [Float], [Float]) = ([], [], [])
    for exponent in 4...23 {
      let s = Float(sign: .plus, exponent: -exponent, significand: 1)
      for (sign, last) in [(1, 0), (1, 0x1p-23), (-1, 0), (-1, 0x1p-23)] as [(Float, Float)] {
        a.append(0x1p-12 * (1 + s))
        b.append(sign * 0x1p-12 * (1 - s))
        c.append(1 + last)
      }
    }
    expectExact(a, b, c)
    // One of them in full: the sum is below the tie, so it rounds to c. If it were taken for a tie,
    // it would round to the even number above.
    let below = fusedMultiplyAdd(
      SIMD8(repeating: 0x1p-12 * (1 + 0x1p-23)), SIMD8(repeating: 0x1p-12 * (1 - 0x1p-23)),
      SIMD8(repeating: 1 + 0x1p-23))
    #expect(below == SIMD8(repeating: 1 + 0x1p-23))
    #expect(Float((1 + 0x1p-23) + 0x1p-24 * (1 - 0x1p-46)) == 1 + 0x1p-22)
  }
}
