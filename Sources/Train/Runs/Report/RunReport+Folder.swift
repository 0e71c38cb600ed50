import BollyGANModel
import BollyGANPictures
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension RunFolder {
  package static let reportName = "report.html"

  /// Whether a run was begun in a folder, which need not be there.
  package static func holdsRun(_ path: String) throws(FileError) -> Bool {
    try FileSystem.exists("\(path)/\(recordName)")
  }

  /// What a run is, by the `run.json` in its folder.
  ///
  /// - Throws: ``RunError/noRun(_:)`` where there is none, ``RunError/badRecord(_:reason:)``, or
  ///   `FileError`.
  package static func record(in path: String) throws -> RunRecord {
    let file = "\(path)/\(recordName)"
    do {
      return try RunRecord(bytes: readFile(file, limit: RunRecord.limit), path: file)
    } catch FileError.missing {
      throw RunError.noRun(path)
    }
  }

  /// Epochs whose sheet of samples lies in a run's folder, ascending.
  package static func sampleEpochs(in path: String) throws(FileError) -> [Int] {
    do {
      return try FileSystem.names(in: Array("\(path)/\(samplesName)".utf8))
        .compactMap { epoch(ofSample: String(decoding: $0, as: UTF8.self)) }.sorted()
    } catch .missing {
      return []
    }
  }

  /// An epoch's sheet of samples.
  package static func sample(epoch: Int, in path: String) throws -> Picture {
    let bytes = try readFile("\(path)/\(sampleName(epoch: epoch))", limit: sampleLimit)
    return try decodePicture(bytes).picture
  }

  /// Bytes that a sheet of samples may have.
  private static let sampleLimit = 64 << 20

  private static func epoch(ofSample name: String) -> Int? {
    guard name.hasPrefix("epoch-"), name.hasSuffix(".png") else { return nil }
    let digits = name.dropFirst("epoch-".count).dropLast(".png".count)
    guard digits.count >= 4, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return Int(digits)
  }

  /// Whether a process trains in a folder, by its lock.
  package static func isInUse(_ path: String) throws(FileError) -> Bool {
    try !Descriptor(folder: path).probe()
  }
}

extension RunReport {
  /// The report of a run as it lies in its folder, whoever trains there meanwhile.
  ///
  /// - Throws: ``RunError/noRun(_:)`` or ``RunError/badRecord(_:reason:)`` where the folder holds no
  ///   run that can be shown; `FileError` where the system does not give a file.
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

  /// Epochs with a sheet that belongs to the run as its log has it: where a run went back, later
  /// ones are still there.
  static func epochs(in path: String, for history: RunHistory) throws(FileError) -> [Int] {
    try RunFolder.sampleEpochs(in: path).filter { $0 <= history.epoch }
  }

  /// The name of the folder at a path; `.` has one as well.
  package static func name(of path: String) -> String {
    URL(filePath: path).standardizedFileURL.lastPathComponent
  }

  /// The time in UTC, `2026-11-23 08:15 UTC`.
  package static var now: String {
    let style = Date.ISO8601FormatStyle(dateTimeSeparator: .space, timeZone: .gmt)
    let text = Date.now.formatted(
      style.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
    return "\(text.prefix(16)) UTC"
  }
}

extension TrainingRun {
  /// Remakes `report.html`.
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
