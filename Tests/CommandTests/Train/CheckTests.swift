import BollyGANPictures
import Foundation
import Testing

@Suite("bollygan-train check", .timeLimit(.minutes(3)))
struct CheckTests {
  /// The 40 faces of `SmallTraining`, a copy of one of them, and a file that is not an image.
  private func folder() async throws -> SmallTraining {
    let training = try await SmallTraining()
    try training.folder.write(training.folder.bytes("data/face00004.png"), to: "data/twin.png")
    try training.folder.write([1, 2, 3], to: "data/broken.jpg")
    return training
  }

  private func check(
    _ training: SmallTraining, _ arguments: String...
  ) async throws -> BuiltCommand.Result {
    try await BuiltCommand.train.run(
      ["check", "data", "--side", "32"] + arguments, in: training.folder)
  }

  @Test("reports its findings on standard output as text or as one JSON object")
  func report() async throws {
    let training = try await folder()
    let text = try await check(training)
    #expect(text.status == 0 && text.errors.isEmpty)
    #expect(text.text.hasPrefix("41 images in data\n1 unreadable\n  broken.jpg: "))
    #expect(text.text.contains("\n1 copy\n  twin.png: face00004.png (correlation 1.0)\n0 blank\n"))
    let json = try await check(training, "--json")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output)) as? [String: Any])
    #expect(object["pictures"] as? Int == 41 && object["schema"] as? Int == 1)
    #expect((object["counts"] as? [String: Int])?["copy"] == 1)
    #expect((object["findings"] as? [[String: Any]])?.count == 2)
    #expect(try training.folder.names() == ["data"])
  }

  @Test("training excludes the images on its list, also when resumed")
  func exclude() async throws {
    let training = try await folder()
    let listed = try await check(training, "--list", "exclude.txt")
    #expect(listed.status == 0)
    let begun = try await training.begin(
      "run", "--max-steps", "7", "--exclude", "exclude.txt", "--strict"
    ).end()
    #expect(begun.status == 0, "\(begun.errors)")
    // The run keeps its own copy of the list.
    try FileManager.default.removeItem(atPath: training.folder / "exclude.txt")
    #expect(try await training.resume("run", "--epochs", "4").end().status == 0)
    // Without the copy and the broken file, these are the images of an undisturbed run.
    #expect(try await training.outcome("run") == SmallTraining.whole())
    let again = try await BuiltCommand.train.run(
      ["--from", "run/run.json", "--out", "again", "--quiet"], in: training.folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(
      try training.folder.bytes("again/generator.safetensors")
        == training.folder.bytes("run/generator.safetensors"))
  }

  @Test(
    "an invalid list ends with 65, a missing folder with 66; missing images are only mentioned")
  func wrong() async throws {
    let training = try await SmallTraining()
    try training.folder.write(Array("a\\b.png\n".utf8), to: "bad.txt")
    let bad = try await training.begin("run", "--exclude", "bad.txt").end()
    #expect(bad.status == 65 && bad.errors.contains("bad.txt: line 1"))
    let none = try await training.begin("run", "--exclude", "none.txt").end()
    #expect(none.status == 66 && none.errors.contains("none.txt: no such file"))
    try training.folder.write(Array("absent.png\nface00000.png\n".utf8), to: "some.txt")
    let some = try await training.begin("run", "--max-steps", "1", "--exclude", "some.txt").end()
    #expect(some.status == 0)
    #expect(some.errors.contains("1 of the 2 excluded images do not exist"))
    let resumed = try await training.resume("run", "--exclude", "some.txt").end()
    #expect(resumed.status == 64)
    let missing = try await BuiltCommand.train.run(["check", "nowhere"], in: training.folder)
    #expect(missing.status == 66)
    let kind = try await check(training, "--kinds", "ugly")
    #expect(kind.status == 64)
  }
}
