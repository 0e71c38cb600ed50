import BollyGANModel
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The content of `run.json`: what a run is, how it is executed, and on which data.
package struct RunRecord: Codable, Equatable, Sendable {
  /// The sources of the data.
  package struct DataSource: Codable, Equatable, Sendable {
    /// Absolute path of the data folder.
    package var folder: String
    /// Images used.
    package var pictures: Int
    /// How many of them are held out from training; nil for none, and in records older than this
    /// field.
    package var heldOut: Int?
    /// Files that could not be used.
    package var skipped: Int
    /// Excluded images, as the lines of an ``ExclusionList``; nil for none.
    package var excluded: [String]?
    /// File that the generator started from.
    package var initialGenerator: String?
    /// File that the discriminator started from.
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

  /// Largest accepted size of the file in bytes; a list of excluded images can be long.
  package static let limit = 64 << 20

  /// Version of the file's layout, raised when an older reader would misread a newer file.
  package static let currentSchema = 1

  /// ``currentSchema`` when the file was written.
  package var schema: Int
  /// The program's version.
  package var version: String
  /// The day the run began, in UTC, as `2026-11-23`; it is also the date in the metadata of the
  /// weights. A run that repeats another one copies it, so that the files are identical.
  package var date: String
  /// Everything that determines the weights.
  package var definition: RunDefinition
  /// The latest settings that may change between parts of the run.
  package var options: RunOptions
  /// The data folder and the images in it.
  package var data: DataSource
  /// The processor's own name.
  package var processor: String
  /// Rollbacks in order, each of which halves the learning rates from then on; nil for none.
  package var rollbacks: [Rollback]?

  /// A return to an earlier checkpoint after training failed.
  package struct Rollback: Codable, Equatable, Sendable {
    /// Steps made when the failure was found.
    package var step: Int
    /// Step of the checkpoint that the run returned to.
    package var backTo: Int
    /// The failure.
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

  /// The bytes of the file, with sorted keys, one per line.
  package func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try Array(encoder.encode(self)) + [UInt8(ascii: "\n")]
  }

  /// Reads the bytes of a `run.json`.
  ///
  /// - Throws: ``RunError/badRecord(_:reason:)`` if they are not a record or hold impossible
  ///   values.
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
      return "\(place(context)) has the wrong type"
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty
        ? "not valid JSON" : "\(place(context)): \(context.debugDescription)"
    @unknown default: return "unreadable"
    }
  }
}
