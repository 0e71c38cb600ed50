import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The folder of fixtures beside this file.
let fixtures =
  #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
  .joined(separator: "/") + "/Fixtures"

/// The bytes of a file.
func contents(_ path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(filePath: path)))
}

/// The folder in the environment variable `BOLLYGAN_SHARED`, if it is set.
let sharedFolder = ProcessInfo.processInfo.environment["BOLLYGAN_SHARED"]

/// The rows of a comma-separated file without its header line.
func table(_ path: String) throws -> [[String]] {
  String(decoding: try contents(path), as: UTF8.self)
    .split(separator: "\n").dropFirst()
    .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
}
