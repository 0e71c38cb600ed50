/// Settings that may change each time a run is resumed, because they change no weight.
package struct RunOptions: Codable, Equatable, Sendable {
  /// Which statistics batch normalisation uses when sample images are drawn.
  package enum SampleStatistics: String, Codable, Sendable, CaseIterable {
    /// Those of the sheet itself, as the notebooks do.
    case batch
    /// The running statistics, as in every later use of the weights.
    case running
  }

  /// Steps after which the run ends, even within an epoch; nil if only epochs count.
  package var maximumSteps: Int?
  /// How often a checkpoint is written.
  package var checkpointEvery: Cadence
  /// Epochs between two sample sheets; 0 for none.
  package var samplesEvery: Int
  /// Epochs between two quality measurements; 0 or nil for none.
  package var qualityEvery: Int?
  /// How samples are normalised.
  package var sampleStatistics: SampleStatistics
  /// Worker threads.
  package var threads: Int
  /// The training engine: `fast` or `plain`.
  package var engine: String
  /// The instruction set of the kernels.
  package var kernels: String
  /// The reaction to a diverged run.
  package var onDivergence: DivergenceAction

  package init(
    maximumSteps: Int? = nil, checkpointEvery: Cadence = .epochs(1), samplesEvery: Int = 1,
    qualityEvery: Int? = nil, sampleStatistics: SampleStatistics = .running, threads: Int = 1,
    engine: String = "fast", kernels: String = "baseline", onDivergence: DivergenceAction = .stop
  ) {
    self.maximumSteps = maximumSteps
    self.checkpointEvery = checkpointEvery
    self.samplesEvery = samplesEvery
    self.qualityEvery = qualityEvery
    self.sampleStatistics = sampleStatistics
    self.threads = threads
    self.engine = engine
    self.kernels = kernels
    self.onDivergence = onDivergence
  }
}

/// What a run does once the divergence guard reports a failure.
package enum DivergenceAction: String, Codable, Sendable, CaseIterable {
  /// End with a diagnosis.
  case stop
  /// Return to a checkpoint from before the failure and continue with half the learning rates.
  case rollback
  /// Continue; only a value that is not finite still ends the run.
  case off
}

extension KeyedDecodingContainer {
  /// Called by synthesised initialisers. A `run.json` older than the option means `stop`.
  func decode(_ type: DivergenceAction.Type, forKey key: Key) throws -> DivergenceAction {
    try decodeIfPresent(type, forKey: key) ?? .stop
  }
}

/// How often something happens, written `3epochs`, `200steps` or as a bare number of epochs.
package enum Cadence: Codable, Equatable, Sendable, CustomStringConvertible {
  case epochs(Int)
  case steps(Int)

  /// Reads what ``description`` writes; nil for anything else.
  package init?(_ text: String) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int(digits), count > 0 else { return nil }
    switch text.dropFirst(digits.count).drop(while: { $0 == " " }) {
    case "", "epoch", "epochs": self = .epochs(count)
    case "step", "steps": self = .steps(count)
    default: return nil
    }
  }

  package var description: String {
    switch self {
    case .epochs(let count): count == 1 ? "1 epoch" : "\(count) epochs"
    case .steps(let count): count == 1 ? "1 step" : "\(count) steps"
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let cadence = Cadence(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "neither a number of epochs nor a number of steps")
    }
    self = cadence
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// Whether it is time, after `step` steps; `isEpochEnd` if they complete `epoch`.
  func isDue(step: Int, epoch: Int, isEpochEnd: Bool) -> Bool {
    switch self {
    case .epochs(let count): isEpochEnd && epoch % count == 0
    case .steps(let count): step % count == 0
    }
  }
}
