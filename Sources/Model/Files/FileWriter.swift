#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Writes a file completely or not at all.
///
/// - Parameters:
///   - bytes: The contents of the file.
///   - path: The destination. An existing file is replaced in one step, once the new one is
///     complete. Links are followed. Devices and pipes are written to directly.
///   - durably: Whether to return only after the file has been read back, compared, and flushed,
///     so that it survives a power failure.
/// - Throws: ``FileError``. An existing file is then left intact, with one exception: if `durably`
///   is set and only the final flush of the folder fails, the new file is already in place.
public func writeFile(
  _ bytes: [UInt8], to path: String, durably: Bool = false
) throws(FileError) {
  try writeFile(bytes, to: path, durably: durably, calls: SystemCalls())
}

/// Writes a file as ``writeFile(_:to:durably:)`` does, with replaceable system calls.
package func writeFile(
  _ bytes: [UInt8], to path: String, durably: Bool, calls: SystemCalls
) throws(FileError) {
  var writer = try FileWriter(path: path, calls: calls)
  try writer.append(bytes)
  if durably {
    try writer.finishDurably(expecting: bytes)
  } else {
    try writer.finish()
  }
}

/// A file that is written in pieces and appears under its name only when it is complete.
///
/// Until ``finish()``, the bytes go to `.NAME.tmp.PID` in the same folder. If the writer is
/// discarded instead, that temporary file is removed.
public struct FileWriter: ~Copyable {
  private let path: String
  private let calls: SystemCalls
  /// The file to replace, with links followed; nil if the path is a device or a pipe.
  private let target: FilePlace?
  private var temporary: String?
  private var file: Int32

  /// Starts a file at the given path.
  ///
  /// - Throws: ``FileError`` if nothing can be written there.
  public init(path: String) throws(FileError) {
    try self.init(path: path, calls: SystemCalls())
  }

  /// Starts a file at the given path, with replaceable system calls.
  package init(path: String, calls: SystemCalls) throws(FileError) {
    let opened = try Self.opened(path, calls)
    self.path = path
    self.calls = calls
    (target, temporary, file) = opened
  }

  private static func opened(
    _ path: String, _ calls: SystemCalls
  ) throws(FileError) -> (target: FilePlace?, temporary: String?, file: Int32) {
    let existing = try FilePlace.existing(path)
    switch existing?.kind {
    case S_IFREG, nil:
      let place = existing ?? FilePlace(path: path)
      let (temporary, file) = try createTemporary(for: place, path: path, calls: calls)
      // Keep the permissions of the file being replaced, if the system lets us.
      if let mode = existing?.permissions { _ = fchmod(file, mode) }
      return (place, temporary, file)
    case S_IFDIR:
      throw .failed(path: path, operation: "open", code: EISDIR)
    default:
      let file = unsafe path.withPath { unsafe open($0, O_WRONLY | O_CLOEXEC) }
      guard file >= 0 else { throw .failed(path: path, operation: "open", code: errno) }
      return (nil, nil, file)
    }
  }

  deinit {
    if file >= 0 { _ = calls.close(file) }
    if let temporary { _ = unsafe temporary.withPath { unsafe unlink($0) } }
  }

  /// Adds bytes at the end.
  public mutating func append(_ bytes: [UInt8]) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let result = calls.write(file, bytes, done)
      if result >= 0 {
        done += result
      } else if errno == EAGAIN {  // a pipe, if its owner has made it non-blocking
        var waiting = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&waiting, 1, -1)
      } else if errno != EINTR {
        throw .failed(path: path, operation: "write", code: errno)
      }
    }
  }

  /// Completes the file and puts it under its name.
  public consuming func finish() throws(FileError) {
    try close()
    try rename()
  }

  /// Completes the file durably: flushes it, reads it back, renames it, then flushes the folder.
  ///
  /// - Throws: ``FileError``, also if the bytes on disk differ from `bytes`.
  package consuming func finishDurably(expecting bytes: [UInt8]) throws(FileError) {
    guard let target, let temporary else { throw .notRegular(path: path) }
    // Do not retry fsync on the same file: after a failure the kernel may have dropped the bytes
    // and would report success the next time.
    guard calls.fsync(file) == 0 else { throw .failed(path: path, operation: "fsync", code: errno) }
    try close()
    do throws(FileError) {
      guard try readFile(temporary, limit: bytes.count) == bytes else {
        throw .notAsWritten(path: path)
      }
    } catch .failed(_, let operation, let code) {
      throw .failed(path: path, operation: operation, code: code)
    } catch {
      throw .notAsWritten(path: path)
    }
    try rename()
    let folder = unsafe target.folder.withPath {
      unsafe open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard folder >= 0 else { throw .failed(path: path, operation: "open folder", code: errno) }
    let result = calls.fsync(folder)
    let code = errno
    _ = calls.close(folder)
    guard result == 0 else { throw .failed(path: path, operation: "fsync folder", code: code) }
  }

  /// Whether the written bytes can be read back, which is not so for a device or a pipe.
  package var canBeReadBack: Bool { temporary != nil }

  /// Completes the file if its bytes, read back from disk, pass a check.
  ///
  /// - Throws: ``FileError``, or the error that the check throws. An existing file is then left
  ///   intact.
  package consuming func finish(checking check: ([UInt8]) throws -> Void) throws {
    guard let temporary else { throw FileError.notRegular(path: path) }
    try close()
    let bytes: [UInt8]
    do {
      bytes = try readFile(temporary, limit: .max)
    } catch {
      throw FileError.notAsWritten(path: path)
    }
    try check(bytes)
    try rename()
  }

  private mutating func close() throws(FileError) {
    let result = calls.close(file)
    file = -1  // after a failure too: the descriptor is closed either way
    guard result == 0 else { throw .failed(path: path, operation: "close", code: errno) }
  }

  private mutating func rename() throws(FileError) {
    guard let target, let temporary else { return }
    guard calls.rename(temporary, target.path) == 0 else {
      throw .failed(path: path, operation: "rename", code: errno)
    }
    self.temporary = nil
  }

  private static func createTemporary(
    for place: FilePlace, path: String, calls: SystemCalls
  ) throws(FileError) -> (path: String, file: Int32) {
    let plain = "\(place.folder)/.\(place.name).tmp.\(getpid())"
    // If the name is taken, leave that file alone. It may be left over from an earlier process
    // with the same number, or in use by another thread or by a process in another container.
    for attempt in 0..<100 {
      let temporary = attempt == 0 ? plain : "\(plain).\(attempt)"
      let file = calls.create(temporary, 0o666)
      if file >= 0 { return (temporary, file) }
      guard errno == EEXIST || errno == EINTR else { break }
    }
    throw .failed(path: path, operation: "create", code: errno)
  }
}

/// Removes the temporary files of processes that were killed while writing to a folder.
///
/// Call this before writing anything, and only if no other process writes to the folder. Files
/// with this process's own number are removed too: in a container every process may have the same
/// number.
///
/// - Returns: The sorted names of the removed files.
/// - Throws: ``FileError`` if the folder cannot be read or a file cannot be removed.
package func removeAbandonedTemporaries(in folder: String) throws(FileError) -> [String] {
  guard let listing = unsafe folder.withPath({ unsafe opendir($0) }) else {
    throw errno == ENOENT
      ? .missing(path: folder) : .failed(path: folder, operation: "opendir", code: errno)
  }
  defer { _ = unsafe closedir(listing) }
  var removed: [String] = []
  while let entry = unsafe readdir(listing) {
    let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      unsafe String(pathBytes: bytes.prefix { $0 != 0 })
    }
    guard let process = temporaryOwner(name),
      process == getpid() || kill(process, 0) == -1 && errno == ESRCH
    else { continue }
    guard unsafe "\(folder)/\(name)".withPath({ unsafe unlink($0) }) == 0 else {
      throw .failed(path: "\(folder)/\(name)", operation: "unlink", code: errno)
    }
    removed.append(name)
  }
  return removed.sorted()
}

/// The process number in a name of the form `.NAME.tmp.PID` or `.NAME.tmp.PID.N`.
private func temporaryOwner(_ name: String) -> pid_t? {
  guard name.hasPrefix(".") else { return nil }
  var parts = name.split(separator: ".", omittingEmptySubsequences: false)
  if parts.count >= 4, parts[parts.count - 3] == "tmp", UInt8(parts.last!) != nil {
    parts.removeLast()
  }
  guard parts.count >= 4, parts[parts.count - 2] == "tmp", let process = pid_t(parts.last!),
    process > 0
  else { return nil }
  return process
}

/// A path, split into folder and name, and the kind of file that it names.
private struct FilePlace {
  let path: String
  var kind: mode_t = S_IFREG
  var permissions: mode_t?

  init(path: String) { self.path = path }

  /// The place at a path with links followed, or nil if nothing exists there.
  static func existing(_ path: String) throws(FileError) -> FilePlace? {
    var status = stat()
    guard unsafe path.withPath({ unsafe lstat($0, &status) }) == 0 else {
      guard errno == ENOENT else { throw .failed(path: path, operation: "lstat", code: errno) }
      return nil
    }
    var place = FilePlace(path: path)
    if status.st_mode & S_IFMT == S_IFLNK {
      guard let real = unsafe path.withPath({ unsafe realpath($0, nil) }) else {
        throw .failed(path: path, operation: "following the link", code: errno)
      }
      defer { unsafe free(real) }
      place = FilePlace(path: unsafe String(cPath: real))
      guard unsafe path.withPath({ unsafe stat($0, &status) }) == 0 else {
        throw .failed(path: path, operation: "stat", code: errno)
      }
    }
    place.kind = status.st_mode & S_IFMT
    place.permissions = status.st_mode & 0o7777
    return place
  }

  // Search for the slash in bytes: a slash and a combining character after it are one Character.

  var folder: String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  var name: String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path.utf8[path.utf8.index(after: slash)...]) ?? path
  }
}
