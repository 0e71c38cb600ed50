import BollyGANModel
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// All that determines the weights of a run: two runs with equal definitions, on processors of one
/// kind, end in equal bytes.
package struct RunDefinition: Codable, Equatable, Sendable {
  /// The way to train, the user's changes included. How many epochs it lasts says when a run ends,
  /// not what it is, unless rates or noise fall over their number.
  package var recipe: Recipe
  /// What all random numbers come from.
  package var seed: Int64
  /// Height and width of a picture in pixels.
  package var side: Int
  /// 3 for RGB, 1 for gray.
  package var channels: Int
  /// Channels of the generator's last hidden map.
  package var generatorWidth: Int
  /// Channels of the discriminator's first map.
  package var discriminatorWidth: Int
  /// Hash of the weights that the generator begins with, where they come from a file.
  package var initialGenerator: String?
  /// Hash of the weights that the discriminator begins with, where they come from a file.
  package var initialDiscriminator: String?
  /// Fingerprint of the pictures; empty before they are read.
  package var pictures: String

  package init(
    recipe: Recipe, seed: Int64, side: Int = 64, channels: Int = 3, generatorWidth: Int = 64,
    discriminatorWidth: Int = 64, initialGenerator: String? = nil,
    initialDiscriminator: String? = nil, pictures: String = ""
  ) {
    self.recipe = recipe
    self.seed = seed
    self.side = side
    self.channels = channels
    self.generatorWidth = generatorWidth
    self.discriminatorWidth = discriminatorWidth
    self.initialGenerator = initialGenerator
    self.initialDiscriminator = initialDiscriminator
    self.pictures = pictures
  }

  /// Sizes of both networks.
  package func shape() throws(ShapeError) -> DCGANShape {
    try DCGANShape(
      latent: recipe.latent, generatorWidth: generatorWidth,
      discriminatorWidth: discriminatorWidth, side: side, channels: channels)
  }

  /// What differs between this definition and another, as `name: this value, not that one`.
  package func differences(from other: RunDefinition) -> [String] {
    var mine = self
    if !dependsOnEpochs && !other.dependsOnEpochs { mine.recipe.epochs = other.recipe.epochs }
    return Self.fields(of: mine).compactMap { name, value in
      let there = Self.fields(of: other).first { $0.name == name }?.value ?? "nothing"
      return value == there ? nil : "\(name): \(value), not \(there)"
    }
  }

  /// SHA-256 over every value that may not change in the course of a run. Techniques that are not
  /// used are left out, so that a run from before one was known keeps its hash.
  package var hash: String {
    let unused = Self.fields(of: Techniques.none, prefix: "recipe.techniques.").map(Self.line)
    let lines = Self.fields(of: self).filter { field in
      (field.name != "recipe.epochs" || dependsOnEpochs) && !unused.contains(Self.line(field))
    }
    return SHA256.hex(of: Array(lines.map(Self.line).joined().utf8))
  }

  /// Whether a step goes another way in a run of more epochs.
  private var dependsOnEpochs: Bool { recipe.techniques.dependOnLength }

  private static func line(_ field: (name: String, value: String)) -> String {
    "\(field.name)=\(field.value)\n"
  }

  /// Every value for people, under its name in words.
  package var described: [(name: String, value: String)] {
    Self.fields(of: self).map { name, value in
      if name == "recipe.name" { return ("recipe", value) }
      var words = ""
      for letter in name.split(separator: ".").last ?? "" {
        words += letter.isUppercase ? " \(letter.lowercased())" : String(letter)
      }
      return (words, value == "true" ? "yes" : value == "false" ? "no" : value)
    }
  }

  /// Every stored value by its name, in the order of declaration.
  private static func fields(
    of value: Any, prefix: String = ""
  ) -> [(name: String, value: String)] {
    Mirror(reflecting: value).children.flatMap { child -> [(name: String, value: String)] in
      let name = prefix + (child.label ?? "")
      if child.value is Recipe || child.value is Techniques {
        return fields(of: child.value, prefix: name + ".")
      }
      let reflected = Mirror(reflecting: child.value)
      guard reflected.displayStyle == .optional else { return [(name, "\(child.value)")] }
      return [(name, reflected.children.first.map { "\($0.value)" } ?? "nothing")]
    }
  }
}

/// What may change between one part of a run and the next, for it changes no weight.
package struct RunOptions: Codable, Equatable, Sendable {
  /// How a generator is asked for sample pictures.
  package enum SampleStatistics: String, Codable, Sendable, CaseIterable {
    /// Normalised by the statistics of the sheet itself, as the notebooks do.
    case batch
    /// Normalised by the running statistics, as whoever uses the weights does.
    case running
  }

  /// Steps after which the run ends, even within an epoch; nil where only epochs count.
  package var maximumSteps: Int?
  /// How often a checkpoint is written.
  package var checkpointEvery: Cadence
  /// Epochs between two sheets of samples; 0 for none.
  package var samplesEvery: Int
  /// Epochs between two measurements of quality; 0 or nil for none.
  package var qualityEvery: Int?
  /// How samples are normalised.
  package var sampleStatistics: SampleStatistics
  /// Threads that compute.
  package var threads: Int
  /// What makes the steps: `fast` or `plain`.
  package var engine: String
  /// The instruction set that computes.
  package var kernels: String
  /// What is done where the guard finds that training has failed.
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

/// What is done where the guard finds that training has failed.
package enum DivergenceAction: String, Codable, Sendable, CaseIterable {
  /// The run ends with a diagnosis.
  case stop
  /// It goes on from a checkpoint that is from before the failure, with half of the learning rates.
  case rollback
  /// Nothing: only a number that is not finite still ends it.
  case off
}

extension KeyedDecodingContainer {
  /// Read by synthesised initialisers: a run from before there was a choice stops.
  func decode(_ type: DivergenceAction.Type, forKey key: Key) throws -> DivergenceAction {
    try decodeIfPresent(type, forKey: key) ?? .stop
  }
}

/// How often something happens; written `3epochs`, `200steps`, or a bare number of epochs.
package enum Cadence: Codable, Equatable, Sendable, CustomStringConvertible {
  case epochs(Int)
  case steps(Int)

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
        in: container, debugDescription: "neither a number of epochs nor of steps")
    }
    self = cadence
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// Whether it happens now, after `step` steps, `isEpochEnd` that of the given epoch.
  func isDue(step: Int, epoch: Int, isEpochEnd: Bool) -> Bool {
    switch self {
    case .epochs(let count): isEpochEnd && epoch % count == 0
    case .steps(let count): step % count == 0
    }
  }
}

/// `run.json`: what a run is, how it is carried out, and on what.
package struct RunRecord: Codable, Equatable, Sendable {
  /// Where the data came from.
  package struct DataSource: Codable, Equatable, Sendable {
    /// The folder's path, from the root.
    package var folder: String
    /// Pictures used.
    package var pictures: Int
    /// Those of them that are kept from training; nil where none are, and in a run from before this was
    /// noted.
    package var heldOut: Int?
    /// Files that could not be used.
    package var skipped: Int
    /// Pictures that are left out, as the lines of an ``ExclusionList``; nil for none.
    package var excluded: [String]?
    /// Where the generator's first weights came from.
    package var initialGenerator: String?
    /// Where the discriminator's first weights came from.
    package var initialDiscriminator: String?

    package init(
      folder: String, pictures: Int, heldOut: Int? = nil, skipped: Int, excluded: [String]? = nil,
      initialGenerator: String? = nil, initialDiscriminator: String? = nil
    ) {
      self.folder = folder
      self.pictures = pictures
      self.heldOut = heldOut
      self.skipped = skipped
      self.excluded = excluded
      self.initialGenerator = initialGenerator
      self.initialDiscriminator = initialDiscriminator
    }
  }

  /// Bytes that the file may have: a list of pictures to leave out may be long.
  package static let limit = 64 << 20

  /// The layout of the file; raised when a reader of the old one would misread the new.
  package static let currentSchema = 1

  package var schema: Int
  /// The program's version.
  package var version: String
  /// The day the run began, in UTC, `2026-11-23`: the date in the weights' metadata. A run that
  /// repeats another takes it over, so that its files are the same bytes.
  package var date: String
  package var definition: RunDefinition
  package var options: RunOptions
  package var data: DataSource
  /// What the processor calls itself.
  package var processor: String
  /// Where the run went back, in order: from then on its learning rates are halved once more each
  /// time. Nil where it never did.
  package var rollbacks: [Rollback]?

  /// A return to an earlier checkpoint after a failure.
  package struct Rollback: Codable, Equatable, Sendable {
    /// Steps made when the failure was found.
    package var step: Int
    /// The checkpoint that was gone back to.
    package var backTo: Int
    package var diagnosis: DivergenceGuard.Diagnosis

    package init(step: Int, backTo: Int, diagnosis: DivergenceGuard.Diagnosis) {
      (self.step, self.backTo, self.diagnosis) = (step, backTo, diagnosis)
    }
  }

  package init(
    date: String, definition: RunDefinition, options: RunOptions, data: DataSource
  ) {
    schema = Self.currentSchema
    version = bollyganVersion
    self.date = date
    self.definition = definition
    self.options = options
    self.data = data
    processor = FileSystem.processorName
  }

  /// The file's bytes: sorted keys, one a line.
  package func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try Array(encoder.encode(self)) + [UInt8(ascii: "\n")]
  }

  /// Reads the bytes of a `run.json`.
  ///
  /// - Throws: ``RunError/badRecord(_:reason:)`` where they are none or hold what no run can have.
  package init(bytes: [UInt8], path: String) throws(RunError) {
    struct Schema: Decodable { var schema: Int }
    do {
      let decoder = JSONDecoder()
      let schema = try decoder.decode(Schema.self, from: Data(bytes)).schema
      guard schema == Self.currentSchema else {
        throw RunError.badRecord(
          path, reason: "schema \(schema); this version reads schema \(Self.currentSchema)")
      }
      self = try decoder.decode(RunRecord.self, from: Data(bytes))
      try definition.recipe.validate()
      _ = try definition.shape()
    } catch let error as RunError {
      throw error
    } catch let error as DecodingError {
      throw .badRecord(path, reason: Self.sentence(error))
    } catch {
      throw .badRecord(path, reason: "\(error)")
    }
  }

  private static func sentence(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context, _ last: String? = nil) -> String {
      (context.codingPath.map(\.stringValue) + (last.map { [$0] } ?? [])).joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(place(context, key.stringValue)) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(place(context)) is of the wrong kind"
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty
        ? "this is no JSON" : "\(place(context)): \(context.debugDescription)"
    @unknown default: return "it cannot be read"
    }
  }
}
