import ArgumentParser
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

/// Writes the report page or the filmstrip of a run.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write the report page of a run, or its filmstrip.",
    discussion: """
      Training keeps report.html in the run folder up to date. This command writes it again, or \
      writes a filmstrip of the same faces over the epochs. The page is one file and fetches \
      nothing.

        bollygan-train report runs/first
        bollygan-train report runs/first --out first.html
        bollygan-train report runs/first --filmstrip strip.png --columns 12
      """)

  @Argument(
    help: ArgumentHelp("Run folder.", valueName: "run"), completion: .directory)
  var folder: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Output file of the page; - for standard output. (default: report.html in the run folder)",
      valueName: "file"),
    completion: .file(extensions: ["html"]))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "Instead of the page, write a PNG that shows the same eight latents over the epochs.",
      valueName: "file"),
    completion: .file(extensions: ["png"]))
  var filmstrip: String?

  @Option(help: ArgumentHelp("Largest number of epochs in the filmstrip.", valueName: "n"))
  var columns = 12

  func validate() throws {
    if !(1...200).contains(columns) {
      throw ValidationError("--columns must be 1 to 200, got \(columns).")
    }
    if out != nil && filmstrip != nil {
      throw ValidationError("--out and --filmstrip cannot be combined.")
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
