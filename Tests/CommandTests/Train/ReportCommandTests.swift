import BollyGANPictures
import Foundation
import Testing

@Suite("bollygan-train report", .timeLimit(.minutes(3)))
struct ReportCommandTests {
  @Test("writes the same page to a file and to standard output, and draws the filmstrip")
  func remakes() async throws {
    let run = try await SmallRun()
    let made = try run.folder.bytes("run/report.html")
    try FileManager.default.removeItem(atPath: run.folder / "run/report.html")
    let result = try await run.train("report", "run")
    #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty)
    func timeless(_ bytes: [UInt8]) -> String {
      String(decoding: bytes, as: UTF8.self)
        .replacing(/Written [^,]* by/, with: "")
    }
    #expect(timeless(try run.folder.bytes("run/report.html")) == timeless(made))
    let printed = try await run.train("report", "run/", "--out", "-")
    #expect(timeless(printed.output) == timeless(made))

    try await run.train("report", "run", "--filmstrip", "strip.png", "--columns", "7")
    let strip = try decodePicture(run.folder.bytes("strip.png")).picture
    #expect(strip.width == 2 * 34 + 2 && strip.height == 8 * 34 + 2)
    #expect(
      try pngTexts(run.folder.bytes("strip.png")).contains {
        $0 == PNGText(keyword: "Comment", text: "epochs 1, 2")
      })
  }

  @Test("reports missing files and leaves nothing half written")
  func missing() async throws {
    let run = try await SmallRun()
    #expect(try await run.train("report", "nothing").status == 66)
    #expect(try await run.train("report", ".").status == 66)
    #expect(try await run.train("report", "run", "--out", "no/such/page.html").status == 73)
    #expect(try await run.train("report", "run", "--columns", "0").status == 64)
    try run.folder.write(Array("{}".utf8), to: "run/run.json")
    let result = try await run.train("report", "run")
    #expect(result.status == 65 && result.errors.contains("schema is missing"))
  }
}
