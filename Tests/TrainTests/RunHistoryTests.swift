import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Run history")
struct RunHistoryTests {
  private func event(_ line: String) -> LogEvent? { LogEvent(line: Array(line.utf8)) }

  private func log(_ lines: [String]) -> RunHistory {
    RunHistory(log: Array(lines.map { $0 + "\n" }.joined().utf8))
  }

  @Test("an event survives the log, whatever its values")
  func roundTrip() throws {
    let written = LogEvent(
      "skipped", step: 3, epoch: 1,
      [
        .init("file", "a\"b\\c\n\t\u{1}\u{7F} é😀.png"), .init("loss_d", 1.25e-7),
        .init("loss_g", -Double.infinity), .init("count", -7), .init("whole", true),
      ])
    let read = try #require(event(written.json))
    #expect(read == written)
    #expect(read.event == "skipped" && read.step == 3 && read.epoch == 1)
    #expect(read.text("file") == "a\"b\\c\n\t\u{1}\u{7F} é😀.png")
    #expect(read.number("loss_d") == 1.25e-7)
    #expect(read["loss_g"] == .null)
    #expect(read.numbers.map(\.key) == ["loss_d", "count"])
    #expect(read["whole"] == .flag(true))
  }

  @Test("JSON by other writers is read too")
  func foreign() throws {
    let read = try #require(
      event(
        #" { "event" : "note", "list":[1,{"a":"]}"}], "\u00e9\ud83d\ude00":"\ud83dx", "n":-0.5E+2} "#
      ))
    #expect(read["list"] == .other(#"[1,{"a":"]}"}]"#))
    #expect(read.text("é😀") == "\u{FFFD}x")
    #expect(read.number("n") == -50)
    #expect(read.step == nil)
    // The way Python's json.dumps writes infinities.
    #expect(
      event(#"{"event":"step","step":1,"loss_g":NaN,"loss_d":-Infinity}"#)?["loss_g"] == .null)
    #expect(event(#"{"event":"step","step":1.5}"#)?.step == nil)
  }

  @Test(
    "only an object with an event is an event",
    arguments: [
      "", "{", "{}", "[]", "null", #"{"step":1}"#, #"{"event":1}"#, #"{"event":"a""#,
      #"{"event":"a"}}"#, #"{"event":"a","b":}"#, #"{"event":"a","b":0x10}"#,
      #"{"event":"a","b":nan}"#, #"{"event":"a","b":+1}"#, #"{"event":"a","b":"\x"}"#,
      #"{"event":"a","b":[1,2}"#, #"{"event":"a" "b":1}"#, #"{"event":"a","b":"\u12"}"#,
    ])
  func malformed(line: String) {
    #expect(event(line) == nil)
  }

  @Test("every prefix of a line is rejected, and no changed byte crashes the parser")
  func torn() {
    let whole = Array(
      #"{"event":"step","step":12,"epoch":1,"loss_d":1.25,"text":"\u00e9\n","list":[{}]}"#.utf8)
    #expect(LogEvent(line: whole) != nil)
    for length in whole.indices { #expect(LogEvent(line: whole[..<length]) == nil) }
    for place in whole.indices {
      for byte in [UInt8(0), 34, 44, 92, 123, 125, 200, 255] {
        var changed = whole
        changed[place] = byte
        _ = LogEvent(line: changed)
      }
    }
  }

  @Test("unreadable lines are counted and do not affect the others")
  func oddLines() {
    let history = log([
      #"{"event":"start","step":0,"epoch":1,"steps_per_epoch":2,"lr_g":0.0002,"lr_d":0.0002}"#,
      #"{"event":"step","step":1,"epoch":1,"loss_d":1.5}"#, #"{"event":"st"#, "\u{0}\u{0}", "",
      #"{"event":"step","step":2,"epoch":1,"loss_d":2.5,"lr_d":null}"#,
      #"{"event":"step","step":-3,"epoch":1,"loss_d":9}"#,
      #"{"event":"step","epoch":1,"loss_d":"much"}"#,
    ])
    #expect(history.unreadable == 2)
    #expect(history.step == 2 && history.stepsPerEpoch == 2)
    #expect(history.steps["loss_d"]?.points.map(\.mean) == [1.5, 2.5])
    #expect(history.rates["lr_g"]?.latest == 0.0002)
    #expect(history.phase == .underWay)
  }

  @Test("a log that is still being written is read up to its last complete line")
  func unfinished() {
    let bytes = Array("{\"event\":\"step\",\"step\":1,\"a\":1}\n{\"event\":\"step\",\"ste".utf8)
    let history = RunHistory(log: bytes)
    #expect(history.step == 1 && history.unreadable == 0)
  }

  @Test("repeated steps replace the earlier ones")
  func madeAgain() {
    func step(_ number: Int, _ value: Int) -> String {
      #"{"event":"step","step":\#(number),"epoch":\#((number + 1) / 2),"loss_d":\#(value)}"#
    }
    func epoch(_ number: Int, _ value: Int) -> String {
      #"{"event":"epoch","step":\#(number * 2),"epoch":\#(number),"pictures_per_second":\#(value)}"#
    }
    let history = log([
      step(1, 10), step(2, 20), epoch(1, 100), step(3, 30), step(4, 40), epoch(2, 200),
      #"{"event":"rollback","step":2,"epoch":1}"#, step(3, 31), step(4, 41), epoch(2, 201),
    ])
    #expect(history.steps["loss_d"]?.points.map(\.mean) == [10, 20, 31, 41])
    #expect(history.epochs["pictures_per_second"]?.points.map(\.mean) == [100, 201])
    #expect(history.epochEnds == [1: 2, 2: 4])
    #expect(history.timeline.map(\.event) == ["rollback"])
  }

  @Test("the last start or end determines the state of a run")
  func phases() {
    let start = #"{"event":"start","step":0,"epoch":1}"#
    let step = #"{"event":"step","step":1,"epoch":1}"#
    func end(_ name: String) -> String { #"{"event":"\#(name)","step":1,"epoch":1}"# }
    #expect(log([start]).phase == .underWay)
    #expect(log([start, step, end("stop")]).phase == .stopped)
    #expect(log([start, step, end("stop"), end("resume")]).phase == .underWay)
    #expect(log([start, step, end("end"), end("checkpoint")]).phase == .finished)
    #expect(log([start, step, end("diverged")]).phase == .diverged)
    #expect(RunState(.underWay, isRunning: false) == .killed)
    #expect(RunState(.stopped, isRunning: true) == .running)
  }

  @Test("the best metric is the lowest distance to the held-out images")
  func best() throws {
    func quality(_ step: Int, _ train: Double, _ held: Double) -> String {
      #"{"event":"quality","step":\#(step),"epoch":1,"swd":\#(train),"swd_holdout":\#(held),"seconds":1}"#
    }
    let history = log([quality(5, 9, 8), quality(10, 1, 6.5), quality(15, 0.5, 7)])
    let best = try #require(BestMetric(history))
    #expect(best.name == "swd_holdout" && best.value == 6.5 && best.step == 10)
    #expect(BestMetric(log([#"{"event":"quality","step":5,"ssim":0.2}"#])) == nil)
    #expect(history.quality.names == ["swd", "swd_holdout"])
  }

  @Test("sample inspections and reference metrics become curves, not timeline entries")
  func inspections() {
    let history = log([
      #"{"event":"look","step":10,"epoch":1,"spread":0.5,"saturated":0.01}"#,
      #"{"event":"quality_reference","step":15,"epoch":1,"pictures":60,"ssim":0.17}"#,
      #"{"event":"look","step":20,"epoch":2,"spread":0.25,"saturated":0.02}"#,
      #"{"event":"rollback","step":10,"epoch":1}"#,
    ])
    #expect(history.timeline.map(\.event) == ["rollback"])
    #expect(history.inspections.names == ["spread", "saturated"])
    #expect(history.inspections["spread"]?.points.map(\.mean) == [0.5])
    #expect(history.reference["ssim"] == 0.17)
  }

  @Test("a long timeline keeps its beginning and its end")
  func longTimeline() {
    let history = log(
      (0..<1000).map { #"{"event":"warning","step":\#($0),"message":"\#($0)"}"# })
    #expect(history.timeline.count + history.omitted == 1000 && history.omitted > 0)
    #expect(history.timeline.first?.step == 0 && history.timeline.last?.step == 999)
  }
}

@Suite("Curve")
struct CurveTests {
  @Test("keeps its extremes and its mean in a bounded number of points, whatever its length")
  func bounded() {
    var curve = Curve()
    var sum = 0.0
    for step in 1...100_000 {
      let value = Double(step * 7919 % 10_007)
      sum += value
      curve.add(step: step, value)
    }
    let points = curve.points
    #expect(points.count <= Curve.capacity && points.count > Curve.capacity / 2 - 1)
    #expect(points.first?.first == 1 && points.last?.last == 100_000)
    #expect(zip(points, points.dropFirst()).allSatisfy { $0.last + 1 == $1.first })
    #expect(points.map(\.low).min() == 0 && points.map(\.high).max() == 10_006)
    let mean = points.reduce(0) { $0 + $1.mean * Double($1.last - $1.first + 1) } / 100_000
    // Sums of integers are exact; each of the 512 means is rounded once.
    #expect(abs(mean - sum / 100_000) < 1e-9)
  }

  @Test("holds the exact values while they fit")
  func exact() {
    var curve = Curve()
    for step in 1...Curve.capacity { curve.add(step: step, Double(step) * 0.1) }
    #expect(curve.points.map(\.mean) == (1...Curve.capacity).map { Double($0) * 0.1 })
    curve.add(step: Curve.capacity + 1, .nan)
    #expect(curve.points.count == Curve.capacity)
  }

  @Test(
    "a curve that is truncated and extended again equals the original",
    arguments: [1, 100, 511, 700, 5000])
  func again(cut: Int) {
    func value(_ step: Int) -> Double { Double(step % 17) }
    var whole = Curve()
    for step in 1...5000 { whole.add(step: step, value(step)) }
    var curve = whole
    curve.truncate(after: cut)
    let kept = curve.points.last?.last ?? 0
    #expect(kept <= cut)
    for step in kept + 1..<5001 { curve.add(step: step, value(step)) }
    #expect(curve == whole)
  }
}
