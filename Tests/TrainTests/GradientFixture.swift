import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Testing

/// One case of `Fixtures/gradients.json` or `techniques.json`: a few steps of a small network in
/// PyTorch's float64.
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
    /// Number of the data set, see `gradients.py`.
    let data: Int
    /// Nil in `gradients.json`, as are the next three.
    let techniques: Techniques?
    /// Factor of the learning rates in each step.
    let rateFactors: [Double]?
    /// Standard deviation of the noise in each step.
    let noise: [Double]?
    /// Weight of R1 in each step.
    let slopePenalties: [Double]?
  }
  struct Losses: Decodable, Sendable {
    let lossD: Double
    let lossG: Double
    let dX: Double
    let dGz1: Double
    let dGz2: Double
    let r1: Double?
  }
  struct After: Decodable, Sendable {
    let discriminator: [String: Digest]
    let generator: [String: Digest]
    let discriminatorAdam: [String: Digest]
    let generatorAdam: [String: Digest]
    /// Vectors of spectral normalisation (`main.0.weight_u`, ...).
    let spectral: [String: Digest]?
  }
  let `case`: Case
  /// Losses of each step.
  let losses: [Losses]
  /// Gradients of the first step.
  let discriminator: [String: Digest]
  let generator: [String: Digest]
  /// The state after all steps.
  let after: After
  /// Images after all steps, by the batch's statistics and by the running ones.
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

  static let all = ["gradients.json", "techniques.json"].flatMap {
    fixture($0, as: [GradientFixture].self)
  }.filter { !isDebugBuild || $0.case.ngf < 10 }

  var testDescription: String { `case`.name }

  var configuration: TrainingConfiguration {
    TrainingConfiguration(
      shape: try! DCGANShape(
        latent: `case`.nz, generatorWidth: `case`.ngf, discriminatorWidth: `case`.ndf,
        side: `case`.side, channels: `case`.channels),
      normalisesFirst: `case`.normalisesFirst, freshLatents: `case`.fresh,
      generatorRate: `case`.rateG, discriminatorRate: `case`.rateD, beta1: `case`.beta1,
      techniques: `case`.techniques ?? .none)
  }

  var generatorWeights: GeneratorWeights { Formula.generator(configuration.shape) }

  var discriminatorWeights: DiscriminatorWeights {
    Formula.discriminator(
      configuration.shape, normalisesFirst: `case`.normalisesFirst,
      normalises: configuration.techniques.discriminatorNorm == .batch)
  }

  /// The images and latents of a step.
  func batch(_ step: Int) -> TrainingBatch {
    let salt = 100 * `case`.data + step
    return TrainingBatch(
      pixels: Formula.bytes(
        salt: 10_000 + salt, count: `case`.pictures * configuration.shape.pictureCount),
      latents: Formula.floats(
        salt: 20_000 + salt, count: `case`.fakes * `case`.nz, spread: 1.75),
      generatorLatents: `case`.fresh
        ? Formula.floats(salt: 30_000 + salt, count: `case`.fakes * `case`.nz, spread: 1.75) : nil,
      changes: configuration.techniques.augmentation.isEmpty
        ? nil
        : BatchChanges(
          real: changes(step, batch: 0, count: `case`.pictures),
          fake: changes(step, batch: 1, count: `case`.fakes),
          generator: changes(step, batch: 2, count: `case`.fakes)),
      // The step after the last one is used for its latents only.
      noise: `case`.noise.map {
        InstanceNoise(deviation: $0[min(step, $0.count - 1)], seed: UInt64(50_000 + salt))
      },
      rateFactor: `case`.rateFactors.map { $0[min(step, $0.count - 1)] } ?? 1,
      slopePenalty: `case`.slopePenalties.map { $0[min(step, $0.count - 1)] } ?? 0)
  }

  /// The changes of `techniques.py`.
  private func changes(_ step: Int, batch: Int, count: Int) -> [PictureChange] {
    let kinds = configuration.techniques.augmentation
    let side = `case`.side
    let words = Formula.words(salt: 40_000 + 3 * step + batch, count: 7 * count)
    return (0..<count).map { picture in
      let words = words[picture * 7..<(picture + 1) * 7].map { Int($0) }
      let shares = words[..<3].map { Float($0 >> 9) * 0x1p-23 }
      let reach = 2 * (side / 8) + 1
      var change = PictureChange.none
      if kinds.contains(.color) {
        change.brightness = shares[0] - 0.5
        change.saturation = shares[1] * 2
        change.contrast = shares[2] + 0.5
      }
      if kinds.contains(.translation) {
        change.rowShift = words[3] % reach - side / 8
        change.columnShift = words[4] % reach - side / 8
      }
      if kinds.contains(.cutout) {
        change.cutRow = words[5] % (side + 1)
        change.cutColumn = words[6] % (side + 1)
      }
      return change
    }
  }
}
