import BollyGANModel
import BollyGANTrain
import Testing

/// One case of `Fixtures/gradients.json`: what PyTorch makes of a small network in float64.
struct GradientFixture: Decodable, Sendable, CustomTestStringConvertible {
  struct Case: Decodable, Sendable {
    let name: String
    let nz: Int
    let channels: Int
    let rateG: Double
    let rateD: Double
    let beta1: Double
    let side: Int
    let ngf: Int
    let ndf: Int
    let normalisesFirst: Bool
    let fresh: Bool
    let pictures: Int
    let fakes: Int
  }
  struct Losses: Decodable, Sendable {
    let lossD: Double
    let lossG: Double
    let dX: Double
    let dGz1: Double
    let dGz2: Double
  }
  struct After: Decodable, Sendable {
    let discriminator: [String: Digest]
    let generator: [String: Digest]
    let discriminatorAdam: [String: Digest]
    let generatorAdam: [String: Digest]
  }
  let `case`: Case
  /// Of each step.
  let losses: [Losses]
  /// Gradients of the first step.
  let discriminator: [String: Digest]
  let generator: [String: Digest]
  /// The state after all steps.
  let after: After
  /// Pictures after all steps, by the batch's statistics and by the running ones.
  let picturesBatch: Digest
  let picturesRunning: Digest

  /// The plain trainer's gradients of the first step in float64, by the case's name.
  static let exactGradients = Dictionary(
    uniqueKeysWithValues: all.map { fixture in
      let trainer = PlainTrainer<Double>(
        configuration: fixture.configuration, generator: fixture.generatorWeights,
        discriminator: fixture.discriminatorWeights)
      return (fixture.case.name, try! trainer.gradients(fixture.batch(0)))
    })

  static let all = fixture("gradients.json", as: [GradientFixture].self).filter {
    !isDebugBuild || $0.case.ngf < 10
  }

  var testDescription: String { `case`.name }

  var configuration: TrainingConfiguration {
    TrainingConfiguration(
      shape: try! DCGANShape(
        latent: `case`.nz, generatorWidth: `case`.ngf, discriminatorWidth: `case`.ndf,
        side: `case`.side, channels: `case`.channels),
      normalisesFirst: `case`.normalisesFirst, freshLatents: `case`.fresh,
      generatorRate: `case`.rateG, discriminatorRate: `case`.rateD, beta1: `case`.beta1)
  }

  var generatorWeights: GeneratorWeights { Formula.generator(configuration.shape) }

  var discriminatorWeights: DiscriminatorWeights {
    Formula.discriminator(configuration.shape, normalisesFirst: `case`.normalisesFirst)
  }

  /// The pictures and latents of a step; other ones in each.
  func batch(_ step: Int) -> TrainingBatch {
    TrainingBatch(
      pixels: Formula.bytes(
        salt: 10_000 + step, count: `case`.pictures * configuration.shape.pictureCount),
      latents: Formula.floats(
        salt: 20_000 + step, count: `case`.fakes * `case`.nz, spread: 1.75),
      generatorLatents: `case`.fresh
        ? Formula.floats(salt: 30_000 + step, count: `case`.fakes * `case`.nz, spread: 1.75) : nil)
  }
}
