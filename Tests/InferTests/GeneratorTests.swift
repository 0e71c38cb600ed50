import BollyGANInfer
import BollyGANModel
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A generator with small random weights, the same on every machine.
private func weights(
  _ shape: DCGANShape, seed: UInt64, slope: Float = 0, bias: [Float]? = nil
) -> GeneratorWeights {
  var state = seed
  func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }
  let channels = shape.generatorChannels
  let layers = (0..<channels.count - 1).map { index in
    let (inputs, outputs) = (channels[index], channels[index + 1])
    let spread = 1 / Float(4 * inputs).squareRoot()
    let kernel = Tensor(
      shape: [inputs, outputs, 4, 4],
      values: (0..<inputs * outputs * 16).map { _ in next() * spread * 1.7 })
    guard index < channels.count - 2 else { return LayerWeights(kernel: kernel, bias: bias) }
    var norm = NormWeights(channels: outputs)
    norm.scale = (0..<outputs).map { _ in 1 + 0.3 * next() }
    norm.shift = (0..<outputs).map { _ in 0.2 * next() }
    norm.runningMean = (0..<outputs).map { _ in 0.2 * next() }
    norm.runningVariance = (0..<outputs).map { _ in 0.4 + 0.1 * next() }
    return LayerWeights(kernel: kernel, norm: norm)
  }
  return GeneratorWeights(shape: shape, layers: layers, slope: slope)
}

/// The network in evaluation mode, in float64, one tap at a time.
private func reference(_ weights: GeneratorWeights, latent: ArraySlice<Float>) -> [Double] {
  var map = latent.map(Double.init)
  var side = 1
  for (index, layer) in weights.layers.enumerated() {
    let (inputs, outputs) = (layer.kernel.shape[0], layer.kernel.shape[1])
    let kernel = layer.kernel.values
    let grown = index == 0 ? 4 : 2 * side
    var out = [Double](repeating: 0, count: outputs * grown * grown)
    for c in 0..<inputs {
      for i in 0..<side {
        for j in 0..<side {
          let x = map[(c * side + i) * side + j]
          for d in 0..<outputs {
            for u in 0..<4 {
              for v in 0..<4 {
                let p = index == 0 ? u : 2 * i + u - 1
                let q = index == 0 ? v : 2 * j + v - 1
                guard (0..<grown).contains(p), (0..<grown).contains(q) else { continue }
                out[(d * grown + p) * grown + q] +=
                  x * Double(kernel[((c * outputs + d) * 4 + u) * 4 + v])
              }
            }
          }
        }
      }
    }
    for d in 0..<outputs {
      for pixel in d * grown * grown..<(d + 1) * grown * grown {
        if let norm = layer.norm {
          let root = (Double(norm.runningVariance[d]) + Double(NormWeights.epsilon)).squareRoot()
          let y = (out[pixel] - Double(norm.runningMean[d])) / root
          let z = y * Double(norm.scale[d]) + Double(norm.shift[d])
          out[pixel] = z > 0 ? z : z * Double(weights.slope)
        } else {
          out[pixel] = tanh(out[pixel] + Double(layer.bias?[d] ?? 0))
        }
      }
    }
    map = out
    side = grown
  }
  return map
}

@Suite("Fast generator")
struct GeneratorTests {
  static let shapes: [DCGANShape] = [
    try! DCGANShape(latent: 7, generatorWidth: 4, side: 32, channels: 1),
    try! DCGANShape(latent: 37, generatorWidth: 20, side: 32),
    try! DCGANShape(latent: 16, generatorWidth: 9, side: 64),
  ]

  @Test("an empty array of latents gives an empty result")
  func none() throws {
    let shape = try DCGANShape(latent: 7, generatorWidth: 4, side: 16)
    let generator = Generator(weights(shape, seed: 1), threads: 2)
    #expect(generator.pictures(latents: []).isEmpty && generator.pixels(latents: []).isEmpty)
  }

  /// Counts at which threads share layers, at which they do not, and beyond one pass.
  @Test(
    "images handed over one by one equal those drawn at once", arguments: [1, 2, 3], [1, 5, 200])
  func each(threads: Int, count: Int) throws {
    let shape = try DCGANShape(latent: 7, generatorWidth: 4, side: 16)
    let generator = Generator(weights(shape, seed: 1), threads: threads)
    let latents = (0..<7 * count).map { Float($0 * 37 % 101) / 50 - 1 }
    let received = Mutex([(index: Int, pixels: [UInt8])]())
    generator.pixels(latents: latents) { index, pixels in
      received.withLock { $0.append((index, pixels)) }
    }
    let all = received.withLock { $0.sorted { $0.index < $1.index } }
    #expect(all.map(\.index) == Array(0..<count))
    #expect(all.flatMap(\.pixels) == generator.pixels(latents: latents))
  }

  @Test(
    "every instruction set agrees with float64", arguments: InstructionSet.available, Self.shapes)
  func agrees(level: InstructionSet, shape: DCGANShape) {
    expectAgreement(weights(shape, seed: 3), on: level)
  }

  /// Generators unlike ours, as other people train them: channels that do not halve, other sides,
  /// LeakyReLU, a bias before tanh.
  static let others: [GeneratorWeights] = [
    weights(
      try! DCGANShape(latent: 5, generatorWidths: [6, 17, 4]), seed: 4, slope: 0.2,
      bias: [0.5, -0.25, 0.125]),
    weights(try! DCGANShape(latent: 5, generatorWidths: [8, 8], channels: 1), seed: 5, slope: 1),
    weights(
      try! DCGANShape(latent: 3, generatorWidths: [4, 4, 4, 2, 3, 1], channels: 1), seed: 6,
      slope: 0.01, bias: [-0.5]),
  ]

  @Test(
    "LeakyReLU, a bias before tanh, and any widths and sides agree with float64",
    arguments: InstructionSet.available, Self.others)
  func agreesOnOthers(level: InstructionSet, weights: GeneratorWeights) {
    expectAgreement(weights, on: level)
    let shape = weights.shape
    let latent = (0..<shape.latent).map { Float($0 % 5) / 2 - 1 }
    let plain = PlainGenerator<Double>(weights).pictures(latents: latent.map(Double.init))
    let expected = reference(weights, latent: latent[...])
    #expect(zip(plain, expected).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  private func expectAgreement(_ weights: GeneratorWeights, on level: InstructionSet) {
    let shape = weights.shape
    let latents = (0..<3 * shape.latent).map { Float(($0 * 37) % 61) / 20 - 1.5 }
    let generator = Generator(weights, instructionSet: level, threads: 2)
    let pictures = generator.pictures(latents: latents)
    var largest = 0.0
    for image in 0..<3 {
      let expected = reference(
        weights, latent: latents[image * shape.latent..<(image + 1) * shape.latent])
      for (index, value) in expected.enumerated() {
        largest = max(largest, abs(Double(pictures[image * shape.pictureCount + index]) - value))
      }
    }
    print("\(level) \(shape.side) \(shape.generatorWidth): largest difference \(largest)")
    // The documented bound. Sums of a few thousand float32 products of this size are off by a few
    // 1e-6.
    #expect(largest <= 2e-5)
  }

  @Test("an image has the same bytes in any batch and on any number of threads")
  func sameBytes() throws {
    let shape = try DCGANShape(latent: 16, generatorWidth: 8, side: 64)
    let weights = weights(shape, seed: 5)
    let latents = (0..<37 * shape.latent).map { Float(($0 * 31) % 67) / 20 - 1.6 }
    let whole = Generator(weights, threads: 1).pictures(latents: latents)
    for threads in [2, 3, 5] {
      #expect(Generator(weights, threads: threads).pictures(latents: latents) == whole)
    }
    let generator = Generator(weights, threads: 2)
    for image in [0, 1, 15, 16, 36] {
      let single = generator.pictures(
        latents: Array(latents[image * shape.latent..<(image + 1) * shape.latent]))
      #expect(
        single == Array(whole[image * shape.pictureCount..<(image + 1) * shape.pictureCount]))
    }
  }

  /// At this width the maps of seven images are stored past the caches, those of a single one are
  /// not.
  @Test("an image of a wide network has the same bytes alone and in a batch, at every level")
  func sameBytesPastTheCaches() throws {
    let shape = try DCGANShape(latent: 4, generatorWidth: 64, side: 64)
    let weights = weights(shape, seed: 8)
    let latents = (0..<7 * shape.latent).map { Float(($0 * 31) % 67) / 20 - 1.6 }
    var fused: [Float]?
    for level in InstructionSet.available {
      let generator = Generator(weights, instructionSet: level, threads: 1)
      let whole = generator.pictures(latents: latents)
      let single = generator.pictures(latents: Array(latents.suffix(shape.latent)))
      #expect(single == Array(whole.suffix(shape.pictureCount)))
      guard level.fusesMultiplyAdd else { continue }
      #expect(fused ?? whole == whole)
      fused = whole
    }
  }

  @Test("callers on several threads can share a generator")
  func sharedByCallers() async throws {
    let shape = try DCGANShape(latent: 16, generatorWidth: 8, side: 64)
    let weights = weights(shape, seed: 7)
    // In turn: too few images for each thread to draw its own, just enough, and more.
    let batches = (0..<12).map { caller in
      (0..<[1, 5, 6, 17][caller % 4] * shape.latent).map {
        Float(($0 * 31 + caller * 7) % 67) / 20 - 1.6
      }
    }
    let alone = Generator(weights, threads: 1)
    let shared = Generator(weights, threads: 3)
    let drawn = await withTaskGroup(of: (Int, [Float]).self) { group in
      for (caller, latents) in batches.enumerated() {
        group.addTask { (caller, shared.pictures(latents: latents)) }
      }
      return await group.reduce(into: [Int: [Float]]()) { $0[$1.0] = $1.1 }
    }
    for (caller, latents) in batches.enumerated() {
      #expect(drawn[caller] == alone.pictures(latents: latents))
    }
  }
}
