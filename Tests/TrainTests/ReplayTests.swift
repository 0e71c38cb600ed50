import BollyGANModel
import BollyGANDemo
import BollyGANRuns
import BollyGANTraining
import Testing

/// `Fixtures/replay.json`: 50 steps of each script in PyTorch's float64.
private struct ReplayFixture: Decodable, Sendable {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let recipe: String
    let seed: Int64
    let preview: Bool
    let losses: [[Double]]
    let generator: [String: Digest]
    let discriminator: [String: Digest]

    var testDescription: String { "\(recipe), seed \(seed), \(preview ? "" : "no ")preview" }
  }
  let pixelSum: Int
  let cases: [Case]

  static let shared = fixture("replay.json", as: ReplayFixture.self)
}

/// Cartoon faces drawn in integer arithmetic, as by `Fixtures/replay.py`.
private enum Cartoon {
  static let all: [[UInt8]] = (0..<200).map { draw($0) }

  static func draw(_ index: Int) -> [UInt8] {
    let words = Formula.words(salt: 50_000 + index, count: 24).map { Int($0) }
    let colours = (0..<4).map { i in (0..<3).map { 48 + words[3 * i + $0] % 160 } }
    let (cx, cy) = (27 + words[12] % 11, 27 + words[13] % 11)
    let (a, b) = (14 + words[14] % 10, 18 + words[15] % 10)
    let (apart, height, radius) = (5 + words[16] % 5, words[17] % 8, 2 + words[18] % 3)
    let (wide, low) = (3 + words[19] % 7, 6 + words[20] % 6)
    var pixels: [UInt8] = []
    for y in 0..<64 {
      for x in 0..<64 {
        let (dx, dy) = (x - cx, y - cy)
        var colour = 0
        if dx * dx * b * b + dy * dy * a * a <= a * a * b * b {
          let ex = abs(dx) - apart
          let inEye = ex * ex + (dy + height) * (dy + height) <= radius * radius
          let inMouth = abs(dx) <= wide && (0...2).contains(dy - low)
          colour = inEye ? 2 : inMouth ? 3 : 1
        }
        pixels += colours[colour].map { UInt8($0 * (96 + y) / 160) }
      }
    }
    return pixels
  }
}

@Suite("Replay")
struct ReplayTests {
  @Test("Swift and Python draw the same images")
  func pictures() {
    #expect(
      Cartoon.all.reduce(0) { $1.reduce($0) { $0 + Int($1) } } == ReplayFixture.shared.pixelSum)
  }

  // PyTorch with another memory layout differs from itself by up to 3e-13 here.
  @Test(
    "50 steps in float64 equal PyTorch's to 1e-10", arguments: ReplayFixture.shared.cases)
  fileprivate func replay(fixture: ReplayFixture.Case) throws {
    var recipe = try #require(Recipe.all.first { $0.name == fixture.recipe })
    recipe.preview = fixture.preview
    recipe.batch = 16
    let shape = try DCGANShape(latent: recipe.latent, generatorWidth: 8)
    var stream = TrainingStream(
      recipe: recipe, shape: shape, seed: fixture.seed, pictureCount: Cartoon.all.count)
    let trainer = PlainTrainer<Double>(
      configuration: recipe.configuration(for: shape), generator: stream.initialGenerator,
      discriminator: stream.initialDiscriminator)
    let steps = isDebugBuild ? 2 : fixture.losses.count
    var losses: [StepLosses] = []
    while losses.count < steps {
      let order = stream.epochOrder()
      for start in stride(from: 0, to: order.count, by: recipe.batch)
      where losses.count < steps {
        let pictures = order[start..<min(start + recipe.batch, order.count)]
        let draw = stream.draw(pictureCount: pictures.count)
        losses.append(
          try trainer.step(
            TrainingBatch(
              pixels: pictures.flatMap { Cartoon.all[$0] }, latents: draw.latents,
              generatorLatents: draw.generatorLatents)))
      }
    }
    var deviation = Deviation()
    for (step, (found, expected)) in zip(losses, fixture.losses).enumerated() {
      let found = [found.lossD, found.lossG, found.dX, found.dGz1, found.dGz2]
      for (found, expected) in zip(found, expected) {
        deviation.take(abs(found - expected) / abs(expected), at: "step \(step + 1)")
      }
    }
    #expect(deviation.value < 1e-10, "\(deviation)")
    guard steps == fixture.losses.count else { return }
    var weights = Deviation()
    let state = trainer.exactState
    weights.take(state.generator.namedTensors, fixture.generator, at: "generator")
    weights.take(state.discriminator.namedTensors, fixture.discriminator, at: "discriminator")
    #expect(weights.value < 1e-10, "\(weights)")
  }
}
