/// The exit statuses of all three commands. From 64 on they follow BSD's `sysexits.h`.
public enum ExitStatus: Int32, Sendable {
  /// The command succeeded.
  case success = 0
  /// A comparison or self-check failed.
  case checkFailed = 1
  /// The divergence guard stopped training.
  case diverged = 3
  /// The command line is invalid.
  case usage = 64
  /// A data or model file is invalid.
  case badData = 65
  /// An input is missing, or there are too few images.
  case missingInput = 66
  /// A bug in the program.
  case internalError = 70
  /// An output cannot be created, or would overwrite a run.
  case cannotCreate = 73
  /// Reading or writing failed.
  case inputOutput = 74
  /// Another process is using the run folder.
  case inUse = 75
  /// Interrupted by SIGINT, after saving everything: 128 + 2.
  case interrupted = 130
  /// The reader of a pipe closed it (SIGPIPE): 128 + 13.
  case brokenPipe = 141
  /// Terminated by SIGTERM, after saving everything: 128 + 15.
  case terminated = 143
}
