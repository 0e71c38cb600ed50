import BollyGANInfer
import BollyGANRuns
import BollyGANTraining

/// The training engines.
enum EngineName: String, CaseIterable {
  /// Vectorised convolutions on all threads.
  case fast
  /// Plain loops on one thread, for comparison.
  case plain

  static let standard = EngineName.fast

  /// Makes the engine of a run with the given options.
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
