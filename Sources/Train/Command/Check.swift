import ArgumentParser
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

// The subcommand `bollygan-train check`.

extension FolderCheck.Kind: ExpressibleByArgument {}

/// Finds problems in a folder of images before hours of training are spent on it.
struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find images that are unsuitable for training.",
    discussion: """
      Examines every image as training would see it. List the images to exclude, review the list, \
      then train without them:

        bollygan-train check photos --list exclude.txt --kinds unreadable,copy,blank
        bollygan-train photos --out runs/first --exclude exclude.txt

      unreadable  cannot be decoded; training skips it anyway
      copy        shows the same as a larger image, mirrored or not: normalised
                  32x32 grayscale thumbnails correlate by 0.98 or more
      blank       standard deviation of the luma is below 4 of 255
      blurred     the luma's Laplacian has an RMS below 0.95 of its gradient's
      gray        colours are within 2 of 255 of gray on average
      bordered    two or more lines of one colour on two opposite sides
      small       the short side is below --side
      long        one side is at least twice the other, so at least half is cropped
      """)

  @Argument(
    help: ArgumentHelp("Folder of images, flat or with subfolders.", valueName: "data"),
    completion: .directory)
  var data: String

  @Option(
    help: ArgumentHelp(
      "Write the findings as a file for --exclude; - for standard output.", valueName: "file"),
    completion: .file())
  var list: String?

  @Option(
    help: ArgumentHelp(
      "Kinds to include in the list, separated by commas: "
        + FolderCheck.Kind.allCases.map(\.rawValue).joined(separator: ", ") + ". (default: all)",
      valueName: "kinds"),
    transform: { text in
      Set(
        try text.split(separator: ",").map { name in
          guard let kind = FolderCheck.Kind(rawValue: String(name)) else {
            let kinds = FolderCheck.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("Unknown kind '\(name)'; the kinds are \(kinds).")
          }
          return kind
        })
    })
  var kinds: Set<FolderCheck.Kind> = Set(FolderCheck.Kind.allCases)

  @Option(help: ArgumentHelp("Height and width used for training.", valueName: "pixels"))
  var side = 64

  @Option(help: ArgumentHelp("3 for RGB, 1 for grayscale.", valueName: "n"))
  var channels = 3

  @Option(
    help: ArgumentHelp(
      "Number of threads. (default: the processors available to this process)", valueName: "n"))
  var threads: Int?

  @Flag(help: "Write all findings to standard output as one JSON object.")
  var json = false

  @Flag(name: [.short, .long], help: "Do not show a progress bar.")
  var quiet = false

  func validate() throws {
    guard [16, 32, 64, 128, 256].contains(side) else {
      throw ValidationError("--side must be 16, 32, 64, 128 or 256, got \(side).")
    }
    guard channels == 1 || channels == 3 else {
      throw ValidationError("--channels must be 1 or 3, got \(channels).")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1 to 1024, got \(threads).")
    }
    if json && list == "-" {
      throw ValidationError("--json and --list - cannot both write to standard output.")
    }
  }

  func run() async throws {
    Interruption.watch()
    guard Folder.exists(data) else {
      throw CommandFailure(.missingInput, file: data, "no such folder")
    }
    let progress = ReadingProgress(isQuiet: quiet)
    defer { progress.finish() }
    let check = try await FolderCheck.examine(
      folder: data, format: .init(side: side, channels: channels, rules: .asDisplayed),
      threads: threads ?? processorCount, isCancelled: { Interruption.status != nil },
      progress: { done, total in progress.update(done: done, total: total) })
    progress.finish()
    if let list {
      var file = try OutputFile(list)
      try file.write(check.list(kinds: kinds))
      try file.finish()
    }
    if json {
      try printJSON(object(check))
    } else if list != "-" {
      for line in report(check) { try StandardOutput.writeLine(line) }
    }
  }

  /// The number of findings of each kind, and the first few by name.
  private func report(_ check: FolderCheck) -> [String] {
    var lines = ["\(check.pictures) images in \(escaped(data))"]
    let shown = 5
    for kind in FolderCheck.Kind.allCases {
      let found = check.findings.filter { $0.kind == kind }
      lines.append("\(found.count) \(kind.rawValue)")
      for finding in found.prefix(shown) {
        lines.append("  \(escaped("\(finding.name)")): \(escaped(finding.detail))")
      }
      if found.count > shown { lines.append("  and \(found.count - shown) more") }
    }
    return lines
  }

  private func object(_ check: FolderCheck) -> some Encodable {
    struct Object: Encodable {
      struct Finding: Encodable {
        var detail: String
        var file: String
        var kind: String
      }
      var counts: [String: Int]
      var findings: [Finding]
      var folder: String
      var pictures: Int
      var schema = 1
    }
    return Object(
      counts: Dictionary(
        uniqueKeysWithValues: FolderCheck.Kind.allCases.map { ($0.rawValue, check.count($0)) }),
      findings: check.findings.map {
        .init(detail: $0.detail, file: "\($0.name)", kind: $0.kind.rawValue)
      }, folder: data, pictures: check.pictures)
  }
}
