import BollyGANModel
import BollyGANTraining

/// Why a run cannot begin or go on.
package enum RunError: Error, CustomStringConvertible {
  /// The folder cannot be made.
  case cannotCreate(FileError)
  /// The folder holds a run already.
  case holdsRun(String)
  /// The folder holds something else.
  case notEmpty(String)
  /// Another process trains in the folder.
  case inUse(String)
  /// There is no run in the folder.
  case noRun(String)
  /// `run.json` is damaged or from another version.
  case badRecord(String, reason: String)
  /// The run is another than the one that would go on.
  case changed([String])
  /// The pictures are not those that the run began with.
  case otherPictures(folder: String, begunWith: Int, found: Int)
  /// No checkpoint can be used, though there are some.
  case noUsableCheckpoint(String, reasons: [String])
  /// There is not room enough for the checkpoints.
  case noSpace(folder: String, needed: Int, available: UInt64)
  /// Files could not be written, so often that going on would risk the work.
  case cannotSave(FileError)
  /// The run's folder was deleted or moved while it went on.
  case folderGone(String)
  /// A file could not be read.
  case cannotRead(FileError)

  package var description: String {
    switch self {
    case .cannotCreate(let error), .cannotRead(let error): "\(error.path): \(error)"
    case .holdsRun(let path):
      "\(path): holds a run already; --resume \(path) continues it, --force replaces it"
    case .notEmpty(let path):
      "\(path): this folder is not empty and holds no run; choose another, or --force"
    case .inUse(let path): "\(path): another process is training in this folder"
    case .noRun(let path): "\(path): there is no run here (no \(RunFolder.recordName))"
    case .badRecord(let path, let reason): "\(path): \(reason)"
    case .changed(let differences):
      "this is not the run that was begun (\(differences.joined(separator: "; "))); begin a new "
        + "one with --out, or change it with --force-resume"
    case .otherPictures(let folder, let begunWith, let found):
      "\(folder): these are not the \(begunWith) pictures that the run began with (now \(found)); "
        + "name their folder behind --resume RUN, or go on with others by --force-resume"
    case .noUsableCheckpoint(let path, let reasons):
      "\(path): no checkpoint can be used: \(reasons.joined(separator: "; "))"
    case .noSpace(let folder, let needed, let available):
      "\(folder): \(Self.megabytes(UInt64(needed))) are needed for checkpoints, "
        + "\(Self.megabytes(available)) are free"
    case .cannotSave(let error):
      "\(error.path): \(error); training stops, the last checkpoint is whole"
    case .folderGone(let path):
      "\(path): the run folder is gone, deleted or moved; training stops. Where it was moved, --resume "
        + "goes on from its last checkpoint"
    }
  }

  private static func megabytes(_ bytes: UInt64) -> String {
    bytes < 10_000_000 ? "\(bytes / 1000) kB" : "\(bytes / 1_000_000) MB"
  }
}
