import BollyGANModel

/// The folder of one run, locked while this value exists.
package final class RunFolder: Sendable {
  /// What the run is: a ``RunRecord``.
  package static let recordName = "run.json"
  /// The page with curves and faces.
  package static let reportName = "report.html"
  /// The events of the run, one JSON object per line.
  package static let logName = "log.jsonl"
  /// The current generator.
  package static let generatorName = "generator.safetensors"
  /// The generator with the best quality so far.
  package static let bestGeneratorName = "generator-best.safetensors"
  /// The current discriminator.
  package static let discriminatorName = "discriminator.safetensors"
  /// The folder of sample sheets.
  package static let samplesName = "samples"
  /// The latents of all sample sheets.
  package static let latentsName = "samples/latents.safetensors"

  /// The folder's path as the user wrote it.
  package let path: String
  private let lock: Descriptor

  /// Opens and locks a folder.
  ///
  /// - Parameter isNew: Whether to create it if necessary.
  /// - Throws: ``RunError/inUse(_:)`` if another process holds the lock.
  package init(path: String, isNew: Bool) throws(RunError) {
    self.path = path
    let isFree: Bool
    do throws(FileError) {
      if isNew { try Folder.create(path) }
      lock = try Descriptor(folder: path)
      isFree = try Self.take(lock)
    } catch .missing where !isNew {
      throw .noRun(path)
    } catch {
      throw isNew ? .cannotCreate(error) : .cannotRead(error)
    }
    guard isFree else { throw .inUse(path) }
  }

  /// Takes the lock. Tries again because ``isInUse(_:)`` in another process holds it for a moment.
  private static func take(_ lock: Descriptor) throws(FileError) -> Bool {
    for _ in 0..<5 {
      if try lock.lock() { return true }
      FileSystem.pause(milliseconds: 20)
    }
    return try lock.lock()
  }

  /// The path of a file in the folder.
  package func path(of name: String) -> String { path + "/" + name }

  /// Checks that a new run overwrites nothing: the folder must be empty, unless `isForced`.
  ///
  /// - Throws: ``RunError/holdsRun(_:)`` or ``RunError/notEmpty(_:)``.
  package func checkVacant(isForced: Bool) throws(RunError) {
    let names = try names()
    if names.allSatisfy({ $0.hasPrefix(".") }) || isForced { return }
    throw names.contains(Self.recordName) ? .holdsRun(path) : .notEmpty(path)
  }

  /// Whether the folder contains a run.
  package func holdsRun() throws(RunError) -> Bool { try names().contains(Self.recordName) }

  /// Whether the log contains a training step.
  func holdsSteps() throws -> Bool {
    let path = path(of: Self.logName)
    return try FileSystem.exists(path)
      && RunLog.holdsSteps(try readFile(path, limit: RunLog.limit))
  }

  /// The steps of all checkpoints, the newest first.
  package func checkpointSteps() throws(RunError) -> [Int] {
    try names().compactMap(Self.step(ofCheckpoint:)).sorted(by: >)
  }

  /// The name of a checkpoint, such as `checkpoint-000040.safetensors`.
  package static func checkpointName(step: Int) -> String {
    "checkpoint-\(padded(step, to: 6)).safetensors"
  }

  /// The name of a sample sheet, such as `samples/epoch-0040.png`.
  package static func sampleName(epoch: Int) -> String {
    "\(samplesName)/epoch-\(padded(epoch, to: 4)).png"
  }

  /// Removes the files of an earlier run. `run.json` goes first: without it the rest does not count
  /// as a run.
  package func clear() throws(RunError) {
    let found = try names()
    let mine = [
      Self.recordName, Self.logName, Self.generatorName, Self.bestGeneratorName,
      Self.discriminatorName, Self.reportName,
    ]
    let events = found.filter { $0.hasPrefix(EventFile.prefix) }
    let checkpoints = found.filter { Self.step(ofCheckpoint: $0) != nil || isDamaged($0) }
    let samples = try names(in: Self.samplesName).filter {
      $0.hasPrefix("epoch-") && $0.hasSuffix(".png")
    }
    let paths = mine + events + checkpoints + samples.map { "\(Self.samplesName)/\($0)" }
    do throws(FileError) {
      for name in paths { try FileSystem.remove(path(of: name)) }
    } catch { throw .cannotSave(error) }
  }

  /// Removes partly written files of killed processes.
  package func removeLeftovers() throws(RunError) {
    do throws(FileError) {
      for folder in [path, path(of: Self.samplesName)] where try FileSystem.exists(folder) {
        _ = try removeAbandonedTemporaries(in: folder)
      }
    } catch { throw .cannotSave(error) }
  }

  /// Renames a damaged checkpoint, so that it is out of the way but not lost.
  package func setAside(step: Int) throws(RunError) {
    let name = path(of: Self.checkpointName(step: step))
    do throws(FileError) {
      try FileSystem.move(name, to: name + Self.damagedEnding)
    } catch { throw .cannotSave(error) }
  }

  /// Removes a checkpoint.
  func removeCheckpoint(step: Int) throws(FileError) {
    try FileSystem.remove(path(of: Self.checkpointName(step: step)))
  }

  private static let damagedEnding = ".damaged"

  private func isDamaged(_ name: String) -> Bool {
    name.hasSuffix(Self.damagedEnding)
      && Self.step(ofCheckpoint: String(name.dropLast(Self.damagedEnding.count))) != nil
  }

  private static func step(ofCheckpoint name: String) -> Int? {
    guard name.hasPrefix("checkpoint-"), name.hasSuffix(".safetensors") else { return nil }
    let digits = name.dropFirst("checkpoint-".count).dropLast(".safetensors".count)
    guard digits.count >= 6, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return Int(digits)
  }

  /// The names in the folder or in one below it; none if that does not exist.
  private func names(in below: String = "") throws(RunError) -> [String] {
    do {
      return try FileSystem.names(in: Array(path(of: below).utf8)).map {
        String(decoding: $0, as: UTF8.self)
      }
    } catch {
      if !below.isEmpty, case .missing = error { return [] }
      throw .cannotRead(error)
    }
  }
}

/// A number with leading zeros.
func padded(_ number: Int, to width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
