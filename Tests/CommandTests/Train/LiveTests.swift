import Foundation
import Testing

@Suite("bollygan-train progress", .timeLimit(.minutes(3)))
struct LiveTests {
  private let start = ["faces", "--out", "run"] + SmallRun.small

  @Test("with --report-every 0 every step prints a line in PyTorch's format")
  func lines() async throws {
    let run = try await SmallRun(isTrained: false)
    let result = try await run.train(start + ["--report-every", "0"])
    #expect(result.status == 0 && result.output.isEmpty)
    // No terminal control codes.
    #expect(!result.errors.contains("\r") && !result.errors.contains("\u{1B}"))
    let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("[") }
    #expect(lines.count == 8)
    let form =
      /\[2\/2\]\[4\/4\] Loss_D: \d+\.\d{4} Loss_G: \d+\.\d{4} D\(x\): [01]\.\d{4} D\(G\(z\)\): [01]\.\d{4} \/ [01]\.\d{4} \(.*\)/
    #expect(try form.wholeMatch(in: String(lines[7])) != nil, "\(lines[7])")
  }

  @Test("--report-every limits the lines, but the last step always has one")
  func rare() async throws {
    let run = try await SmallRun(isTrained: false)
    let result = try await run.train(start + ["--report-every", "3600"])
    let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("[") }
    #expect(lines.map { $0.prefix(10) } == ["[1/2][1/4]", "[2/2][4/4]"])
    let quiet = try await run.train(start + ["--force", "--quiet"])
    #expect(quiet.status == 0 && quiet.errors.isEmpty && quiet.output.isEmpty)
  }

  @Test("--json writes the lines of the log, starting with the schema, also when resumed")
  func json() async throws {
    let run = try await SmallRun(isTrained: false)
    let first = try await run.train(start + ["--json", "--quiet", "--max-steps", "5"])
    #expect(first.status == 0 && first.errors.isEmpty)
    #expect(first.output == (try run.folder.bytes("run/log.jsonl")))
    let second = try await run.train("--resume", "run", "--max-steps", "8", "--json", "--quiet")
    struct Line: Decodable {
      let event: String
      let schema: Int?
      let step: Int
    }
    func read(_ result: BuiltCommand.Result) throws -> [Line] {
      try result.text.split(separator: "\n").map {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8))
      }
    }
    for (result, event, steps) in [(first, "start", 1...5), (second, "resume", 6...8)] {
      let lines = try read(result)
      #expect(lines.first?.event == event && lines.first?.schema == 1)
      #expect(lines.filter { $0.event == "step" }.map(\.step) == Array(steps))
      #expect(lines.last?.event == "end")
    }
    let log = String(decoding: try run.folder.bytes("run/log.jsonl"), as: UTF8.self)
    #expect(log.hasSuffix(second.text))
  }

  @Test("training continues if the reader of --json goes away")
  func gone() async throws {
    let run = try await SmallRun(isTrained: false)
    let result = try await BuiltCommand.train.run(
      start + ["--json", "--quiet"], redirection: "| head -n 1", in: run.folder)
    #expect(result.status == 0)
    let log = String(decoding: try run.folder.bytes("run/log.jsonl"), as: UTF8.self)
    #expect(log.contains(#"{"event":"end","step":8"#))
  }
}
