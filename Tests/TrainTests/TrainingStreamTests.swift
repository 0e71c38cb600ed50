import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

/// One case of `Fixtures/initial-weights.json`: SHA-256 of PyTorch's random numbers at full size.
private struct BeginningFixture: Decodable, Sendable, CustomTestStringConvertible {
  let recipe: String
  let seed: Int64
  let preview: Bool
  let pictures: Int
  let generator: String
  let discriminator: String
  let fixedLatents: String
  let orderOfTwoEpochs: String
  let latentsOfTwoEpochs: String

  static let all = fixture("initial-weights.json", as: [BeginningFixture].self)

  var testDescription: String { "\(recipe), seed \(seed), \(preview ? "" : "no ")preview" }

  func stream() throws -> (stream: TrainingStream, recipe: Recipe) {
    var recipe = try #require(Recipe.all.first { $0.name == self.recipe })
    recipe.preview = preview
    let shape = try DCGANShape(latent: recipe.latent)
    return (
      TrainingStream(recipe: recipe, shape: shape, seed: seed, pictureCount: pictures), recipe
    )
  }
}

@Suite("Random numbers of a run")
struct TrainingStreamTests {
  private static func hash(_ layers: [LayerWeights]) -> String {
    hash(layers.flatMap { $0.kernel.values + ($0.norm.map { $0.scale + $0.shift } ?? []) })
  }

  private static func hash(_ values: [Float]) -> String {
    SHA256.hex(
      of: values.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
      })
  }

  @Test("initial weights equal PyTorch's bit for bit", arguments: BeginningFixture.all)
  fileprivate func weights(fixture: BeginningFixture) throws {
    let (stream, _) = try fixture.stream()
    #expect(Self.hash(stream.initialGenerator.layers) == fixture.generator)
    #expect(Self.hash(stream.initialDiscriminator.layers) == fixture.discriminator)
    #expect(Self.hash(stream.fixedLatents) == fixture.fixedLatents)
  }

  @Test("batches and latents equal PyTorch's bit for bit", arguments: BeginningFixture.all)
  fileprivate func steps(fixture: BeginningFixture) throws {
    var (stream, recipe) = try fixture.stream()
    var order: [Int] = []
    var latents: [Float] = []
    for _ in 0..<2 {
      let epoch = stream.epochOrder()
      order += epoch
      for start in stride(from: 0, to: epoch.count, by: recipe.batch) {
        let draw = stream.draw(pictureCount: min(recipe.batch, epoch.count - start))
        #expect(!draw.mirrored.contains(true))
        latents += draw.latents + (draw.generatorLatents ?? [])
      }
    }
    let bytes = order.flatMap { index in
      (0..<8).map { UInt8(truncatingIfNeeded: index >> (8 * $0)) }
    }
    #expect(SHA256.hex(of: bytes) == fixture.orderOfTwoEpochs)
    #expect(Self.hash(latents) == fixture.latentsOfTwoEpochs)
  }

  @Test("a stream resumes bit for bit", arguments: Recipe.all)
  func resumes(recipe: Recipe) throws {
    // 3 latents of 37 leave a tail, which PyTorch draws again. 3 latents of 5 are fewer than 16
    // numbers, which PyTorch draws one by one.
    for latent in [37, 5] {
      let shape = try DCGANShape(latent: latent, generatorWidth: 2)
      var stream = TrainingStream(recipe: recipe, shape: shape, seed: 7, pictureCount: 300)
      let order = stream.epochOrder()
      #expect(order.sorted() == Array(0..<300))
      _ = stream.draw(pictureCount: 3)
      var resumed = TrainingStream(recipe: recipe, shape: shape, seed: 8, pictureCount: 300)
      try resumed.resume(stream.blob)
      #expect(stream.draw(pictureCount: 3) == resumed.draw(pictureCount: 3))
      #expect(stream.epochOrder() == resumed.epochOrder())
      #expect(stream.blob == resumed.blob)
    }
  }

  @Test("images are mirrored half of the time if the recipe mirrors")
  func mirrors() throws {
    let shape = try DCGANShape(latent: 1, generatorWidth: 1)
    var stream = TrainingStream(recipe: .bollygan, shape: shape, seed: 1, pictureCount: 10_000)
    let draw = stream.draw(pictureCount: 10_000)
    // Four standard deviations of 10,000 throws of a fair coin.
    #expect(abs(draw.mirrored.count { $0 } - 5000) < 200)
    #expect(draw.latents.count == 10_000 && draw.generatorLatents?.count == 10_000)
    #expect(draw.latents != draw.generatorLatents)
  }

  @Test("the article generates a full batch even if the last real batch is short")
  func shortBatches() throws {
    let shape = try DCGANShape(latent: 2, generatorWidth: 1)
    for (recipe, count) in [(Recipe.article, 128), (.tutorial, 5), (.bollygan, 5)] {
      var stream = TrainingStream(recipe: recipe, shape: shape, seed: 1, pictureCount: 133)
      let draw = stream.draw(pictureCount: 5)
      #expect(draw.latents.count == 2 * count)
      #expect(draw.generatorLatents?.count == (recipe.freshLatents ? 2 * count : nil))
    }
  }
}

@Suite("Recipes")
struct RecipeTests {
  @Test("a recipe survives a round trip through JSON", arguments: Recipe.all)
  func codes(recipe: Recipe) throws {
    #expect(try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(recipe)) == recipe)
    try recipe.validate()
  }

  @Test("an epoch's steps include its short batch unless that is dropped")
  func steps() {
    #expect(Recipe.tutorial.stepsPerEpoch(pictureCount: 7114) == 56)
    #expect(Recipe.article.stepsPerEpoch(pictureCount: 7168) == 56)
    #expect(Recipe.article.stepsPerEpoch(pictureCount: 1) == 1)
    #expect(Recipe.bollygan.stepsPerEpoch(pictureCount: 7114) == 444)
    #expect(Recipe.bollygan.stepsPerEpoch(pictureCount: 15) == 0)
  }

  @Test(
    "an error names the value that is out of bounds",
    arguments: [
      (\Recipe.generatorRate, .nan, "generator's learning rate"),
      (\.discriminatorRate, 0, "discriminator's learning rate"),
      (\.beta1, 1, "beta1"), (\.beta2, -0.1, "beta2"), (\.holdout, 1.5, "held-out share"),
    ] as [(WritableKeyPath<Recipe, Double> & Sendable, Double, String)])
  func refuses(path: WritableKeyPath<Recipe, Double> & Sendable, value: Double, what: String) {
    var recipe = Recipe.article
    recipe[keyPath: path] = value
    let error = #expect(throws: RecipeError.self) { try recipe.validate() }
    #expect(error?.what == what)
  }

  @Test("counts and names that are out of bounds are refused")
  func refusesCounts() {
    let spoilt: [(inout Recipe) -> Void] = [
      { $0.batch = 0 }, { $0.epochs = 0 }, { $0.latent = 1025 },
      { $0.generatorAverage = 1 },
    ]
    for spoil in spoilt {
      var recipe = Recipe.bollygan
      spoil(&recipe)
      #expect(throws: RecipeError.self) { try recipe.validate() }
    }
  }
}
