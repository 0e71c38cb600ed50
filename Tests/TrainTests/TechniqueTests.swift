import BollyGANModel
import BollyGANTrain
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

  @Test("DiffAugment's numbers are spread as its paper has them")
  func changes() throws {
    var techniques = Techniques.none
    techniques.augmentation = [.color, .translation, .cutout]
    var stream = try stream(techniques, pictures: 10_000)
    let changes = try #require(stream.draw(pictureCount: 10_000).changes)
    #expect(changes.real.count == 10_000 && changes.fake.count == 10_000)
    #expect(changes.own.count == 10_000)
    #expect(changes.real != changes.fake && changes.fake != changes.own)
    // The mean of 10,000 even numbers is within 4 · width/√12/100 of the middle.
    for (name, place, middle, width) in [
      ("brightness", \PictureChange.brightness, Float(0), Float(1)),
      ("saturation", \.saturation, 1, 2), ("contrast", \.contrast, 1, 1),
    ] {
      let values = changes.real.map { $0[keyPath: place] }
      #expect(values.allSatisfy { abs($0 - middle) <= width / 2 }, "\(name)")
      #expect(abs(values.reduce(0, +) / 10_000 - middle) < 0.012 * width, "\(name)")
      #expect(values.max()! - values.min()! > 0.99 * width, "\(name)")
    }
    // An eighth of 64 pixels either way, and a square's middle on any of 65 lines.
    #expect(Set(changes.real.map(\.rowShift)) == Set(-8...8))
    #expect(Set(changes.real.map(\.columnShift)) == Set(-8...8))
    #expect(Set(changes.real.map { $0.cutRow ?? -1 }) == Set(0...64))
    #expect(Set(changes.real.map { $0.cutColumn ?? -1 }) == Set(0...64))
    #expect(changes.real.contains { $0.rowShift != $0.columnShift && $0.cutRow != $0.cutColumn })
  }

  @Test("a change that is not asked for costs no random number")
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
    // 21 pictures, a row and a column each.
    var random = try TorchRandom(blob: none.blob)
    random.skip(words: 42)
    #expect(random.blob == some.blob)
  }

  @Test("a list of changes reads back as it was, and knows no other names")
  func list() {
    for list in ["none", "color", "translation,cutout", "color,translation,cutout"] {
      #expect(Augmentation(list)?.description == list)
    }
    #expect(Augmentation("cutout,color") == [.color, .cutout])
    for bad in ["", "colour", "color,", "color,color", "none,color", "Color", " color"] {
      #expect(Augmentation(bad) == nil, "\(bad)")
    }
  }

  @Test("a run from before techniques were known is read, and keeps its hash")
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
    // What the version of 2026-11-23 hashed.
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
    "a run with techniques goes on after a power cut as if nothing had been", arguments: [3, 8])
  func resumes(step: Int) async throws {
    var tiny = try await TinyRun()
    tiny.recipe.techniques.augmentation = [.color, .translation, .cutout]
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
