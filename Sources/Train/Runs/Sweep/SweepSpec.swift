import BollyGANModel

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The JSON file that describes a sweep over hyperparameters.
///
/// `settings` lists settings one by one, `grid` stands for every combination of its values, and
/// `options` applies to all. Each is an object whose keys are long option names of `bollygan-train`
/// without the dashes. A number or string is the value of an option; `true` sets a flag and `false`
/// its `--no-` form.
package struct SweepSpec: Equatable, Sendable {
  /// One set of hyperparameters.
  package struct Setting: Equatable, Sendable {
    /// The name given in the file, or the options with their values.
    package let name: String
    /// The run's folder within the sweep's folder.
    package let folder: String
    /// Arguments for the command line.
    package let arguments: [String]
  }

  /// Folder of training images.
  package let data: String
  /// All settings, those of the grid last.
  package let settings: [Setting]
  /// A setting is pruned once its metric exceeds the best one at equal epochs by this factor; nil
  /// to prune nothing.
  package let hopeless: Double?
  /// Epochs that each setting may train before it is compared.
  package let patience: Int

  /// Largest accepted file in bytes.
  package static let limit = 1 << 20
  /// Largest number of settings.
  private static let settingLimit = 1000
  /// Options that the sweep itself passes to each run.
  private static let reserved = [
    "data", "dataroot", "out", "outf", "outdir", "resume", "from", "force", "force-resume", "json",
    "quiet", "report-every", "help", "version",
  ]

  /// Parses the bytes of the file.
  ///
  /// - Throws: ``SweepError`` that names the faulty key.
  package init(bytes: [UInt8]) throws(SweepError) {
    let file: File
    do {
      let decoder = JSONDecoder()
      let names = try decoder.decode([String: Value].self, from: Data(bytes)).keys
      let known = File.CodingKeys.allCases.map(\.stringValue)
      if let unknown = names.sorted().first(where: { !known.contains($0) }) {
        throw SweepError(
          "unknown key \(quoted(unknown)), accepted are \(known.joined(separator: ", "))")
      }
      file = try decoder.decode(File.self, from: Data(bytes))
    } catch let error as SweepError {
      throw error
    } catch DecodingError.keyNotFound(let key, _) {
      throw SweepError("\(key.stringValue) is missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context)
    {
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw SweepError(place.isEmpty ? "not a JSON object" : "\(place) has the wrong type")
    } catch {
      throw SweepError("not valid JSON")
    }
    var listed = file.settings ?? []
    if let grid = file.grid { listed += try Self.combinations(grid) }
    guard !listed.isEmpty else { throw SweepError("settings and grid are empty") }
    guard listed.count <= Self.settingLimit else {
      throw SweepError("\(listed.count) settings, at most \(Self.settingLimit) are accepted")
    }
    if let factor = file.hopeless, !(factor > 1) {
      throw SweepError("hopeless is \(factor), but must be greater than 1")
    }
    var common = file.options ?? [:]
    if let epochs = file.epochs { common["epochs"] = .number(Double(epochs)) }
    var settings: [Setting] = []
    for (index, var options) in listed.enumerated() {
      var name = options.filter { $0.key != "name" }.sorted { $0.key < $1.key }
        .map { "\($0.key)=\($0.value.text)" }.joined(separator: " ")
      if case .text(let given)? = options.removeValue(forKey: "name") { name = given }
      if name.isEmpty { name = "unchanged" }
      if settings.contains(where: { $0.name == name }) {
        throw SweepError("two settings are named \(quoted(name))")
      }
      settings.append(
        Setting(
          name: name, folder: Self.folder(number: index + 1, name: name),
          arguments: try Self.arguments(common.merging(options) { $1 })))
    }
    data = file.data
    self.settings = settings
    hopeless = file.hopeless
    patience = max(1, file.patience ?? 2)
  }

  /// Every combination of the values of a grid.
  private static func combinations(
    _ grid: [String: [Value]]
  ) throws(SweepError) -> [[String: Value]] {
    var combinations: [[String: Value]] = [[:]]
    for (key, values) in grid.sorted(by: { $0.key < $1.key }) {
      guard !values.isEmpty else { throw SweepError("grid.\(key) has no values") }
      guard combinations.count * values.count <= settingLimit else {
        throw SweepError("the grid has more than \(settingLimit) combinations")
      }
      combinations = combinations.flatMap { base in
        values.map { base.merging([key: $0]) { $1 } }
      }
    }
    return combinations
  }

  private static func arguments(_ options: [String: Value]) throws(SweepError) -> [String] {
    var arguments: [String] = []
    for (key, value) in options.sorted(by: { $0.key < $1.key }) {
      guard let first = key.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first),
        key.utf8.allSatisfy({
          $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
        })
      else { throw SweepError("\(quoted(key)) is not a long option name without its dashes") }
      guard !reserved.contains(key) else {
        throw SweepError("\(key) is set by the sweep itself and cannot be part of a setting")
      }
      switch value {
      case .flag(let flag): arguments.append(flag ? "--\(key)" : "--no-\(key)")
      // As one argument, because a negative number alone would look like an option.
      case .number, .text: arguments.append("--\(key)=\(value.text)")
      }
    }
    return arguments
  }

  /// A folder name such as `03-lr=0.0004`: safe in any file system and sorted like the file.
  private static func folder(number: Int, name: String) -> String {
    let safe = name.unicodeScalars.map { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
          || "._=+".unicodeScalars.contains(scalar))
        ? Character(scalar) : "-"
    }
    return "\(padded(number, to: 2))-\(String(safe.prefix(60)))"
  }

  /// The value of an option.
  private enum Value: Decodable {
    case number(Double)
    case text(String)
    case flag(Bool)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else {
        // Lists, objects and null. As the value of an option, the empty text is rejected later.
        self = .text("")
      }
    }

    var text: String {
      switch self {
      case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
      case .text(let text): text
      case .flag(let flag): "\(flag)"
      }
    }
  }

  private struct File: Decodable {
    var data: String
    var epochs: Int?
    var options: [String: Value]?
    var settings: [[String: Value]]?
    var grid: [String: [Value]]?
    var hopeless: Double?
    var patience: Int?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case data, epochs, options, settings, grid, hopeless, patience
    }
  }
}

/// What is wrong with the description of a sweep.
package struct SweepError: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
