import BollyGANModel
import BollyGANPictures
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("Report")
struct ReportTests {
  private func page(_ tiny: TinyRun, _ name: String) throws -> String {
    String(decoding: try tiny.scratch.bytes("\(name)/report.html"), as: UTF8.self)
  }

  @Test("exists from the first step and follows the run to its end")
  func follows() async throws {
    var tiny = try await TinyRun()
    let scratch = tiny.scratch
    let seen = Seen()
    tiny.beforeStep = { step in
      let page = String(decoding: try scratch.bytes("run/report.html"), as: UTF8.self)
      if page.contains("<span class=\"state running\">") { seen.running.append(step) }
      // A sheet is added after each epoch of five steps.
      seen.sheets.append(page.components(separatedBy: "data:image/webp;base64,").count - 1)
    }
    _ = try await tiny.begin("run")
    #expect(seen.running == Array(1...15))
    #expect(seen.sheets == (0..<15).map { $0 / 5 })
    let last = try page(tiny, "run")
    #expect(last.contains("<span class=\"state finished\">finished</span>"))
    #expect(last.contains("<dt>Step</dt><dd>15</dd><dd class=\"note\">of 15</dd>"))
    #expect(tiny.notes.warnings.isEmpty)
  }

  private final class Seen {
    var running: [Int] = []
    var sheets: [Int] = []
  }

  @Test("shows why a run did not finish")
  func failures() async throws {
    var tiny = try await TinyRun()
    tiny.losses = { _, _ in StepLosses(lossD: 100, lossG: 0, dX: 1, dGz1: 1, dGz2: 1) }
    _ = try await tiny.begin("lost")
    let lost = try page(tiny, "lost")
    #expect(lost.contains("state diverged") && lost.contains("Training diverged at step 10"))
    #expect(
      lost.contains("Over the last 10 steps the discriminator classified nearly every image"))

    tiny.losses = nil
    let notes = tiny.notes
    notes.steps = []
    tiny.isStopRequested = { notes.steps.count == 1 }
    _ = try await tiny.begin("stopped")
    #expect(try page(tiny, "stopped").contains("state stopped"))
  }

  @Test("shows the metrics of real images as a baseline, and the number of held-out images")
  func reference() async throws {
    let tiny = try await TinyRun()
    var record = try await tiny.record()
    record.data.heldOut = 1234
    let history = RunHistory(
      log: Array(
        """
        {"event":"step","step":15,"epoch":1,"loss_d":1}
        {"event":"look","step":15,"epoch":1,"spread":0.5,"saturated":0.01}
        {"event":"quality_reference","step":15,"epoch":1,"swd_data":12.34,"ssim":0.1749,"copies":0}
        {"event":"quality","step":15,"epoch":1,"swd_holdout":90,"swd_data":80,"ssim":0.3,"copies":0.1}

        """.utf8))
    let page = RunReport(
      name: "run", record: record, history: history, sheets: [], isRunning: false, time: "now"
    ).html
    #expect(page.contains(" images, 1,234 of them held out"))
    #expect(page.contains("Baseline (held-out against training): 12.3"))
    #expect(page.contains("loses variety. Real images: 0.175"))
    #expect(page.contains("nearly copy a training image. Real images: 0"))
    #expect(page.contains("\"title\":\"Spread\"") && page.contains("\"title\":\"Saturation\""))
    #expect(!page.contains("<span class=\"event plain\">look"))
  }

  @Test("fetches nothing and contains no path of the machine")
  func selfContained() async throws {
    let tiny = try await TinyRun()
    _ = try await tiny.begin("run")
    var page = try page(tiny, "run")
    #expect(!page.contains(tiny.scratch.path))
    #expect(page.contains("default-src 'none'"))
    // An XML namespace is not fetched.
    page = page.replacing("http://www.w3.org/2000/svg", with: "")
    for sign in ["http:", "https:", "//cdn", "url(http", "@import", "<link", "src=\"/", "srcset"] {
      #expect(!page.contains(sign), "\(sign)")
    }
  }

  @Test("escapes text from files")
  func escaped() async throws {
    let tiny = try await TinyRun()
    let hostile = "</script><img src=x onerror=alert(1)>&amp;\"'\u{202E}"
    var record = try await tiny.record()
    record.processor = hostile
    record.data.folder = "/" + hostile
    var history = RunHistory()
    history.add(
      LogEvent(
        hostile, step: 1, epoch: 1, [.init(hostile, hostile), .init("message", hostile)]))
    history.add(LogEvent("step", step: 2, epoch: 1, [.init(hostile, 1.5)]))
    let page = RunReport(
      name: hostile, record: record, history: history, sheets: [], isRunning: false, time: hostile
    ).html
    #expect(!page.contains("<img") && !page.contains("</script><"))
    #expect(!page.contains("\u{202E}") && !page.contains("onerror=alert(1)>"))
    #expect(page.components(separatedBy: "</script>").count == 3)
    #expect(page.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;&quot;&#39;"))
    // The title of the chart is in JSON, where only the start of an element is dangerous.
    #expect(page.contains(#"\u003c/script\u003e\u003cimg"#))
  }

  @Test("shows a bounded number of sheets, evenly spaced, with the first and the last")
  func choice() {
    for count in 1...400 {
      let epochs = (1...count).map { $0 * 3 }
      let chosen = SampleSheets.chosen(from: epochs, limit: 48)
      #expect(chosen.count <= 48 && chosen.count >= min(count, 24))
      #expect(chosen.first == 3 && chosen.last == count * 3)
      let gaps = Set(zip(chosen, chosen.dropFirst()).dropLast().map { $1 - $0 })
      #expect(gaps.count <= 1)
      // One more epoch adds its own sheet, but no other that was not shown before.
      let before = Set(SampleSheets.chosen(from: epochs.dropLast(), limit: 48))
      #expect(chosen.dropLast().allSatisfy { before.contains($0) || $0 == epochs.dropLast().last })
    }
    #expect(SampleSheets.chosen(from: [], limit: 48).isEmpty)
    #expect(SampleSheets.chosen(from: [4, 5, 9], limit: 2) == [4, 9])
  }

  @Test("embeds the sheets in the folder and leaves out unreadable ones")
  func sheets() async throws {
    let tiny = try await TinyRun()
    _ = try await tiny.begin("run")
    try tiny.scratch.write([1, 2, 3], to: "run/samples/epoch-0002.png")
    // After a rollback, a sheet of an epoch that the run has not reached again.
    try tiny.scratch.write(
      tiny.scratch.bytes("run/samples/epoch-0001.png"), to: "run/samples/epoch-0009.png")
    let report = try RunReport(folder: tiny.scratch / "run")
    #expect(report.sheets.map(\.epoch) == [1, 3])
    let address = try #require(report.sheets.last?.address)
    let data = try #require(
      Data(base64Encoded: String(address.dropFirst("data:image/webp;base64,".count))))
    let shown = try decodePicture([UInt8](data)).picture
    let saved = try decodePicture(tiny.scratch.bytes("run/samples/epoch-0003.png")).picture
    #expect(shown.width == saved.width && shown.height == saved.height)
    let squares = zip(shown.pixels, saved.pixels).map { Double(Int($0) - Int($1)) }
    let error = (squares.reduce(0) { $0 + $1 * $1 } / Double(squares.count)).squareRoot()
    // The error of WebP at quality 85 on near-noise. Another epoch would differ by 30.
    #expect(error < 12)
  }

  @Test("a filmstrip holds the first eight faces of each chosen sheet, pixel for pixel")
  func strip() async throws {
    let tiny = try await TinyRun(epochs: 5)
    _ = try await tiny.begin("run")
    let strip = try FaceStrip(folder: tiny.scratch / "run", side: 32, columns: 3)
    #expect(strip.epochs == [1, 3, 5])
    #expect(strip.picture.width == 3 * 34 + 2 && strip.picture.height == 8 * 34 + 2)
    for (column, epoch) in strip.epochs.enumerated() {
      let sheet = try decodePicture(tiny.scratch.bytes("run/samples/epoch-000\(epoch).png")).picture
      for row in 0..<8 {
        for y in 2..<34 {
          // The sheet has eight columns, so its first row holds the eight latents.
          let there = (y * sheet.width + row * 34 + 2) * 3
          let here = ((row * 34 + y) * strip.picture.width + column * 34 + 2) * 3
          #expect(
            strip.picture.pixels[here..<here + 96] == sheet.pixels[there..<there + 96])
        }
      }
    }
    #expect(throws: StripError.self) {
      try FaceStrip(folder: tiny.scratch / "run", side: 64, columns: 3)
    }
  }

  @Test("a page that cannot be written does not stop the run")
  func unwritable() async throws {
    let tiny = try await TinyRun()
    try FileManager.default.createDirectory(
      atPath: tiny.scratch / "run/report.html", withIntermediateDirectories: true)
    var parts = try await tiny.parts("run", isNew: true)
    parts.observer = tiny.notes
    guard case .finished = try TrainingRun.begin(parts).run() else {
      Issue.record("the run did not finish")
      return
    }
    #expect(tiny.notes.warnings.contains { $0.contains("report.html") })
  }
}
