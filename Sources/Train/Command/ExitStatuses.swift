import BollyGANRuns
import BollyGANTerminal

// The exit statuses of errors from the library.

extension DataFolderError: ExitStatusProviding {
  package var exitStatus: ExitStatus {
    switch self {
    case .unreadable, .tooFew: .missingInput
    case .badFile: .badData
    case .interrupted: Interruption.status ?? .interrupted
    }
  }
}

extension RunError: ExitStatusProviding {
  package var exitStatus: ExitStatus {
    switch self {
    case .cannotCreate, .holdsRun, .notEmpty: .cannotCreate
    case .inUse: .inUse
    case .noRun: .missingInput
    case .badRecord, .changed, .otherPictures, .noUsableCheckpoint: .badData
    case .noSpace, .cannotSave, .folderGone, .cannotRead: .inputOutput
    }
  }
}
