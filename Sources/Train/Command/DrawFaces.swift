import ArgumentParser
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal
import BollyGANDemo
import BollyGANRuns
import BollyGANTraining

/// Draws cartoon faces to try training with.
struct DrawFaces: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw cartoon faces, to try training with.",
    discussion: """
      Pictures with no rights in them: heads, hair, eyes, mouths, glasses and light vary. The same \
      seed draws the same faces, whatever their number. Files that stand in the folder under the \
      same names are replaced.

        bollygan-train draw-faces faces --count 2000 --seed 1
        bollygan-train faces --out runs/first --epochs 20
      """)

  @Argument(help: ArgumentHelp("Folder for the pictures; made where missing.", valueName: "dir"))
  var folder: String

  @Option(name: .shortAndLong, help: ArgumentHelp("How many faces.", valueName: "n"))
  var count = 1000

  @Option(help: ArgumentHelp("Which faces.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Pixels a side.", valueName: "n"))
  var side = 64

  @Flag(name: .shortAndLong, help: "No progress bar, no summary.")
  var quiet = false

  func validate() throws {
    if !(1...100_000).contains(count) {
      throw ValidationError("--count \(count) is not in 1...100000.")
    }
    if !(8...1024).contains(side) {
      throw ValidationError("--side \(side) is not in 8...1024.")
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
