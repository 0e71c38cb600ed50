import BollyGANModel

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

// Reports of runs from the files in their folders.

extension RunReport {
  /// The report of a run, from the files in its folder. A process may be training there meanwhile.
  ///
  /// - Throws: ``RunError/noRun(_:)`` or ``RunError/badRecord(_:reason:)`` if the folder contains
  ///   no readable run, `FileError` if the system cannot read a file.
  package init(folder path: String) throws {
    let record = try RunFolder.record(in: path)
    let history = RunHistory(log: try RunLog.bytes(in: path))
    var sheets = SampleSheets()
    self.init(
      name: Self.name(of: path), record: record, history: history,
      sheets: sheets.sheets(of: try Self.epochs(in: path, for: history)) { epoch in
        try RunFolder.sample(epoch: epoch, in: path)
      },
      isRunning: try RunFolder.isInUse(path), time: Self.now)
  }

  /// The epochs whose sample sheet belongs to the run's current course. After a rollback, sheets of
  /// later epochs are still in the folder.
  static func epochs(in path: String, for history: RunHistory) throws(FileError) -> [Int] {
    try RunFolder.sampleEpochs(in: path).filter { $0 <= history.epoch }
  }

  /// The name of the folder at a path, also of `.`.
  package static func name(of path: String) -> String {
    URL(filePath: path).standardizedFileURL.lastPathComponent
  }

  /// The current time, as `2026-11-23 08:15 UTC`.
  package static var now: String {
    let style = Date.ISO8601FormatStyle(dateTimeSeparator: .space, timeZone: .gmt)
    let text = Date.now.formatted(
      style.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
    return "\(text.prefix(16)) UTC"
  }
}

extension TrainingRun {
  /// Rewrites `report.html`.
  func writeReport(isRunning: Bool) {
    attempt("report") {
      let epochs = try RunReport.epochs(in: folder.path, for: history)
      let report = RunReport(
        name: RunReport.name(of: folder.path), record: parts.record, history: history,
        sheets: sheets.sheets(of: epochs) { try RunFolder.sample(epoch: $0, in: folder.path) },
        isRunning: isRunning, time: RunReport.now)
      try writeFile(Array(report.html.utf8), to: folder.path(of: RunFolder.reportName))
    }
  }
}
