import BollyGANModel

/// Why a run cannot start or continue.
package enum RunError: Error, CustomStringConvertible {
  /// The folder cannot be created.
  case cannotCreate(FileError)
  /// The folder already contains a run.
  case holdsRun(String)
  /// The folder contains something else.
  case notEmpty(String)
  /// Another process is training in the folder.
  case inUse(String)
  /// There is no run in the folder.
  case noRun(String)
  /// `run.json` is damaged or from another version.
  case badRecord(String, reason: String)
  /// The run to resume differs from the one that was started.
  case changed([String])
  /// The images differ from those that the run began with.
  case otherPictures(folder: String, begunWith: Int, found: Int)
  /// There are checkpoints, but none of them is usable.
  case noUsableCheckpoint(String, reasons: [String])
  /// The disk has too little space for the checkpoints.
  case noSpace(folder: String, needed: Int, available: UInt64)
  /// Writing failed so often that further training would risk losing work.
  case cannotSave(FileError)
  /// The run folder was deleted or moved during training.
  case folderGone(String)
  /// A file could not be read.
  case cannotRead(FileError)

  package var description: String {
    switch self {
    case .cannotCreate(let error), .cannotRead(let error): "\(error.path): \(error)"
    case .holdsRun(let path):
      "\(path): already contains a run; continue it with --resume \(path) or replace it with "
        + "--force"
    case .notEmpty(let path):
      "\(path): not empty and not a run folder; choose another folder or add --force"
    case .inUse(let path): "\(path): another process is training in this folder"
    case .noRun(let path): "\(path): not a run folder (no \(RunFolder.recordName))"
    case .badRecord(let path, let reason): "\(path): \(reason)"
    case .changed(let differences):
      "the settings differ from those the run began with (\(differences.joined(separator: "; "))); "
        + "start a new run with --out, or apply the change with --force-resume"
    case .otherPictures(let folder, let begunWith, let found):
      "\(folder): these are not the \(begunWith) images that the run began with (now \(found)); "
        + "pass the original folder (bollygan-train DATA --resume RUN), or accept these with "
        + "--force-resume"
    case .noUsableCheckpoint(let path, let reasons):
      "\(path): no usable checkpoint: \(reasons.joined(separator: "; "))"
    case .noSpace(let folder, let needed, let available):
      "\(folder): checkpoints need \(Self.megabytes(UInt64(needed))), but only "
        + "\(Self.megabytes(available)) are free"
    case .cannotSave(let error):
      "\(error.path): \(error); training stops, the last checkpoint is intact"
    case .folderGone(let path):
      "\(path): the run folder was deleted or moved; training stops. If it was moved, --resume "
        + "continues from its last checkpoint"
    }
  }

  private static func megabytes(_ bytes: UInt64) -> String {
    bytes < 10_000_000 ? "\(bytes / 1000) kB" : "\(bytes / 1_000_000) MB"
  }
}
