import BollyGANModel
import Testing

@Suite("Latents")
struct LatentsTests {
  @Test("a seed gives PyTorch's tensor, row by row")
  func torch() {
    let latents = Latents.torch(seed: 42, count: 64, size: 100)
    #expect(latents[0].prefix(2) == [0x1.ed4a52p+0, 0x1.7cbea6p+0])
    var random = TorchRandom(seed: 42)
    #expect(latents.values == random.normal(count: 6400))
    #expect(latents[63].elementsEqual(latents.values[6300...]))
  }

  @Test("if the size is a multiple of 16, a row does not depend on the number of rows")
  func prefix() {
    let many = Latents.torch(seed: 5, count: 9, size: 64)
    #expect(Latents.torch(seed: 5, count: 4, size: 64).values[...] == many.values[..<256])
  }

  @Test("each seed gives NumPy's row, independently of the other seeds")
  func numpy() {
    let latents = Latents.numpy(seeds: [85, 42, 85], size: 37)
    #expect(latents[0].first == Float(0x1.6a30b5fa763c9p-3))
    #expect(latents[1].first == Float(0x1.fca2a28a9307cp-2))
    #expect(latents[0].elementsEqual(latents[2]))
    #expect(latents[1].elementsEqual(Latents.numpy(seeds: [42], size: 37).values))
  }

  @Test("scaling multiplies every number")
  func scaling() {
    let latents = Latents(count: 1, size: 3, values: [1, -2, 0.5])
    #expect(latents.scaled(by: 0.5).values == [0.5, -1, 0.25])
    #expect(latents.scaled(by: 1) == latents)
  }

  @Test("both shapes and both formats can be read", arguments: ["f4.npy", "latents.npy"])
  func files(name: String) throws {
    let latents = try Latents(bytes: readFile(fixture(name), limit: 4096))
    #expect(latents == Latents(count: 2, size: 3, values: NPYTests.values))
    #expect(try Latents(bytes: latents.npy.encoded()) == latents)
    #expect(try Latents(bytes: latents.safetensors.encoded()) == latents)
  }

  @Test("a safetensors file gives its only tensor or the one named latents")
  func tensors() throws {
    let one = StoredTensor(Tensor(shape: [1, 2, 1, 1], values: [1, 2]))
    let other = StoredTensor(Tensor(shape: [2], values: [3, 4]))
    #expect(try Latents(safetensors: SafetensorsFile(tensors: ["z": one])).values == [1, 2])
    #expect(
      try Latents(safetensors: SafetensorsFile(tensors: ["latents": one, "z": other])).values
        == [1, 2])
    #expect(throws: LatentsError.noTensor(names: ["y", "z"])) {
      try Latents(safetensors: SafetensorsFile(tensors: ["z": one, "y": other]))
    }
  }

  @Test(
    "any other shape is refused",
    arguments: [[], [6], [2, 3, 1], [2, 3, 1, 2], [0, 3], [1, 2, 3], [2, 0], [1, 1, 1, 1, 1]])
  func shapes(shape: [Int]) {
    let file = NPYFile(
      shape: shape, floats: [Float](repeating: 0, count: shape.reduce(1, *)))
    #expect(throws: LatentsError.shape(shape)) { try Latents(npy: file) }
  }

  @Test("an error names the position of a number that is not finite, and both lengths")
  func refusals() throws {
    for bad in [Float.nan, .infinity, -.infinity] {
      #expect(throws: LatentsError.notFinite(row: 1, column: 0)) {
        try Latents(npy: NPYFile(shape: [2, 2], floats: [1, 2, bad, 4]))
      }
    }
    let latents = Latents(count: 1, size: 3, values: [1, 2, 3])
    #expect(throws: LatentsError.size(found: 3, expected: 64)) { try latents.check(size: 64) }
    try latents.check(size: 3)
    #expect(throws: LatentsError.npy(.version(major: 9, minor: 0))) {
      try Latents(bytes: NPYTests.file(NPYTests.good, version: [9, 0]))
    }
    #expect(throws: LatentsError.safetensors(.tooShort(byteCount: 3))) {
      try Latents(bytes: [1, 2, 3])
    }
  }

  @Test("messages say in one line what is wrong and what is expected")
  func messages() {
    let errors: [(LatentsError, String)] = [
      (.shape([3]), "latents have shape [3], expected [N, nz] or [N, nz, 1, 1]"),
      (.notFinite(row: 2, column: 5), "latent 2, number 5 is infinite or not a number"),
      (.size(found: 100, expected: 64), "latents have 100 numbers, but the generator takes 64"),
      (.noTensor(names: ["a", "b\n"]), "no tensor \"latents\" among \"a\", \"b\\u{a}\""),
      (.noTensor(names: "abcdef".map(String.init)), "among \"a\", \"b\", \"c\", \"d\", \"e\", ..."),
      (.safetensors(.tooShort(byteCount: 3)), "too short for a safetensors file: 3 bytes"),
    ]
    for (error, part) in errors { #expect(error.description.contains(part)) }
  }

  @Test("float64 latents in a safetensors file are refused with the name of the tensor")
  func doubles() {
    let file = SafetensorsFile(tensors: ["z": StoredTensor([1, 2], shape: [1, 2])])
    #expect(
      throws: LatentsError.safetensors(
        .type(tensor: "z", found: .f64, accepted: [.f32, .f16, .bf16]))
    ) { try Latents(safetensors: file) }
  }

  @Test("both kinds of interpolation start and end exactly", arguments: [64, 100])
  func ends(size: Int) {
    let latents = Latents.torch(seed: 1, count: 2, size: size)
    for path in [Latents.lerp, Latents.slerp] {
      #expect(path(latents[0], latents[1], 0)[...] == latents[0])
      #expect(path(latents[0], latents[1], 1).elementsEqual(latents[1]))
    }
  }

  @Test("slerp turns at constant speed and keeps the length; lerp is shorter in between")
  func arc() {
    let (a, b): ([Float], [Float]) = ([2, 0], [0, 2])
    for step in 0...8 {
      let angle = Double(step) / 8 * 90
      let point = Latents.slerp(a[...], b[...], Double(step) / 8)
      // The sine and cosine of multiples of 11.25 degrees, rounded to float32: half an ulp of 2.
      #expect(abs(Double(point[0]) - 2 * cosine(degrees: angle)) <= 0x1p-24 * 2)
      #expect(abs(Double(point[1]) - 2 * cosine(degrees: 90 - angle)) <= 0x1p-24 * 2)
    }
    #expect(Latents.lerp(a[...], b[...], 0.5) == [1, 1])
  }

  /// The cosine by the half-angle formula: cos(x/2) = √((1 + cos x)/2).
  private func cosine(degrees: Double) -> Double {
    switch degrees {
    case 0: 1
    case 90: 0
    default:
      degrees > 45
        ? (1 - square(cosine(degrees: 90 - degrees))).squareRoot()
        : ((1 + cosine(degrees: 2 * degrees)) / 2).squareRoot()
    }
  }

  private func square(_ x: Double) -> Double { x * x }

  @Test(
    "slerp equals lerp if there is no unique arc",
    arguments: [([1, 2], [2, 4]), ([1, 2], [-1, -2]), ([0, 0], [1, 2]), ([0, 0], [0, 0])]
      as [([Float], [Float])])
  func degenerate(a: [Float], b: [Float]) {
    #expect(Latents.slerp(a[...], b[...], 0.25) == Latents.lerp(a[...], b[...], 0.25))
  }
}
