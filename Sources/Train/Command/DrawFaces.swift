import ArgumentParser
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal
import BollyGANDemo
import BollyGANRuns
import BollyGANTraining

/// Draws cartoon faces as training data.
struct DrawFaces: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw cartoon faces as training data.",
    discussion: """
      The faces are free of copyright and vary in head, hair, eyes, mouth, glasses and light. Face \
      number n of a seed is always the same, whatever --count is. Existing files with the same \
      names are replaced.

        bollygan-train draw-faces faces --count 2000 --seed 1
        bollygan-train faces --out runs/first --epochs 20
      """)

  @Argument(help: ArgumentHelp("Folder for the images, created if necessary.", valueName: "dir"))
  var folder: String

  @Option(name: .shortAndLong, help: ArgumentHelp("Number of faces.", valueName: "n"))
  var count = 1000

  @Option(help: ArgumentHelp("Selects the faces.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Height and width.", valueName: "pixels"))
  var side = 64

  @Flag(name: .shortAndLong, help: "Do not show a progress bar or a summary.")
  var quiet = false

  func validate() throws {
    if !(1...100_000).contains(count) {
      throw ValidationError("--count must be 1 to 100000, got \(count).")
    }
    if !(8...1024).contains(side) {
      throw ValidationError("--side must be 8 to 1024, got \(side).")
    }
  }

  func run() async throws {
    let faces = CartoonFaces(seed: seed)
    let bar = ProgressBar(total: count, unit: "faces", isQuiet: quiet)
    defer { bar.finish() }
    try makeFolder(folder)
    do {
      for index in 0..<count {
        let number = "\(index)"
        let name = "face" + String(repeating: "0", count: max(0, 5 - number.count)) + number
        let bytes = try faces.picture(index: index, side: side).encodePNG()
        try writeFile(bytes, to: "\(folder)/\(name).png", durably: false)
        bar.advance()
      }
    } catch let error as FileError {
      throw CommandFailure(writing: error)
    }
    bar.finish()
    if !quiet { printError("\(count) faces of \(side)x\(side) in \(escaped(folder))") }
  }
}
