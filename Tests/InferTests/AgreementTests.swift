import BollyGANInfer
import BollyGANModel
import Foundation
import Testing

/// A generator and what PyTorch says in float64 that it draws.
struct AgreementCase: Decodable, CustomTestStringConvertible {
  let seed, nz, ngf, side, channels, latents: Int
  let gain: Float
  /// Positions in `[latents, channels, side, side]`.
  let places: [Int]
  let values: [Double]
  /// Over all pixels, so that none escapes.
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
    // A fixture that cannot be read leaves no cases; `count` below then fails.
    return (try? JSONDecoder().decode([AgreementCase].self, from: Data(contentsOf: file))) ?? []
  }()

  /// Fails where a sampled pixel, or the mean of all or of their squares, is off by more.
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

  @Test("the plain generator in float32", arguments: AgreementCase.all)
  func plainFloat(_ agreement: AgreementCase) throws {
    let shape = try agreement.shape
    let weights = drawnGenerator(shape, seed: agreement.seed, gain: agreement.gain)
    let latents = drawnLatents(seed: agreement.seed, count: agreement.latents * shape.latent)
    // Up to 4096 terms to a sum, a few ulp of the largest each.
    try agreement.expectAgreement(
      PlainGenerator<Float>(weights).pictures(latents: latents), within: 1e-5)
  }

  @Test("the plain generator in float64", arguments: AgreementCase.all)
  func plainDouble(_ agreement: AgreementCase) throws {
    let shape = try agreement.shape
    let weights = drawnGenerator(shape, seed: agreement.seed, gain: agreement.gain)
    let latents = drawnLatents(seed: agreement.seed, count: agreement.latents * shape.latent)
    // The same sums in another order: 2^-53 times some hundreds.
    try agreement.expectAgreement(
      PlainGenerator<Double>(weights).pictures(latents: latents.map(Double.init)), within: 1e-12)
  }

  @Test(
    "the fused generator at every instruction set", arguments: AgreementCase.all,
    InstructionSet.available)
  func fused(_ agreement: AgreementCase, level: InstructionSet) throws {
    let shape = try agreement.shape
    let weights = drawnGenerator(shape, seed: agreement.seed, gain: agreement.gain)
    let latents = drawnLatents(seed: agreement.seed, count: agreement.latents * shape.latent)
    let generator = Generator(weights, instructionSet: level, threads: 2)
    // Folding rounds each weight once more, and tiles add in another order.
    try agreement.expectAgreement(generator.pictures(latents: latents), within: 2e-5)
  }

  @Test("the fused generator's bytes are its pictures, rounded", arguments: AgreementCase.all)
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
