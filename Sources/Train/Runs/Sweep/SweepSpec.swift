import BollyGANModel
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What a sweep tries, one after another: a file of JSON.
///
/// `settings` lists them one by one, `grid` gives every combination of some values, `options` holds for
/// all. Each is an object of training's own options by their long names without dashes: a number or a
/// text is an option's value, `true` and `false` say a flag with and without `no-`.
package struct SweepSpec: Equatable, Sendable {
  /// One way to train.
  package struct Setting: Equatable, Sendable {
    package let name: String
    /// The name of its run's folder within the sweep's.
    package let folder: String
    /// Words for the command line.
    package let arguments: [String]
  }

  /// Folder of pictures.
  package let data: String
  package let settings: [Setting]
  /// A setting is given up once its figure is this many times the best one at equal epochs; nil where
  /// none is.
  package let hopeless: Double?
  /// Epochs that each setting has before it is compared.
  package let patience: Int

  /// Bytes that the file may have.
  package static let limit = 1 << 20
  /// Settings that it may list.
  private static let settingLimit = 1000
  /// What the sweep itself says to each run.
  private static let reserved = [
    "data", "dataroot", "out", "outf", "outdir", "resume", "from", "force", "force-resume", "json",
    "quiet", "report-every", "help", "version",
  ]

  /// Reads the bytes of the file.
  ///
  /// - Throws: ``SweepError`` with what is wrong, named by where it stands.
  package init(bytes: [UInt8]) throws(SweepError) {
    let file: File
    do {
      let decoder = JSONDecoder()
      let names = try decoder.decode([String: Value].self, from: Data(bytes)).keys
      let known = File.CodingKeys.allCases.map(\.stringValue)
      if let unknown = names.sorted().first(where: { !known.contains($0) }) {
        throw SweepError("\(quoted(unknown)) is not known, only \(known.joined(separator: ", "))")
      }
      file = try decoder.decode(File.self, from: Data(bytes))
    } catch let error as SweepError {
      throw error
    } catch DecodingError.keyNotFound(let key, _) {
      throw SweepError("\(key.stringValue) is missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context)
    {
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw SweepError(place.isEmpty ? "this is no object" : "\(place) is of the wrong kind")
    } catch {
      throw SweepError("this is no JSON")
    }
    var listed = file.settings ?? []
    if let grid = file.grid { listed += try Self.combinations(grid) }
    guard !listed.isEmpty else { throw SweepError("there is nothing to try in settings or grid") }
    guard listed.count <= Self.settingLimit else {
      throw SweepError("\(listed.count) settings are more than \(Self.settingLimit)")
    }
    if let factor = file.hopeless, !(factor > 1) {
      throw SweepError("hopeless is \(factor), accepted is more than 1")
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
        throw SweepError("two settings are called \(quoted(name))")
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
      else { throw SweepError("\(quoted(key)) is no long name of an option without its dashes") }
      guard !reserved.contains(key) else {
        throw SweepError("\(key) is for the sweep itself to say, not for a setting")
      }
      switch value {
      case .flag(let flag): arguments.append(flag ? "--\(key)" : "--no-\(key)")
      // In one word, or a negative number would be an option.
      case .number, .text: arguments.append("--\(key)=\(value.text)")
      }
    }
    return arguments
  }

  /// `03-lr=0.0004` of a name: safe in any file system, and in the order of the file.
  private static func folder(number: Int, name: String) -> String {
    let safe = name.unicodeScalars.map { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
          || "._=+".unicodeScalars.contains(scalar))
        ? Character(scalar) : "-"
    }
    return "\(padded(number, to: 2))-\(String(safe.prefix(60)))"
  }

  /// A value of an option.
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
        // What only its own place can say.
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

/// Why a file describes no sweep.
package struct SweepError: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
