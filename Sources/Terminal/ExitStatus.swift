/// What a command's exit status says, the same for all three commands.
public enum ExitStatus: Int32, Sendable {
  /// All that was asked for was done.
  case success = 0
  /// The thing asked about is not so (a comparison, a self-check).
  case notSo = 1
  /// The divergence guard stopped training.
  case diverged = 3
  /// The command line is wrong.
  case usage = 64
  /// A data or model file cannot be used.
  case badData = 65
  /// An input is missing, or there are too few pictures.
  case missingInput = 66
  /// A mistake of ours.
  case internalError = 70
  /// An output cannot be created, or would overwrite a run.
  case cannotCreate = 73
  /// Reading or writing failed.
  case inputOutput = 74
  /// Another process uses the run folder.
  case inUse = 75
  /// Interrupted (SIGINT), all saved.
  case interrupted = 130
  /// The reader of a pipe went away.
  case brokenPipe = 141
  /// Asked to end (SIGTERM), all saved.
  case terminated = 143
}
