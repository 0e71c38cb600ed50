import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Techniques")
struct TechniqueTests {
  private func stream(_ techniques: Techniques, pictures: Int) throws -> TrainingStream {
    var recipe = Recipe.bollygan
    recipe.techniques = techniques
    return TrainingStream(
      recipe: recipe, shape: try DCGANShape(latent: 1, generatorWidth: 1), seed: 1,
      pictureCount: pictures)
  }

  @Test("DiffAugment's numbers are distributed as in its paper")
  func changes() throws {
    var techniques = Techniques.none
    techniques.augmentation = [.color, .translation, .cutout]
    var stream = try stream(techniques, pictures: 10_000)
    let changes = try #require(stream.draw(pictureCount: 10_000).changes)
    #expect(changes.real.count == 10_000 && changes.fake.count == 10_000)
    #expect(changes.generator.count == 10_000)
    #expect(changes.real != changes.fake && changes.fake != changes.generator)
    // Four standard deviations of the mean of 10,000 uniform numbers are 4 · width/√12/100.
    for (name, place, middle, width) in [
      ("brightness", \PictureChange.brightness, Float(0), Float(1)),
      ("saturation", \.saturation, 1, 2), ("contrast", \.contrast, 1, 1),
    ] {
      let values = changes.real.map { $0[keyPath: place] }
      #expect(values.allSatisfy { abs($0 - middle) <= width / 2 }, "\(name)")
      #expect(abs(values.reduce(0, +) / 10_000 - middle) < 0.012 * width, "\(name)")
      #expect(values.max()! - values.min()! > 0.99 * width, "\(name)")
    }
    // An eighth of 64 pixels in each direction, and a square's middle on any of 65 lines.
    #expect(Set(changes.real.map(\.rowShift)) == Set(-8...8))
    #expect(Set(changes.real.map(\.columnShift)) == Set(-8...8))
    #expect(Set(changes.real.map { $0.cutRow ?? -1 }) == Set(0...64))
    #expect(Set(changes.real.map { $0.cutColumn ?? -1 }) == Set(0...64))
    #expect(changes.real.contains { $0.rowShift != $0.columnShift && $0.cutRow != $0.cutColumn })
  }

  @Test("a kind of change that is off draws no random numbers")
  func noChange() throws {
    var none = try stream(.none, pictures: 100)
    var techniques = Techniques.none
    techniques.augmentation = .cutout
    var some = try stream(techniques, pictures: 100)
    let (plain, cut) = (none.draw(pictureCount: 7), some.draw(pictureCount: 7))
    #expect(plain.changes == nil && plain.latents == cut.latents)
    #expect(plain.generatorLatents == cut.generatorLatents)
    let changes = try #require(cut.changes)
    #expect(changes.real.allSatisfy { $0.keepsAllButTheSquare && $0.cutRow != nil })
    // 21 images, with a row and a column each.
    var random = try TorchRandom(blob: none.blob)
    random.skip(words: 42)
    #expect(random.blob == some.blob)
  }

  @Test("learning rates are constant, then fall linearly to 0; noise falls from the start")
  func schedules() {
    var techniques = Techniques.none
    #expect((0..<10).allSatisfy { techniques.rateFactor(step: $0, of: 10) == 1 })
    techniques.rateDecay = 0.4
    let factors = (0...10).map { techniques.rateFactor(step: $0, of: 10) }
    #expect(factors == [1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0])
    techniques.rateDecay = 1
    #expect(techniques.rateFactor(step: 1, of: 4) == 0.75)
    techniques.instanceNoise = 0.5
    #expect(
      (0...4).map { techniques.noiseDeviation(step: $0, of: 4) } == [0.5, 0.375, 0.25, 0.125, 0])
    techniques.noiseFloor = 0.2
    #expect(
      (0...4).map { techniques.noiseDeviation(step: $0, of: 4) } == [0.5, 0.375, 0.25, 0.2, 0.2])
  }

  @Test("noise is normal, has the given deviation, and differs for every image")
  func noise() {
    let noise = InstanceNoise(deviation: 0.5, seed: 3)
    func numbers(_ batch: StepBatch, _ picture: Int) -> [Double] {
      var numbers = [Double](repeating: 0, count: 12_288)
      noise.each(batch, picture: picture, count: numbers.count) { numbers[$0] += Double($1) }
      return numbers
    }
    let first = numbers(.real, 0)
    #expect(first == numbers(.real, 0))
    let others = [numbers(.real, 1), numbers(.fake, 0), numbers(.generator, 0)]
    let all = first + others.joined()
    let count = Double(all.count)
    func moment(_ power: Int) -> Double {
      all.reduce(0) { sum, x in sum + (0..<power).reduce(1) { y, _ in y * x / 0.5 } } / count
    }
    // A normal distribution's moments are 0, 1, 0 and 3. The tolerances are four standard
    // deviations of their estimates, √(1, 2, 15, 96) / √n.
    #expect(abs(moment(1)) < 4 / count.squareRoot())
    #expect(abs(moment(2) - 1) < 4 * (2 / count).squareRoot())
    #expect(abs(moment(3)) < 4 * (15 / count).squareRoot())
    #expect(abs(moment(4) - 3) < 4 * (96 / count).squareRoot())
    for other in others {
      let together = zip(first, other).reduce(0) { $0 + $1.0 * $1.1 } / 0.25 / 12_288
      #expect(
        abs(together) < 4 / 12_288.0.squareRoot(), "numbers of different images are independent")
    }
  }

  @Test("the number of epochs is part of a run's identity if rates or noise fall over them")
  func length() {
    let begun = RunDefinition(recipe: .bollygan, seed: 1)
    for place in [\Techniques.rateDecay, \.instanceNoise] {
      var falling = begun
      falling.recipe.techniques[keyPath: place] = 0.5
      var longer = falling
      longer.recipe.epochs += 10
      #expect(longer.hash != falling.hash)
      #expect(longer.differences(from: falling) == ["recipe.epochs: 70, not 60"])
    }
    // With constant noise and rates, steps do not depend on the length of the run.
    var longer = begun
    longer.recipe.epochs += 10
    #expect(begun.recipe.techniques.noiseFloor > 0 && longer.hash == begun.hash)
  }

  @Test("the guard notices a perfect discriminator even if labels are smoothed")
  func smoothedGuard() {
    var techniques = Techniques.none
    techniques.labelSmoothing = 0.1
    // −0.9 ln 0.9 − 0.1 ln 0.1
    #expect(abs(techniques.leastLoss - 0.3250829733914482) < 1e-15)
    var watch = DivergenceGuard(stepsPerEpoch: 56, techniques: techniques)
    let won = StepLosses(lossD: 0.3255, lossG: 9, dX: 0.9, dGz1: 0, dGz2: 0)
    let verdicts = (1...200).map { _ in watch.observe(won) }
    #expect(verdicts.last == .discriminatorWon && verdicts.dropLast().allSatisfy { $0 == nil })
  }

  @Test("an error names the technique whose value is out of bounds")
  func refuses() {
    let spoilt: [(String, (inout Techniques) -> Void)] = [
      ("label smoothing", { $0.labelSmoothing = 0.5 }),
      ("label smoothing", { ($0.labelSmoothing, $0.loss) = (0.1, .hinge) }),
      ("label smoothing", { ($0.labelSmoothing, $0.loss) = (0.1, .pairedLogistic) }),
      ("instance noise", { $0.instanceNoise = -0.1 }),
      ("instance noise", { $0.instanceNoise = .nan }),
      ("noise floor", { $0.noiseFloor = -0.1 }),
      ("decay of the learning rate", { $0.rateDecay = 1.5 }),
      ("weight of R1", { $0.r1 = 1 }),
      ("weight of R1", { ($0.r1, $0.discriminatorNorm) = (-1, .none) }),
      ("steps from one R1 to the next", { $0.r1Every = 0 }),
    ]
    for (what, spoil) in spoilt {
      var recipe = Recipe.bollygan
      spoil(&recipe.techniques)
      let error = #expect(throws: RecipeError.self) { try recipe.validate() }
      #expect(error?.what == what)
    }
  }

  @Test("R1 every 16 steps has 16 times its weight, so its mean weight is unchanged")
  func penalties() {
    var techniques = Techniques.none
    #expect((0..<40).allSatisfy { techniques.slopePenalty(step: $0) == 0 })
    techniques.r1 = 0.5
    #expect((0..<32).map { techniques.slopePenalty(step: $0) }.filter { $0 != 0 } == [8, 8])
    #expect(techniques.slopePenalty(step: 0) == 8 && techniques.slopePenalty(step: 16) == 8)
    techniques.r1Every = 1
    #expect(techniques.slopePenalty(step: 7) == 0.5)
  }

  private struct Spectrum: Decodable {
    let salt: Int
    let outputs: Int
    let inputs: Int
    let largest: Double
    let ratio: Double
  }

  @Test("power iteration finds LAPACK's largest singular value")
  func largestSingularValue() {
    for kernel in fixture("spectral.json", as: [Spectrum].self) {
      let numbers = Formula.uniform(salt: kernel.salt, count: kernel.outputs * kernel.inputs * 16)
      var spectral = PlainSpectral<Double>(rows: kernel.outputs, kernel: numbers)
      // No vectors of length 1 exceed the largest value.
      #expect(spectral.value(numbers) <= kernel.largest * (1 + 1e-14))
      #expect(spectral.value(numbers) > 0.9 * kernel.largest)
      // Each round shrinks the error by the fourth power of the ratio. 0.99 to the power of
      // 4 · 1,000 is 10^-18.
      for _ in 0..<1000 { spectral.iterate(numbers) }
      #expect(abs(spectral.value(numbers) / kernel.largest - 1) < 1e-12, "\(kernel)")
      var divided = PlainSpectral<Double>(
        rows: kernel.outputs, kernel: spectral.normalised(numbers))
      for _ in 0..<1000 { divided.iterate(spectral.normalised(numbers)) }
      #expect(abs(divided.value(spectral.normalised(numbers)) - 1) < 1e-12)
    }
  }

  @Test("spectral normalisation's gradient matches finite differences")
  func spectralGradient() {
    let kernel = Formula.uniform(salt: 1, count: 4 * 48)
    let toDivided = Formula.uniform(salt: 2, count: kernel.count)
    let spectral = PlainSpectral<Double>(rows: 4, kernel: kernel)
    let gradient = spectral.backward(toDivided, kernel: kernel)
    // The function is smooth and of order 1, so central differences are accurate to 10^-9.
    let step = 1e-5
    for index in stride(from: 0, to: kernel.count, by: 7) {
      let values = [step, -step].map { step in
        var moved = kernel
        moved[index] += step
        return zip(spectral.normalised(moved), toDivided).reduce(0) { $0 + $1.0 * $1.1 }
      }
      #expect(abs((values[0] - values[1]) / (2 * step) - gradient[index]) < 1e-8)
    }
  }

  @Test("a run with spectral normalisation writes the divided kernels")
  func spectralRun() async throws {
    var tiny = try await TinyRun(epochs: 4)
    tiny.recipe.techniques.discriminatorNorm = .spectral
    _ = try await tiny.begin("run")
    let given = try DiscriminatorWeights(
      SafetensorsFile(bytes: tiny.scratch.bytes("run/discriminator.safetensors")))
    let checkpoint = try SafetensorsFile(
      bytes: tiny.scratch.bytes("run/\(RunFolder.checkpointName(step: 20))"))
    #expect(!given.normalises && given.layers.dropLast().allSatisfy { $0.bias != nil })
    for (index, layer) in given.layers.enumerated() {
      let kernel = layer.kernel.values.map { Double($0) }
      var spectral = PlainSpectral<Double>(rows: layer.kernel.shape[0], kernel: kernel)
      for _ in 0..<100 { spectral.iterate(kernel) }
      // 15 rounds and one for each step find slightly less than the largest value, never more.
      #expect((1 - 1e-5..<1.05).contains(spectral.value(kernel)), "layer \(index)")
      let name = "main.\(2 * index).weight"
      let trained = try #require(checkpoint.tensors["discriminator.\(name)"]).floats()
      let ratios = zip(trained, layer.kernel.values).map { $0 / $1 }
      #expect(ratios.max()! - ratios.min()! < 1e-4 * ratios.max()!, "each kernel has one divisor")
      #expect(checkpoint.tensors["spectral.\(name)_u"]?.shape == [layer.kernel.shape[0]])
      #expect(
        checkpoint.tensors["spectral.\(name)_v"]?.shape == [layer.kernel.shape[1] * 16])
    }
  }

  @Test("a list of changes survives a round trip, and other names are refused")
  func list() {
    for list in ["none", "color", "translation,cutout", "color,translation,cutout"] {
      #expect(Augmentation(list)?.description == list)
    }
    #expect(Augmentation("cutout,color") == [.color, .cutout])
    for bad in ["", "colour", "color,", "color,color", "none,color", "Color", " color"] {
      #expect(Augmentation(bad) == nil, "\(bad)")
    }
  }

  @Test("a run from before techniques existed is readable, and keeps its hash")
  func older() throws {
    let definition = RunDefinition(recipe: .article, seed: -7, pictures: "abc")
    let record = RunRecord(
      date: "2026-11-23", definition: definition, options: RunOptions(),
      data: .init(folder: "/pictures", pictures: 12, skipped: 0))
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(record.encoded())) as? [String: Any])
    var older = object
    var olderDefinition = try #require(older["definition"] as? [String: Any])
    var olderRecipe = try #require(olderDefinition["recipe"] as? [String: Any])
    #expect(olderRecipe.removeValue(forKey: "techniques") != nil)
    olderDefinition["recipe"] = olderRecipe
    older["definition"] = olderDefinition
    let bytes = [UInt8](try JSONSerialization.data(withJSONObject: older))
    #expect(try RunRecord(bytes: bytes, path: "run.json") == record)
    // The fields that the version of 2026-11-23 hashed.
    let lines = """
      recipe.name=article
      recipe.latent=64
      recipe.normalisesFirst=true
      recipe.initialisation=torchDefault
      recipe.freshLatents=true
      recipe.generatorRate=0.0002
      recipe.discriminatorRate=0.0002
      recipe.beta1=0.5
      recipe.beta2=0.999
      recipe.batch=128
      recipe.lastBatch=shortWithFullLatents
      recipe.drawingOrder=article
      recipe.preview=true
      recipe.pictureRules=pillow
      recipe.mirror=false
      recipe.generatorAverage=nothing
      recipe.holdout=0.0
      seed=-7
      side=64
      channels=3
      generatorWidth=64
      discriminatorWidth=64
      initialGenerator=nothing
      initialDiscriminator=nothing
      pictures=abc

      """
    #expect(definition.hash == SHA256.hex(of: Array(lines.utf8)))
    var changed = definition
    changed.recipe.techniques.augmentation = .color
    #expect(changed.hash != definition.hash)
    #expect(
      definition.differences(from: changed) == [
        "recipe.techniques.augmentation: none, not color"
      ])
  }

  @Test(
    "a run with techniques resumes after a power cut as if uninterrupted", arguments: [3, 8],
    [DiscriminatorNorm.batch, .spectral])
  func resumes(step: Int, norm: DiscriminatorNorm) async throws {
    var tiny = try await TinyRun()
    tiny.recipe.techniques.discriminatorNorm = norm
    if norm != .batch { (tiny.recipe.techniques.r1, tiny.recipe.techniques.r1Every) = (1, 4) }
    tiny.recipe.techniques.augmentation = [.color, .translation, .cutout]
    (tiny.recipe.techniques.loss, tiny.recipe.techniques.labelSmoothing) = (
      norm == .batch ? .pairedLogistic : .hinge, 0
    )
    tiny.recipe.techniques.instanceNoise = 0.1
    tiny.recipe.techniques.rateDecay = 0.5
    _ = try await tiny.begin("whole")
    tiny.beforeStep = { if $0 == step { throw PowerCut() } }
    await #expect(throws: PowerCut.self) { try await tiny.begin("cut") }
    tiny.beforeStep = { _ in }
    tiny.threads = 2
    tiny.options.threads = 2
    _ = try await tiny.resume("cut")
    #expect(try tiny.outcome("cut") == tiny.outcome("whole"))
    let record = try RunRecord(bytes: tiny.scratch.bytes("cut/run.json"), path: "run.json")
    #expect(record.definition.recipe.techniques == tiny.recipe.techniques)
  }
}

extension PictureChange {
  fileprivate var keepsAllButTheSquare: Bool {
    var change = self
    (change.cutRow, change.cutColumn) = (nil, nil)
    return change == .none
  }
}
