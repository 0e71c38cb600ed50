import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite("bollygan-train runs", .timeLimit(.minutes(3)))
struct RunsCommandTests {
  private struct Report: Decodable {
    struct Run: Decodable {
      struct Best: Decodable {
        let name: String
        let value: Double
        let step: Int
      }
      let run: String
      let state: String
      let epoch, epochs, step, steps: Int
      let loss_d: Double?
      let best: Best?
    }
    let schema: Int
    let runs: [Run]
  }

  /// Edits a run's log: removes lines at the end and those of an event, then adds one.
  private func edit(
    _ run: SmallRun, _ name: String, dropping count: Int = 0, without event: String? = nil,
    adding line: String?
  ) throws {
    let text = String(decoding: try run.folder.bytes("\(name)/log.jsonl"), as: UTF8.self)
    var lines = text.split(separator: "\n").dropLast(count).map(String.init)
    if let event { lines.removeAll { $0.hasPrefix("{\"event\":\"\(event)\"") } }
    if let line { lines.append(line) }
    try run.folder.write(
      Array(lines.map { $0 + "\n" }.joined().utf8), to: "\(name)/log.jsonl")
  }

  @Test("tells running, finished, stopped, diverged and killed runs apart")
  func states() async throws {
    let run = try await SmallRun()
    let files = FileManager.default
    try files.createDirectory(atPath: run.folder / "more", withIntermediateDirectories: true)
    for name in ["broken", "diverged", "killed", "more/stopped", "training"] {
      try files.copyItem(atPath: run.folder / "run", toPath: run.folder / name)
    }
    try edit(run, "killed", dropping: 1, adding: #"{"event":"st"#)
    try edit(
      run, "diverged", dropping: 1, without: "quality",
      adding: #"{"event":"diverged","step":8,"epoch":2}"#)
    try edit(run, "more/stopped", dropping: 1, adding: #"{"event":"stop","step":8,"epoch":2}"#)
    try edit(
      run, "run", adding: #"{"event":"quality","step":8,"epoch":2,"swd_holdout":12.345}"#)
    try run.folder.write(Array("{".utf8), to: "broken/run.json")
    let lock = unsafe open(run.folder / "training", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)

    let result = try await run.train("runs", ".", "--json")
    #expect(result.status == 0)
    #expect(result.errors == "bollygan: skipped ./broken: ./broken/run.json: not valid JSON\n")
    let report = try JSONDecoder().decode(Report.self, from: Data(result.output))
    #expect(report.schema == 1)
    #expect(
      report.runs.map { "\($0.run) \($0.state)" } == [
        "diverged diverged", "killed killed", "more/stopped stopped", "run finished",
        "training running",
      ])
    let best = try #require(report.runs[3].best)
    #expect(best.name == "swd_holdout" && best.value == 12.345 && best.step == 8)
    #expect(report.runs[0].best == nil && report.runs[0].loss_d != nil)
    #expect(report.runs[1].best?.name == "swd_data" && report.runs[1].best?.step == 8)
    #expect(
      report.runs.allSatisfy { ($0.epoch, $0.epochs) == (2, 2) && ($0.step, $0.steps) == (8, 8) })

    let text = try await run.train("runs").text.split(separator: "\n")
    #expect(text.count == 6 && text[0].hasPrefix("run           state"))
    #expect(text[4].hasPrefix("run           finished    2/2   8/8"))
    #expect(text[4].contains("swd_holdout 12.35"))
    // Listing a run does not keep it locked.
    #expect(try await run.train("--resume", "killed", "--quiet").status == 0)
    #expect(try await run.train("--resume", "training", "--quiet").status == 75)
  }

  @Test("the total number of steps excludes held-out images")
  func heldOut() async throws {
    let run = try await SmallRun()
    func steps(_ name: String) async throws -> [Int] {
      let report = try JSONDecoder().decode(
        Report.self, from: Data(try await run.train("runs", name, "--json").output))
      return report.runs.flatMap { [$0.step, $0.steps] }
    }
    let options = ["--side", "32", "--width", "4", "--latent", "8", "--batch", "4", "--quiet"]
    let whole = try await run.train(
      ["faces", "--out", "held", "--holdout", "0.25", "--epochs", "2"] + options)
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try await steps("held") == [6, 6])
    // Identical images stay together, so more may be held out than the share. run.json has the
    // number; without it, in an older run, the share is used.
    let record = String(decoding: try run.folder.bytes("held/run.json"), as: UTF8.self)
    #expect(record.contains("\"heldOut\" : 4"))
    try run.folder.write(
      Array(record.replacing("    \"heldOut\" : 4,\n", with: "").utf8), to: "held/run.json")
    #expect(try await steps("held") == [6, 6])
    try run.folder.write(
      Array(record.replacing("\"heldOut\" : 4", with: "\"heldOut\" : 9").utf8),
      to: "held/run.json")
    #expect(try await steps("held") == [6, 2])
  }

  @Test("lists a single run if given one, and reports a folder without runs")
  func alone() async throws {
    let run = try await SmallRun()
    #expect(try await run.train("runs", "run").text.contains("\nrun  finished"))
    let none = try await run.train("runs", "faces")
    #expect(none.status == 66 && none.errors == "bollygan: faces: contains no runs\n")
    #expect(try await run.train("runs", "faces", "--json").text == "{\"runs\":[],\"schema\":1}\n")
    #expect(try await run.train("runs", "nothing").status == 66)
  }
}
