import BollyGANInfer
import BollyGANModel
import BollyGANRuns
import BollyGANTraining

/// What makes the steps.
enum EngineName: String, CaseIterable {
  /// Matrix products in vectors, on all threads.
  case fast
  /// Clear loops on one thread, the oracle.
  case plain

  /// The one to use where none is named.
  static let best = EngineName.fast

  /// What makes the engine for a run of the given options.
  func maker(_ options: RunOptions) -> TrainingRun.EngineMaker {
    switch self {
    case .fast:
      {
        FastTrainer(
          configuration: $0, generator: $1, discriminator: $2, threads: options.threads,
          instructionSet: InstructionSet(rawValue: options.kernels) ?? .best)
      }
    case .plain:
      { PlainTrainer<Float>(configuration: $0, generator: $1, discriminator: $2) }
    }
  }
}
