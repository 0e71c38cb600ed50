import Foundation
import Testing

@Suite("bollygan-train --resume", .timeLimit(.minutes(3)))
struct ResumeTests {
  @Test("different images are rejected with 65")
  func otherPictures() async throws {
    let training = try await SmallTraining()
    #expect(try await training.begin("run", "--max-steps", "7").end().status == 0)
    let name = training.folder / "data/face00007.png"
    let picture = try training.folder.bytes("data/face00007.png")
    try FileManager.default.removeItem(atPath: name)
    let fewer = try await training.resume("run").end()
    #expect(fewer.status == 65)
    #expect(
      fewer.errors.contains("data: these are not the 40 images that the run began with (now 39)"))
    // The same number of images, but one with other content under the same name.
    try training.folder.write(training.folder.bytes("data/face00008.png"), to: "data/face00007.png")
    let other = try await training.resume("run").end()
    #expect(other.status == 65 && other.errors.contains("began with (now 40)"))
    #expect(try training.checkpoints("run").first == 7)
    // The same images in another folder are accepted.
    try training.folder.write(picture, to: "data/face00007.png")
    try FileManager.default.moveItem(
      atPath: training.folder / "data", toPath: training.folder / "moved")
    let gone = try await training.resume("run").end()
    #expect(gone.status == 66 && gone.errors.contains("data: no such folder"))
    let moved = try await BuiltCommand.train.run(
      ["moved", "--resume", "run", "--quiet", "--epochs", "4"], in: training.folder)
    #expect(moved.status == 0, "\(moved.errors)")
  }

  @Test(
    "a changed recipe is rejected with 65 and the difference",
    arguments: [
      (["--lr", "0.001"], "recipe.generatorRate: 0.001, not 0.0002"),
      (["--batch", "4"], "recipe.batch: 4, not 8"), (["--seed", "5"], "seed: 5, not 0"),
      (["--width", "8"], "generatorWidth: 8, not 4"), (["--no-mirror"], "recipe.mirror: false"),
      (["--recipe", "tutorial"], "recipe.name: tutorial, not bollygan"),
    ])
  func otherRecipe(arguments: [String], difference: String) async throws {
    let training = try await SmallTraining()
    #expect(try await training.begin("run", "--max-steps", "3").end().status == 0)
    let result = try await BuiltCommand.train.run(
      ["--resume", "run", "--quiet"] + arguments, in: training.folder)
    #expect(result.status == 65)
    #expect(result.errors.contains(difference), "\(result.errors)")
    #expect(try training.checkpoints("run").first == 3)
  }

  @Test("more epochs, other threads and other checkpoints give the same weights")
  func otherPace() async throws {
    let training = try await SmallTraining()
    let whole = try await SmallTraining.whole()
    #expect(
      try await training.begin("run", "--max-steps", "3", "--threads", "2").end().status == 0)
    let result = try await training.resume(
      "run", "--epochs", "2", "--threads", "3", "--checkpoint-every", "3"
    ).end()
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    #expect(
      try await training.resume("run", "--epochs", "4", "--checkpoint-every", "2steps")
        .end().status == 0)
    #expect(try training.outcome("run") == whole)
  }

  @Test("a checkpoint with a flipped bit is skipped with a warning, and the weights are the same")
  func flippedBit() async throws {
    let training = try await SmallTraining()
    let whole = try await SmallTraining.whole()
    for place in [9, 5000, -1] {
      let run = "run\(place)"
      #expect(try await training.begin(run, "--max-steps", "9").end().status == 0)
      #expect(try training.checkpoints(run) == [9, 8])
      var bytes = try training.folder.bytes("\(run)/checkpoint-000009.safetensors")
      bytes[place < 0 ? bytes.count + place : place] ^= 1
      try training.folder.write(bytes, to: "\(run)/checkpoint-000009.safetensors")
      let result = try await training.resume(run, "--epochs", "4").end()
      #expect(result.status == 0)
      #expect(
        result.errors.hasPrefix("bollygan: warning: checkpoint-000009.safetensors is damaged ("))
      #expect(result.errors.contains("resuming from the one before it, step 8"))
      var outcome = try training.outcome(run)
      #expect(outcome.names.contains("checkpoint-000009.safetensors.damaged"))
      outcome.names.removeAll { $0.hasSuffix(".damaged") }
      #expect(outcome == whole)
    }
  }

  @Test(
    "without an intact checkpoint it ends with 65 and changes nothing")
  func allDamaged() async throws {
    let training = try await SmallTraining()
    #expect(try await training.begin("run", "--max-steps", "9").end().status == 0)
    for step in ["08", "09"] {
      try training.folder.write([1, 2], to: "run/checkpoint-0000\(step).safetensors")
    }
    let before = try training.folder.names(in: "run")
    let result = try await training.resume("run").end()
    #expect(result.status == 65)
    #expect(
      result.errors.contains("no usable checkpoint: checkpoint-000009.safetensors is damaged"))
    #expect(try training.folder.names(in: "run") == before)
  }

  @Test("temporary files of killed processes are removed, but not those of living ones")
  func leftovers() async throws {
    let training = try await SmallTraining()
    #expect(try await training.begin("run", "--max-steps", "9").end().status == 0)
    // No process has this number, which is beyond what systems assign.
    let dead = [
      ".checkpoint-000006.safetensors.tmp.999999999", ".generator.safetensors.tmp.999999999",
      "samples/.epoch-0001.png.tmp.999999999.3",
    ]
    let alive = ".notes.tmp.\(getpid())"
    for name in dead + [alive] { try training.folder.write([1], to: "run/\(name)") }
    #expect(try await training.resume("run", "--epochs", "4").end().status == 0)
    for name in dead { #expect(!training.exists("run/\(name)"), "\(name)") }
    #expect(training.exists("run/\(alive)"))
  }
}
