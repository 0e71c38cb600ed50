package import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension CommandFailure {
  /// Runs `body`, which reads `path`, and says whatever it throws about that file.
  ///
  /// The status is 66 where the file is missing or closed to us, 74 where reading failed, 65 where
  /// the file cannot be used.
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

  /// What a failed attempt to write a file means: 73 where there can be no file of that name, 74
  /// where the disk is to blame, 141 where it is a pipe and its reader went away.
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

  /// The file system says no, whatever the state of the disk.
  private static let refusals: Set<Int32> = [
    EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP, ENXIO, EINVAL,
  ]
}

/// Where a command's result goes, piece by piece: a file that takes its name when it is whole, or
/// standard output for `-`.
package struct OutputFile: ~Copyable {
  /// As the user named it.
  package let path: String
  /// Nil for standard output.
  private var writer: FileWriter?

  /// - Throws: ``CommandFailure`` where no such file can be written.
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

  /// Gives the file its name, in place of one that may have had it.
  package consuming func finish() throws(CommandFailure) {
    guard let writer else { return }
    do {
      try writer.finish()
    } catch {
      throw CommandFailure(writing: error)
    }
  }
}

/// Makes a folder and those above it; one that is there already is fine.
package func makeFolder(_ path: String) throws(CommandFailure) {
  var prefix = path.utf8.first == UInt8(ascii: "/") ? "" : "."
  // In bytes: a slash and a combining character after it would be one character.
  for part in path.utf8.split(separator: UInt8(ascii: "/")) {
    prefix += "/" + String(Substring(part))
    guard unsafe prefix.withPath({ unsafe mkdir($0, 0o777) }) != 0 else { continue }
    let code = errno
    // Where it exists it may be a folder on a disk that is read-only, or one we may not write above.
    guard !isFolder(prefix) else { continue }
    throw CommandFailure(
      writing: .failed(
        path: path, operation: "making the folder", code: code == EEXIST ? ENOTDIR : code))
  }
}

/// Whether there is a folder at a path, links followed.
package func isFolder(_ path: String) -> Bool {
  var status = stat()
  let result = unsafe path.withPath { unsafe stat($0, &status) }
  return result == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The path from the root, links followed, of something that is there; else the path as it is.
package func absolutePath(_ path: String) -> String {
  guard let real = unsafe path.withPath({ unsafe realpath($0, nil) }) else { return path }
  defer { unsafe free(real) }
  return unsafe String(cPath: real)
}
