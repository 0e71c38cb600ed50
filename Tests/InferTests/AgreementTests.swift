import BollyGANInfer
import BollyGANModel
import Foundation
import Testing

/// A generator, and the images that PyTorch draws from it in float64.
struct AgreementCase: Decodable, CustomTestStringConvertible {
  let seed, nz, ngf, side, channels, latents: Int
  let gain: Float
  /// Indices of sampled values in `[latents, channels, side, side]`.
  let places: [Int]
  let values: [Double]
  /// Sums over all pixels, so that none is unchecked.
  let sum, squares: Double

  var testDescription: String { "nz \(nz), ngf \(ngf), \(side)x\(side)x\(channels)" }

  var shape: DCGANShape {
    get throws {
      try DCGANShape(latent: nz, generatorWidth: ngf, side: side, channels: channels)
    }
  }

  static let all: [AgreementCase] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/agreement.json")
    // If the fixture cannot be read, there are no cases and `count` below fails.
    return (try? JSONDecoder().decode([AgreementCase].self, from: Data(contentsOf: file))) ?? []
  }()

  /// Fails if a sampled pixel, or the mean of all pixels, is off by more than `bound`, or the mean
  /// of their squares by more than twice that.
  func expectAgreement(_ pictures: [some BinaryFloatingPoint], within bound: Double) throws {
    try #require(pictures.count == latents * channels * side * side)
    let worst = zip(places, values).map { abs(Double(pictures[$0]) - $1) }.max() ?? .infinity
    #expect(worst <= bound)
    let count = Double(pictures.count)
    let sum = pictures.reduce(0) { $0 + Double($1) }
    let squares = pictures.reduce(0) { $0 + Double($1) * Double($1) }
    #expect(abs(sum - self.sum) / count <= bound)
    #expect(abs(squares - self.squares) / count <= 2 * bound)
  }
}

@Suite("Agreement with PyTorch")
struct AgreementTests {
  @Test("the fixture covers every nz, ngf, side and number of channels")
  func count() {
    let cases = AgreementCase.all
    #expect(Set(cases.map(\.nz)) == [37, 64, 100, 128])
    #expect(Set(cases.map(\.ngf)) == [20, 48, 64])
    #expect(Set(cases.map(\.side)) == [32, 64, 128])
    #expect(Set(cases.map(\.channels)) == [1, 3])
  }

  @Test("the plain generator agrees in float32", arguments: AgreementCase.all)
  func plainFloat(_ agreement: AgreementCase) throws {
    let shape = try agreement.shape
    let weights = drawnGenerator(shape, seed: agreement.seed, gain: agreement.gain)
    let latents = drawnLatents(seed: agreement.seed, count: agreement.latents * shape.latent)
    // Sums of up to 4,096 terms are off by a few ulp of the largest one.
    try agreement.expectAgreement(
      PlainGenerator<Float>(weights).pictures(latents: latents), within: 1e-5)
  }

  @Test("the plain generator agrees in float64", arguments: AgreementCase.all)
  func plainDouble(_ agreement: AgreementCase) throws {
    let shape = try agreement.shape
    let weights = drawnGenerator(shape, seed: agreement.seed, gain: agreement.gain)
    let latents = drawnLatents(seed: agreement.seed, count: agreement.latents * shape.latent)
    // The same sums in another order: a few hundred times 2^-53.
    try agreement.expectAgreement(
      PlainGenerator<Double>(weights).pictures(latents: latents.map(Double.init)), within: 1e-12)
  }

  @Test(
    "the fast generator agrees at every instruction set", arguments: AgreementCase.all,
    InstructionSet.available)
  func fused(_ agreement: AgreementCase, level: InstructionSet) throws {
    let shape = try agreement.shape
    let weights = drawnGenerator(shape, seed: agreement.seed, gain: agreement.gain)
    let latents = drawnLatents(seed: agreement.seed, count: agreement.latents * shape.latent)
    let generator = Generator(weights, instructionSet: level, threads: 2)
    // Folding rounds each weight once more, and fast convolutions sum in another order.
    try agreement.expectAgreement(generator.pictures(latents: latents), within: 2e-5)
  }

  @Test("the fast generator's bytes are its floats, rounded", arguments: AgreementCase.all)
  func pixels(_ agreement: AgreementCase) throws {
    let shape = try agreement.shape
    let weights = drawnGenerator(shape, seed: agreement.seed, gain: agreement.gain)
    let latents = drawnLatents(seed: agreement.seed, count: agreement.latents * shape.latent)
    let generator = Generator(weights, threads: 2)
    let pictures = generator.pictures(latents: latents)
    let area = shape.side * shape.side
    let expected = (0..<agreement.latents).flatMap { picture in
      (0..<area).flatMap { pixel in
        (0..<shape.channels).map { channel in
          let value = pictures[(picture * shape.channels + channel) * area + pixel]
          return UInt8(min(max((value + 1) / 2 * 255 + 0.5, 0), 255))
        }
      }
    }
    #expect(generator.pixels(latents: latents) == expected)
  }
}
