import BollyGANTerminal
import Foundation
import Testing

/// Training that takes a third of a second: 40 cartoon faces in `data`, 20 steps in 4 epochs, a
/// checkpoint every second step.
struct SmallTraining {
  static let options = [
    "--side", "32", "--width", "4", "--latent", "8", "--batch", "8", "--epochs", "4",
    "--checkpoint-every", "2steps", "--quiet",
  ]
  static let steps = 20
  /// Checkpoints of an uninterrupted run, including step 0.
  static let checkpoints = 11

  let folder: TemporaryFolder

  init() async throws {
    folder = try TemporaryFolder()
    let drawn = try await BuiltCommand.train.run(
      ["draw-faces", "data", "--count", "40", "--seed", "3", "--side", "32", "--quiet"], in: folder)
    try #require(drawn.status == 0, "\(drawn.errors)")
  }

  /// Starts a run.
  func begin(
    _ run: String, _ arguments: String..., fault: Fault? = nil
  ) throws -> RunningCommand {
    try start(["data", "--out", run] + Self.options + arguments, fault)
  }

  /// Resumes a run.
  func resume(_ run: String, _ arguments: String..., fault: Fault? = nil) throws -> RunningCommand {
    try start(["--resume", run, "--quiet"] + arguments, fault)
  }

  private func start(_ arguments: [String], _ fault: Fault?) throws -> RunningCommand {
    try BuiltCommand.train.start(
      arguments, environment: try fault.map { try $0.environment() } ?? [:], in: folder)
  }

  /// The outcome of an undisturbed run on one thread.
  static func whole() async throws -> Outcome { try await undisturbed.value }

  private static let undisturbed = Task {
    let training = try await SmallTraining()
    let result = try await training.begin("run", "--threads", "1").end()
    try #require(result.status == 0, "\(result.errors)")
    return try training.outcome("run")
  }

  /// The results of a run that must not depend on how often, when and how it was interrupted.
  struct Outcome: Equatable, Sendable {
    var generator: [UInt8]
    var discriminator: [UInt8]
    var samples: [UInt8]
    var log: [String]
    /// Names of all files, including hidden ones, so that a leftover is noticed. TensorBoard's are
    /// left out, because every process starts one.
    var names: [String]
  }

  func outcome(_ run: String) throws -> Outcome {
    Outcome(
      generator: try folder.bytes("\(run)/generator.safetensors"),
      discriminator: try folder.bytes("\(run)/discriminator.safetensors"),
      samples: try folder.bytes("\(run)/samples/epoch-0004.png"),
      log: try log(run).filter { $0.hasPrefix("{\"event\":\"step\"") },
      names: try folder.names(in: run).filter { !$0.hasPrefix("events.out.tfevents.") }
        + folder.names(in: "\(run)/samples"))
  }

  func log(_ run: String) throws -> [String] {
    String(decoding: try folder.bytes("\(run)/log.jsonl"), as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }

  /// Steps of the checkpoints in a run folder, the newest first.
  func checkpoints(_ run: String) throws -> [Int] {
    try folder.names(in: run).compactMap { name in
      name.hasPrefix("checkpoint-") ? Int(name.dropFirst("checkpoint-".count).prefix(6)) : nil
    }.sorted(by: >)
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder / name) }
}

#if os(Linux)
  /// A fault inside a system call of the command: see `faults.c`.
  struct Fault: CustomTestStringConvertible, Sendable {
    /// Shell patterns of the affected paths.
    enum Place: String {
      /// A checkpoint, under its temporary or its final name.
      case checkpoint = "*/*checkpoint-*"
      case record = "*/*run.json*"
      case generator = "*/*generator.safetensors*"
      case discriminator = "*/*discriminator.safetensors*"
      case log = "*/log.jsonl"
      case samples = "*/samples/*epoch-*"
      /// The run folder itself, which is synchronised after each rename.
      case folder = "*/run"
    }

    let call: String
    let number: Int
    let act: String
    let place: Place

    init(_ call: String, _ number: Int = 1, _ act: String, _ place: Place = .checkpoint) {
      (self.call, self.number, self.act, self.place) = (call, number, act, place)
    }

    var testDescription: String { "\(act) \(call) \(number) of \(place)" }

    func environment() throws -> [String: String] {
      [
        "BOLLYGAN_FAULT": "\(call) \(number) \(act)", "BOLLYGAN_FAULT_PATH": place.rawValue,
        "LD_PRELOAD": try Self.library.get(),
      ]
    }

    /// `faults.c`, compiled next to the commands by the compiler that comes with Swift.
    private static let library = Result { () throws -> String in
      let path = BuiltCommand.train.path + "-faults.so"
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = [
        "clang", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", "\(path).\(getpid())",
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "faults.c").path(),
        "-ldl", "-lpthread",
      ]
      try process.run()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0, "faults.c does not compile")
      try? FileManager.default.removeItem(atPath: path)
      try FileManager.default.moveItem(atPath: "\(path).\(getpid())", toPath: path)
      return path
    }
  }

  extension RunningCommand {
    /// Waits until the command has stopped itself.
    func halt() async throws {
      while true {
        // The state follows the name in parentheses.
        let status = try String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)
        let state = status[status.lastIndex(of: ")")!...].dropFirst(2).first
        if state == "T" { return }
        try #require(state != "Z" && state != "X", "the command ended instead of stopping")
        try await Task.sleep(for: .milliseconds(2))
      }
    }
  }
#else
  struct Fault { func environment() throws -> [String: String] { [:] } }
#endif
