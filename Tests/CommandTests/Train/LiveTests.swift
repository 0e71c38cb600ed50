import Foundation
import Testing

@Suite("bollygan-train says what is happening", .timeLimit(.minutes(3)))
struct LiveTests {
  private let start = ["faces", "--out", "run"] + SmallRun.small

  @Test("a line in PyTorch's form for each step, where no time between lines is asked for")
  func lines() async throws {
    let run = try await SmallRun(isTrained: false)
    let result = try await run.train(start + ["--report-every", "0"])
    #expect(result.status == 0 && result.output.isEmpty)
    // Nothing that only a terminal understands.
    #expect(!result.errors.contains("\r") && !result.errors.contains("\u{1B}"))
    let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("[") }
    #expect(lines.count == 8)
    let form =
      /\[2\/2\]\[4\/4\] Loss_D: \d+\.\d{4} Loss_G: \d+\.\d{4} D\(x\): [01]\.\d{4} D\(G\(z\)\): [01]\.\d{4} \/ [01]\.\d{4} \(.*\)/
    #expect(try form.wholeMatch(in: String(lines[7])) != nil, "\(lines[7])")
  }

  @Test("between two lines there is the time that was asked for; the last step has one")
  func rare() async throws {
    let run = try await SmallRun(isTrained: false)
    let result = try await run.train(start + ["--report-every", "3600"])
    let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("[") }
    #expect(lines.map { $0.prefix(10) } == ["[1/2][1/4]", "[2/2][4/4]"])
    let quiet = try await run.train(start + ["--force", "--quiet"])
    #expect(quiet.status == 0 && quiet.errors.isEmpty && quiet.output.isEmpty)
  }

  @Test("--json writes the log's own lines, the schema in the first, and a resumed run goes on so")
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

  @Test("a reader of the events who goes away costs no step")
  func gone() async throws {
    let run = try await SmallRun(isTrained: false)
    let result = try await BuiltCommand.train.run(
      start + ["--json", "--quiet"], redirection: "| head -n 1", in: run.folder)
    #expect(result.status == 0)
    let log = String(decoding: try run.folder.bytes("run/log.jsonl"), as: UTF8.self)
    #expect(log.contains(#"{"event":"end","step":8"#))
  }
}
