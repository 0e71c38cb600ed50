import BollyGANTerminal
import Foundation
import Testing

/// A command of this package, as built along with these tests.
struct BuiltCommand {
  let path: String

  static let infer = BuiltCommand("bollygan-infer")
  static let train = BuiltCommand("bollygan-train")
  static let export = BuiltCommand("bollygan-export")

  /// Any program, by its path.
  init(path: String) { self.path = path }

  /// The last component of the path.
  var name: Substring {
    path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
  }

  private init(_ name: String) {
    // The tests' executable is in the folder of the built commands; on macOS it is deeper, in a
    // bundle.
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
    /// When it ended, as seen by the thread that waits for it.
    let ended: ContinuousClock.Instant

    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Runs the command to its end.
  ///
  /// - Parameters:
  ///   - redirection: What a shell appends to the command line, such as `> /dev/full` or `| head -c
  ///     10`.
  ///   - input: The content of standard input.
  ///   - environment: Variables besides PATH, HOME, TMPDIR and LD_LIBRARY_PATH; no others are
  ///     passed on.
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

  /// Starts the command, with the parameters of ``run(_:redirection:input:environment:in:)``.
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

/// A command that is running.
final class RunningCommand {
  private let process: Process
  private let ends: AsyncStream<ContinuousClock.Instant>
  /// Standard streams are files instead of pipes, so that no process can block another.
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
    // Recorded here, on a separate thread: a task resumes only when the other tests leave it a
    // thread, which may take seconds.
    process.terminationHandler = { _ in
      sender.yield(.now)
      sender.finish()
    }
    try process.run()
  }

  var identifier: pid_t { process.processIdentifier }

  /// Sends a signal, unless the command has ended.
  func send(_ signal: Int32) { if process.isRunning { _ = kill(identifier, signal) } }

  /// Waits for the command to end.
  func end() async throws -> BuiltCommand.Result {
    var ended = ContinuousClock.now
    for await moment in ends { ended = moment }
    // Like a shell, reports 128 + the number of the signal that ended a process.
    let status =
      process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus
    return BuiltCommand.Result(
      status: status, output: try streams.bytes("out"),
      errors: String(decoding: try streams.bytes("err"), as: UTF8.self), ended: ended)
  }
}

/// A folder that exists as long as the value.
final class TemporaryFolder: Sendable {
  /// The path, without a slash at the end.
  let path: String

  init() throws {
    // Without links: on macOS the folder for temporary files is one.
    let place = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appending(path: "bollygan-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    path = place.path()
  }

  deinit {
    // A test may have removed write permission.
    chmod("", 0o700)
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a file in the folder.
  static func / (folder: TemporaryFolder, name: String) -> String { "\(folder.path)/\(name)" }

  /// The content of a file.
  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: self / name)))
  }

  /// Writes a file.
  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(filePath: self / name))
  }

  /// The names of everything in the folder, or in a folder within it, including hidden files,
  /// sorted.
  func names(in name: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self / name).sorted()
  }

  /// Sets the permissions of the folder, or of a file in it.
  func chmod(_ name: String, _ mode: Int) {
    try? FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: self / name)
  }
}
