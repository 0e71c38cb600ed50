import BollyGANModel
import BollyGANPictures

// Reading a run's files without locking its folder, while a process may be training in it.

extension RunFolder {
  /// Whether a folder contains a run; false if the folder does not exist.
  package static func holdsRun(_ path: String) throws(FileError) -> Bool {
    try FileSystem.exists("\(path)/\(recordName)")
  }

  /// Reads the `run.json` of a run folder.
  ///
  /// - Throws: ``RunError/noRun(_:)`` if there is none, ``RunError/badRecord(_:reason:)`` or
  ///   `FileError`.
  package static func record(in path: String) throws -> RunRecord {
    let file = "\(path)/\(recordName)"
    do {
      return try RunRecord(bytes: readFile(file, limit: RunRecord.limit), path: file)
    } catch FileError.missing {
      throw RunError.noRun(path)
    }
  }

  /// The epochs with a sample sheet, ascending.
  package static func sampleEpochs(in path: String) throws(FileError) -> [Int] {
    do {
      return try FileSystem.names(in: Array("\(path)/\(samplesName)".utf8))
        .compactMap { epoch(ofSample: String(decoding: $0, as: UTF8.self)) }.sorted()
    } catch .missing {
      return []
    }
  }

  /// The sample sheet of an epoch.
  package static func sample(epoch: Int, in path: String) throws -> Picture {
    let bytes = try readFile("\(path)/\(sampleName(epoch: epoch))", limit: sampleLimit)
    return try decodePicture(bytes).picture
  }

  /// Largest sample sheet in bytes that is read.
  private static let sampleLimit = 64 << 20

  private static func epoch(ofSample name: String) -> Int? {
    guard name.hasPrefix("epoch-"), name.hasSuffix(".png") else { return nil }
    let digits = name.dropFirst("epoch-".count).dropLast(".png".count)
    guard digits.count >= 4, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return Int(digits)
  }

  /// Whether a process is training in a folder, according to its lock.
  package static func isInUse(_ path: String) throws(FileError) -> Bool {
    try !Descriptor(folder: path).probe()
  }
}
