import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Sweep")
struct SweepTests {
  private func spec(_ text: String) throws -> SweepSpec { try SweepSpec(bytes: Array(text.utf8)) }

  @Test("a grid adds every combination of its values to the listed settings")
  func grid() throws {
    let spec = try spec(
      """
      {"data": "faces", "epochs": 3, "options": {"width": 8, "lr": 0.5},
       "grid": {"lr": [0.0001, 2e-4], "batch": [64, 128]},
       "settings": [{"name": "the other/loss", "loss": "hinge"}, {"mirror": false, "seed": -7}, {}]}
      """)
    #expect(spec.data == "faces" && spec.hopeless == nil && spec.patience == 2)
    #expect(
      spec.settings.map(\.name) == [
        "the other/loss", "mirror=false seed=-7", "unchanged", "batch=64 lr=0.0001",
        "batch=64 lr=0.0002", "batch=128 lr=0.0001", "batch=128 lr=0.0002",
      ])
    #expect(spec.settings[0].folder == "01-the-other-loss")
    #expect(spec.settings[0].arguments == ["--epochs=3", "--loss=hinge", "--lr=0.5", "--width=8"])
    #expect(
      spec.settings[1].arguments == [
        "--epochs=3", "--lr=0.5", "--no-mirror", "--seed=-7", "--width=8",
      ])
    #expect(
      spec.settings[6].arguments == ["--batch=128", "--epochs=3", "--lr=0.0002", "--width=8"])
    #expect(Set(spec.settings.map(\.folder)).count == 7)
  }

  @Test(
    "faults in the file are named",
    arguments: [
      ("", "not valid JSON"), ("[1]", "not a JSON object"), ("{}", "data is missing"),
      (#"{"data":"a"}"#, "are empty"), (#"{"data":"a","settings":[]}"#, "are empty"),
      (#"{"data":"a","grid":{"lr":[]}}"#, "grid.lr has no values"),
      (#"{"data":"a","grid":{"lr":0.1}}"#, "grid.lr has the wrong type"),
      (#"{"data":"a","settings":[{}],"patients":2}"#, #"unknown key "patients""#),
      (#"{"data":"a","settings":[{},{}]}"#, #"two settings are named "unchanged""#),
      (#"{"data":"a","settings":[{"out":"b"}]}"#, "out is set by the sweep"),
      (#"{"data":"a","settings":[{"-lr":1}]}"#, #""-lr" is not a long option name"#),
      (#"{"data":"a","settings":[{"lr x":1}]}"#, "not a long option name"),
      (#"{"data":"a","settings":[{}],"hopeless":1}"#, "hopeless is 1.0"),
    ])
  func wrong(text: String, problem: String) {
    let error = #expect(throws: SweepError.self) { try spec(text) }
    #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
  }

  /// The history of a run with a measurement after every epoch of ten steps.
  private func history(_ figures: [Double], ending: String? = nil) -> RunHistory {
    var lines = [#"{"event":"start","step":0,"epoch":1,"steps_per_epoch":10}"#]
    for (index, figure) in figures.enumerated() {
      let place = #""step":\#((index + 1) * 10),"epoch":\#(index + 1)"#
      lines.append(#"{"event":"step",\#(place),"loss_d":1,"loss_g":2}"#)
      lines.append(#"{"event":"quality",\#(place),"swd_holdout":\#(figure)}"#)
    }
    if let ending {
      lines.append(
        #"{"event":"\#(ending)","step":\#(figures.count * 10),"epoch":\#(figures.count)}"#)
    }
    return RunHistory(log: Array(lines.map { $0 + "\n" }.joined().utf8))
  }

  @Test("a setting is compared with the best of the others at equal epochs, once patience is over")
  func pruning() {
    let pruner = SweepPruner(factor: 1.5, patience: 2)
    let good = history([30, 20, 10, 5])
    // In its first epoch even a very bad setting is safe.
    #expect(pruner.reason(toPrune: history([300]), comparedWith: [good]) == nil)
    // 29 is less than 1.5 times the 20 that the good one had by then; its later 5 does not count.
    #expect(pruner.reason(toPrune: history([40, 29]), comparedWith: [good]) == nil)
    let reason = pruner.reason(toPrune: history([40, 31]), comparedWith: [good, history([50])])
    #expect(reason?.metric == "swd_holdout" && reason?.epoch == 2)
    #expect(reason?.value == 31 && reason?.best == 20)
    // The best value so far counts, not the latest.
    #expect(pruner.reason(toPrune: history([29, 100]), comparedWith: [good]) == nil)
    #expect(pruner.reason(toPrune: history([300, 300]), comparedWith: []) == nil)
    #expect(pruner.reason(toPrune: RunHistory(), comparedWith: [good]) == nil)
  }

  @Test("the lowest metric is first, diverged and unmeasured settings are last")
  func ranking() throws {
    let spec = try spec(
      #"{"data":"a","grid":{"lr":[1,2,3,4,5]}}"#)
    let histories = [
      history([30, 20], ending: "diverged"), history([30, 25, 24], ending: "end"), history([]),
      history([28, 30], ending: "stop"), history([40, 20, 26, 30], ending: "end"),
    ]
    let states: [SweepEntry.State] = [.diverged, .finished, .waiting, .pruned, .finished]
    let entries = zip(spec.settings, zip(states, histories)).map {
      SweepEntry(setting: $0, state: $1.0, record: nil, history: $1.1)
    }
    let ranking = SweepRanking(entries)
    #expect(ranking.metric == "swd_holdout" && ranking.equalEpochs == 2)
    #expect(ranking.rows.map(\.setting) == ["lr=5", "lr=2", "lr=4", "lr=1", "lr=3"])
    #expect(ranking.rows.map(\.rank) == [1, 2, 3, nil, nil])
    #expect(ranking.rows.map(\.best) == [20, 24, 28, 20, nil])
    #expect(ranking.rows.map(\.bestEpoch) == [2, 3, 1, 2, nil])
    #expect(ranking.rows.map(\.atEqualEpochs) == [20, 25, 28, nil, nil])
    let page = SweepPage(title: "<i>", ranking: ranking, sheets: [:], time: "now").html
    #expect(page.contains("4 of 5 settings tried"))
    #expect(!page.contains("<i>") && page.contains("Ranked by swd holdout"))

    let unmeasured = SweepRanking(
      spec.settings.map {
        SweepEntry(setting: $0, state: .waiting, record: nil, history: RunHistory())
      })
    #expect(unmeasured.metric == nil && unmeasured.rows.map(\.setting).first == "lr=1")
    #expect(
      SweepPage(title: "a", ranking: unmeasured, sheets: [:], time: "now").html
        .contains("Not ranked"))
  }
}
