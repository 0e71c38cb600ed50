package import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// How the commands read and write files: every failure names the file and has an exit status.

extension CommandFailure {
  /// Runs `body`, which reads `path`, and turns any error that it throws into a failure about that
  /// file.
  ///
  /// The status is 66 if the file is missing or may not be read, 74 if reading fails, and 65 if the
  /// file is invalid.
  package static func reading<Result, Failure: Error>(
    _ path: String, _ body: () throws(Failure) -> Result
  ) throws(CommandFailure) -> Result {
    let name = path == "-" ? "standard input" : path
    do {
      return try body()
    } catch let error as FileError {
      throw CommandFailure(status(reading: error), file: name, "\(error)")
    } catch {
      return try about(name) { () throws in throw error }
    }
  }

  private static func status(reading error: FileError) -> ExitStatus {
    switch error {
    case .missing: .missingInput
    case .failed(_, "open", EACCES), .failed(_, "open", EPERM): .missingInput
    case .notRegular, .tooLarge: .badData
    case .changed, .notAsWritten, .failed: .inputOutput
    }
  }

  /// The failure to write a file.
  ///
  /// The status is 73 if no such file can be created, 141 if the reader of a pipe has gone, and
  /// 74 for any other error, such as a full disk.
  package init(writing error: FileError) {
    let status: ExitStatus =
      switch error {
      case .missing, .notRegular: .cannotCreate
      case .failed(_, _, EPIPE): .brokenPipe
      case .failed(_, _, let code) where Self.refusals.contains(code): .cannotCreate
      default: .inputOutput
      }
    self.init(status, file: error.path, "\(error)")
  }

  /// Errors that mean that no such file can be created, rather than that the disk is failing.
  private static let refusals: Set<Int32> = [
    EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP, ENXIO, EINVAL,
  ]
}

/// The output of a command, written in pieces: a file that appears when it is complete, or standard
/// output for `-`.
package struct OutputFile: ~Copyable {
  /// The path as the user gave it.
  package let path: String
  /// Nil for standard output.
  private var writer: FileWriter?

  /// Starts a file.
  ///
  /// - Throws: ``CommandFailure`` if no such file can be written.
  package init(_ path: String) throws(CommandFailure) {
    self.path = path
    guard path != "-" else { return }
    do {
      writer = try FileWriter(path: path)
    } catch {
      throw CommandFailure(writing: error)
    }
  }

  /// Adds bytes at the end.
  ///
  /// - Throws: ``CommandFailure`` or ``StandardOutputError``.
  package mutating func write(_ bytes: [UInt8]) throws {
    guard writer != nil else { return try StandardOutput.write(bytes) }
    do {
      try writer?.append(bytes)
    } catch {
      throw CommandFailure(writing: error)
    }
  }

  /// Completes the file and puts it under its name, replacing an existing file.
  package consuming func finish() throws(CommandFailure) {
    guard let writer else { return }
    do {
      try writer.finish()
    } catch {
      throw CommandFailure(writing: error)
    }
  }
}

/// Creates the folder of an output and its missing parents. It may exist already.
package func makeFolder(_ path: String) throws(CommandFailure) {
  do {
    try Folder.create(path)
  } catch {
    throw CommandFailure(writing: error)
  }
}

/// The absolute path of a file with links followed, or `path` itself if nothing exists there.
package func absolutePath(_ path: String) -> String {
  guard let real = unsafe path.withPath({ unsafe realpath($0, nil) }) else { return path }
  defer { unsafe free(real) }
  return unsafe String(cPath: real)
}
