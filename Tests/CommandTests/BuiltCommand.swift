import BollyGANTerminal
import Foundation
import Testing

/// A command as it was built beside these tests.
struct BuiltCommand {
  let path: String

  static let infer = BuiltCommand("bollygan-infer")
  static let train = BuiltCommand("bollygan-train")
  static let export = BuiltCommand("bollygan-export")

  init(path: String) { self.path = path }

  /// The last part of its path.
  var name: Substring {
    path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
  }

  private init(_ name: String) {
    // The tests' own executable lies in the folder that the commands were built into; on macOS it
    // lies deeper, in a bundle.
    var folder = URL(filePath: executablePath ?? CommandLine.arguments[0])
    var path: String
    repeat {
      folder.deleteLastPathComponent()
      path = folder.appending(path: name).path()
    } while !FileManager.default.isExecutableFile(atPath: path) && folder.path().count > 1
    self.path = path
  }

  /// How a command ended.
  struct Result {
    let status: Int32
    let output: [UInt8]
    let errors: String
    /// When it was gone, as the thread that waits for it saw it.
    let ended: ContinuousClock.Instant

    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Runs the command to its end.
  ///
  /// - Parameters:
  ///   - redirection: What a shell is to add, such as `> /dev/full` or `| head -c 10`.
  ///   - input: The content of standard input.
  ///   - environment: Variables besides PATH, HOME and TMPDIR; nothing else is passed on.
  ///   - folder: The working folder.
  @discardableResult
  func run(
    _ arguments: [String], redirection: String? = nil, input: [UInt8] = [],
    environment: [String: String] = [:], in folder: TemporaryFolder
  ) async throws -> Result {
    try await start(
      arguments, redirection: redirection, input: input, environment: environment, in: folder
    ).end()
  }

  /// Starts the command; the parameters are those of ``run(_:redirection:input:environment:in:)``.
  func start(
    _ arguments: [String], redirection: String? = nil, input: [UInt8] = [],
    environment: [String: String] = [:], in folder: TemporaryFolder
  ) throws -> RunningCommand {
    let process = Process()
    if let redirection {
      process.executableURL = URL(filePath: "/bin/bash")
      process.arguments =
        ["-c", "set -o pipefail; \"$0\" \"$@\" \(redirection)", path] + arguments
    } else {
      process.executableURL = URL(filePath: path)
      process.arguments = arguments
    }
    process.environment = ProcessInfo.processInfo.environment
      .filter { ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"].contains($0.key) }
      .merging(environment) { $1 }
    process.currentDirectoryURL = URL(filePath: folder.path)
    return try RunningCommand(process, input: input)
  }
}

/// A command on its way.
final class RunningCommand {
  private let process: Process
  private let ends: AsyncStream<ContinuousClock.Instant>
  /// Streams are files, not pipes, so nothing can wait for anything else.
  private let streams: TemporaryFolder

  fileprivate init(_ process: Process, input: [UInt8]) throws {
    self.process = process
    streams = try TemporaryFolder()
    try streams.write(input, to: "in")
    for name in ["out", "err"] { try streams.write([], to: name) }
    process.standardInput = try FileHandle(forReadingFrom: URL(filePath: streams / "in"))
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: streams / "out"))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: streams / "err"))
    let (ends, sender) = AsyncStream.makeStream(of: ContinuousClock.Instant.self)
    self.ends = ends
    // Noted here, on a thread of its own: a task goes on when another test leaves it a thread, which
    // may take seconds.
    process.terminationHandler = { _ in
      sender.yield(.now)
      sender.finish()
    }
    try process.run()
  }

  var identifier: pid_t { process.processIdentifier }

  /// Sends a signal; one that comes too late is none.
  func send(_ signal: Int32) { if process.isRunning { _ = kill(identifier, signal) } }

  /// Waits for its end.
  func end() async throws -> BuiltCommand.Result {
    var ended = ContinuousClock.now
    for await moment in ends { ended = moment }
    // As a shell says it, a process that a signal ended has 128 + its number.
    let status =
      process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus
    return BuiltCommand.Result(
      status: status, output: try streams.bytes("out"),
      errors: String(decoding: try streams.bytes("err"), as: UTF8.self), ended: ended)
  }
}

/// A folder that is there as long as the value is.
final class TemporaryFolder: Sendable {
  /// Without a slash at the end.
  let path: String

  init() throws {
    // Links followed: on macOS the place for temporary files is one.
    let place = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appending(path: "bollygan-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    path = place.path()
  }

  deinit {
    // A test may have taken the right to write away.
    chmod("", 0o700)
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of something in the folder.
  static func / (folder: TemporaryFolder, name: String) -> String { "\(folder.path)/\(name)" }

  /// The content of a file.
  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: self / name)))
  }

  /// Writes a file.
  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(filePath: self / name))
  }

  /// Names of all that is in the folder or in one within it, hidden files included, sorted.
  func names(in name: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self / name).sorted()
  }

  /// Sets the permissions of the folder or of something in it.
  func chmod(_ name: String, _ mode: Int) {
    try? FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: self / name)
  }
}
