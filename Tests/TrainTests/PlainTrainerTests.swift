import BollyGANModel
import BollyGANTrain
import Testing

@Suite("Plain trainer")
struct PlainTrainerTests {
  @Test(
    "in float64 agrees with PyTorch in all that a step computes", arguments: GradientFixture.all
  )
  func double(fixture: GradientFixture) throws {
    let agreement = try EngineAgreement(fixture) {
      PlainTrainer<Double>(configuration: $0, generator: $1, discriminator: $2)
    }
    // Sums of up to 10^5 terms with roundings of 10^-16 each.
    #expect(agreement.firstLosses.value < 1e-10, "\(agreement.firstLosses)")
    #expect(agreement.laterLosses.value < 1e-10, "\(agreement.laterLosses)")
    #expect(agreement.gradients.value < 1e-10, "\(agreement.gradients)")
    #expect(agreement.state.value < 1e-10, "\(agreement.state)")
    // Pictures leave the engine in float32.
    #expect(agreement.pictures.value < 1e-7, "\(agreement.pictures)")
  }

  @Test("in float32 has PyTorch's gradients within 1e-4", arguments: GradientFixture.all)
  func float(fixture: GradientFixture) throws {
    let agreement = try EngineAgreement(fixture) {
      PlainTrainer<Float>(configuration: $0, generator: $1, discriminator: $2)
    }
    #expect(agreement.firstLosses.value < 1e-5, "\(agreement.firstLosses)")
    #expect(agreement.gradients.value < 1e-4, "\(agreement.gradients)")
  }

  @Test(
    "keeps the manners of an engine", arguments: GradientFixture.all.filter { $0.case.ngf < 10 })
  func manners(fixture: GradientFixture) throws {
    try expectGoodManners(fixture) {
      PlainTrainer<Float>(configuration: $0, generator: $1, discriminator: $2)
    }
  }
}
