import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Testing

@Suite("Plain trainer")
struct PlainTrainerTests {
  @Test(
    "in float64, everything a step computes equals PyTorch's", arguments: GradientFixture.all)
  func double(fixture: GradientFixture) throws {
    let agreement = try EngineAgreement(fixture) {
      PlainTrainer<Double>(configuration: $0, generator: $1, discriminator: $2)
    }
    // Sums have up to 10^5 terms, with roundings of 10^-16 each.
    #expect(agreement.lossesBeforeUpdate.value < 1e-10, "\(agreement.lossesBeforeUpdate)")
    #expect(agreement.lossesAfterUpdate.value < 1e-10, "\(agreement.lossesAfterUpdate)")
    #expect(agreement.laterLosses.value < 1e-10, "\(agreement.laterLosses)")
    #expect(agreement.gradients.value < 1e-10, "\(agreement.gradients)")
    #expect(agreement.state.value < 1e-10, "\(agreement.state)")
    // Images are returned in float32.
    #expect(agreement.pictures.value < 1e-7, "\(agreement.pictures)")
  }

  @Test("in float32, gradients equal PyTorch's within 1e-4", arguments: GradientFixture.all)
  func float(fixture: GradientFixture) throws {
    let agreement = try EngineAgreement(fixture) {
      PlainTrainer<Float>(configuration: $0, generator: $1, discriminator: $2)
    }
    #expect(agreement.lossesBeforeUpdate.value < 1e-5, "\(agreement.lossesBeforeUpdate)")
    #expect(agreement.lossesAfterUpdate.value < 1e-4, "\(agreement.lossesAfterUpdate)")
    #expect(agreement.gradients.value < 1e-4, "\(agreement.gradients)")
  }

  @Test(
    "meets the requirements of an engine",
    arguments: GradientFixture.all.filter { $0.case.ngf < 10 })
  func requirements(fixture: GradientFixture) throws {
    try expectEngineRequirements(fixture) {
      PlainTrainer<Float>(configuration: $0, generator: $1, discriminator: $2)
    }
  }

  @Test("gradients of a step are reported without taking the step")
  func gradients() throws {
    let fixture = GradientFixture.all[0]
    let trainer = PlainTrainer<Double>(
      configuration: fixture.configuration, generator: fixture.generatorWeights,
      discriminator: fixture.discriminatorWeights)
    let before = trainer.exactState
    let shown = try trainer.gradients(fixture.batch(0))
    #expect(trainer.exactState == before)
    #expect(try trainer.step(fixture.batch(0)) == shown.losses)
    let name = "main.3.weight"
    #expect(
      trainer.exactState.generatorAdam.firstMoments[name] == shown.generator[name]?.map { $0 / 2 })
  }
}
