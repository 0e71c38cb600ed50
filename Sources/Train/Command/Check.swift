import ArgumentParser
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension FolderCheck.Kind: ExpressibleByArgument {}

/// Says what is wrong with a folder of pictures before hours are spent on it.
struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find pictures that do training no good.",
    discussion: """
      Looks at every picture as training would see it: unreadable ones, copies, blank, blurred and gray \
      ones, frames, small and long ones. Write down what to leave out, look through it, train:

        bollygan-train check photos --list leave-out.txt --kinds unreadable,copy,blank
        bollygan-train photos --out runs/first --exclude leave-out.txt

      unreadable  cannot be decoded; training skips it anyway
      copy        shows what another one shows, the larger one kept: grays of 32x32, brightness and \
      contrast taken out, correlate by 0.98 or more, mirrored or not
      blank       nothing to see: the grays' standard deviation is below 4 of 255
      blurred     the grays' Laplacian is below 0.95 of their differences between neighbours
      gray        its colours lie within 2 of 255 of gray, on average
      bordered    two lines or more of one colour at two opposite sides
      small       its short side is less than --side
      long        one side is twice the other or more, half of it or more is cut off
      """)

  @Argument(
    help: ArgumentHelp("Folder of pictures, flat or with subfolders.", valueName: "data"),
    completion: .directory)
  var data: String

  @Option(
    help: ArgumentHelp(
      "Write what was found as a list for --exclude; - for standard output.", valueName: "file"),
    completion: .file())
  var list: String?

  @Option(
    help: ArgumentHelp(
      "What the list should hold, separated by commas: "
        + FolderCheck.Kind.allCases.map(\.rawValue).joined(separator: ", ") + ". (default: all)",
      valueName: "kinds"),
    transform: { text in
      Set(
        try text.split(separator: ",").map { name in
          guard let kind = FolderCheck.Kind(rawValue: String(name)) else {
            throw ValidationError("There is no kind '\(name)'.")
          }
          return kind
        })
    })
  var kinds: Set<FolderCheck.Kind> = Set(FolderCheck.Kind.allCases)

  @Option(help: ArgumentHelp("Height and width that training would use.", valueName: "pixels"))
  var side = 64

  @Option(help: ArgumentHelp("3 for colour, 1 for gray.", valueName: "n"))
  var channels = 3

  @Option(
    help: ArgumentHelp(
      "Threads to use. (default: the processors this process may use)", valueName: "n"))
  var threads: Int?

  @Flag(help: "Write all findings to standard output as one JSON object.")
  var json = false

  @Flag(name: [.short, .long], help: "No progress bar.")
  var quiet = false

  func validate() throws {
    guard [16, 32, 64, 128, 256].contains(side) else {
      throw ValidationError("--side \(side) is none of 16, 32, 64, 128 and 256.")
    }
    guard channels == 1 || channels == 3 else {
      throw ValidationError("--channels \(channels) is neither 1 nor 3.")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads) is not in 1...1024.")
    }
    if json && list == "-" {
      throw ValidationError("--json and --list - would both go to standard output.")
    }
  }

  func run() async throws {
    Interruption.watch()
    guard isFolder(data) else {
      throw CommandFailure(.missingInput, file: data, "there is no such folder of pictures")
    }
    let progress = ReadingProgress(isQuiet: quiet)
    defer { progress.finish() }
    let check = try await FolderCheck.examine(
      folder: data, format: .init(side: side, channels: channels, rules: .kind),
      threads: threads ?? processorCount, isCancelled: { Interruption.status != nil },
      progress: { done, total in progress.update(done: done, total: total) })
    progress.finish()
    if let list {
      var file = try OutputFile(list)
      try file.write(check.list(kinds: kinds))
      try file.finish()
    }
    if json {
      try StandardOutput.writeLine(try object(check))
    } else if list != "-" {
      for line in report(check) { try StandardOutput.writeLine(line) }
    }
  }

  /// Counts, and the first few of each kind by name.
  private func report(_ check: FolderCheck) -> [String] {
    var lines = ["\(check.pictures) pictures in \(escaped(data))"]
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

  private func object(_ check: FolderCheck) throws -> String {
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
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let object = Object(
      counts: Dictionary(
        uniqueKeysWithValues: FolderCheck.Kind.allCases.map { ($0.rawValue, check.count($0)) }),
      findings: check.findings.map {
        .init(detail: $0.detail, file: "\($0.name)", kind: $0.kind.rawValue)
      }, folder: data, pictures: check.pictures)
    return String(decoding: try encoder.encode(object), as: UTF8.self)
  }
}
