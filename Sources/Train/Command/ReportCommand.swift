import ArgumentParser
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

/// Makes a run's page by hand.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make a run's page of curves and faces, or its filmstrip.",
    discussion: """
      While it trains, a run keeps report.html in its folder current; this makes it again, as of \
      now or by a newer version. The page is one file and fetches nothing.

        bollygan-train report runs/first
        bollygan-train report runs/first --out first.html
        bollygan-train report runs/first --filmstrip strip.png --columns 12
      """)

  @Argument(
    help: ArgumentHelp("Folder of the run.", valueName: "run"), completion: .directory)
  var folder: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Where the page goes; - is standard output. (default: report.html in the run's folder)",
      valueName: "file"),
    completion: .file(extensions: ["html"]))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "Draw the same eight latents over the epochs into a PNG, in place of the page.",
      valueName: "file"),
    completion: .file(extensions: ["png"]))
  var filmstrip: String?

  @Option(help: ArgumentHelp("Epochs in the filmstrip, at most.", valueName: "n"))
  var columns = 12

  func validate() throws {
    if !(1...200).contains(columns) {
      throw ValidationError("--columns \(columns) is not in 1...200.")
    }
    if out != nil && filmstrip != nil {
      throw ValidationError("--out is for the page, --filmstrip names its own file.")
    }
  }

  func run() throws {
    if let filmstrip { return try drawStrip(filmstrip) }
    let report = try CommandFailure.reading(folder) { () throws in try RunReport(folder: folder) }
    var file = try OutputFile(out ?? "\(folder)/\(RunFolder.reportName)")
    try file.write(Array(report.html.utf8))
    try file.finish()
  }

  private func drawStrip(_ path: String) throws {
    let bytes = try CommandFailure.reading(folder) { () throws in
      let record = try RunFolder.record(in: folder)
      let strip = try FaceStrip(
        folder: folder, side: record.definition.side, columns: columns)
      let epochs = strip.epochs.map { "\($0)" }.joined(separator: ", ")
      return try strip.picture.encodePNG(text: [
        PNGText(keyword: "Software", text: "BollyGAN \(bollyganVersion)"),
        PNGText(keyword: "Comment", text: "epochs \(epochs)"),
      ])
    }
    var file = try OutputFile(path)
    try file.write(bytes)
    try file.finish()
  }
}
