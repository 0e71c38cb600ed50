import BollyGANModel

/// Files in the folder Fixtures next to the tests.
enum Fixtures {
  static let folder =
    #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined()
    + "/Fixtures"

  static func path(_ name: String) -> String { "\(folder)/\(name)" }

  static func bytes(_ name: String) throws -> [UInt8] {
    try readFile(path(name), limit: 1 << 20)
  }
}
