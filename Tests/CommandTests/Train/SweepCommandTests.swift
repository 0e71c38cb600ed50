import Foundation
import Testing

@Suite("bollygan-train sweep", .timeLimit(.minutes(3)))
struct SweepCommandTests {
  private struct Ranking: Decodable {
    struct Row: Decodable {
      let rank: Int?
      let setting, run, state: String
      let epoch: Int
      let epochs: Int?
    }
    let schema: Int
    let figure: String?
    let rows: [Row]
  }

  private static let spec = #"""
    {"data": "faces", "epochs": 2,
     "options": {"batch": 4, "side": 32, "width": 2, "latent": 4, "threads": 1},
     "grid": {"lr": [0.0001, 0.0004]},
     "settings": [{"name": "wild", "lr": 1, "epochs": 40}],
     "hopeless": 1.2}
    """#

  private func ranking(_ result: BuiltCommand.Result) throws -> Ranking {
    try JSONDecoder().decode(Ranking.self, from: Data(result.output))
  }

  @Test("trains with each setting, keeps each run, and repeats nothing")
  func whole() async throws {
    let run = try await SmallRun(isTrained: false)
    try run.folder.write(Array(Self.spec.utf8), to: "spec.json")
    let command = ["sweep", "spec.json", "--out", "sweeps/a", "--quiet"]
    let first = try await run.train(command + ["--json"])
    #expect(first.status == 0, "\(first.errors)")
    let ranking = try ranking(first)
    #expect(ranking.schema == 1 && ranking.rows.count == 3)
    // Quality is measured after the last epoch, so even two epochs are ranked.
    #expect(ranking.figure == "swd_data")
    let names = try run.folder.names(in: "sweeps/a")
    #expect(
      names.filter { !$0.hasSuffix(".jsonl") } == [
        "01-wild", "02-lr=0.0001", "03-lr=0.0004", "sweep.html",
      ])
    for row in ranking.rows where row.setting != "wild" {
      #expect(row.state == "finished" && row.epoch == 2 && row.epochs == 2 && row.rank != nil)
      let record = String(
        decoding: try run.folder.bytes("sweeps/a/\(row.run)/run.json"), as: UTF8.self)
      let rate = row.setting.dropFirst("lr=".count)
      let found = record.firstMatch(of: /"generatorRate" : ([-.0-9e]+)/).flatMap { Double($0.1) }
      #expect(found == Double(rate))
    }
    // A learning rate of 1 leads nowhere, in one way or another.
    let wild = try #require(ranking.rows.first { $0.setting == "wild" })
    #expect(["diverged", "hopeless", "finished"].contains(wild.state))

    let log = try run.folder.bytes("sweeps/a/03-lr=0.0004/log.jsonl")
    let again = try await run.train(command)
    #expect(again.status == 0)
    #expect(try run.folder.bytes("sweeps/a/03-lr=0.0004/log.jsonl") == log)
    let lines = again.text.split(separator: "\n")
    #expect(lines.count == 4 && lines[0].hasPrefix("setting    state"))
    if ranking.figure == nil {
      #expect(again.errors.contains("no run has measured a sliced Wasserstein distance"))
    }
    let page = String(decoding: try run.folder.bytes("sweeps/a/sweep.html"), as: UTF8.self)
    #expect(page.contains("3 of 3 settings tried"))
    #expect(page.components(separatedBy: "<img ").count - 1 >= 2)
  }

  @Test("a sweep killed within a setting resumes that run, with identical results")
  func killed() async throws {
    let run = try await SmallRun(isTrained: false)
    try run.folder.write(
      Array(Self.spec.replacing(#"{"name": "wild", "lr": 1, "epochs": 40}"#, with: "").utf8),
      to: "spec.json")
    let command = ["sweep", "spec.json", "--quiet", "--out"]
    #expect(try await run.train(command + ["whole"]).status == 0)
    // As if killed: the first run is cut off after its first epoch, the second has not begun.
    try FileManager.default.copyItem(atPath: run.folder / "whole", toPath: run.folder / "cut")
    try FileManager.default.removeItem(atPath: run.folder / "cut/02-lr=0.0004")
    let first = "cut/01-lr=0.0001"
    try FileManager.default.removeItem(
      atPath: run.folder / "\(first)/checkpoint-000008.safetensors")
    try FileManager.default.removeItem(atPath: run.folder / "\(first)/generator.safetensors")
    let log = String(decoding: try run.folder.bytes("\(first)/log.jsonl"), as: UTF8.self)
    let lines = log.split(separator: "\n").dropLast().joined(separator: "\n")
    try run.folder.write(Array((lines + "\n").utf8), to: "\(first)/log.jsonl")
    #expect(try await run.train(command + ["cut"]).status == 0)
    for name in ["01-lr=0.0001", "02-lr=0.0004"] {
      #expect(
        try run.folder.bytes("cut/\(name)/generator.safetensors")
          == run.folder.bytes("whole/\(name)/generator.safetensors"))
    }
  }

  @Test("a mistake anywhere in the file is reported before training starts")
  func mistakes() async throws {
    let run = try await SmallRun(isTrained: false)
    try run.folder.write(
      Array(#"{"data":"faces","settings":[{"lr":0.1},{"wdith":3}]}"#.utf8), to: "spec.json")
    let result = try await run.train("sweep", "spec.json", "--out", "out")
    #expect(result.status == 65 && result.errors.contains(#"setting "wdith=3""#))
    #expect(try run.folder.names() == ["faces", "spec.json"])
    #expect(try await run.train("sweep", "no.json", "--out", "out").status == 66)
  }
}
