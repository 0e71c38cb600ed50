#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Writes a file whole or not at all.
///
/// - Parameters:
///   - bytes: all of the file.
///   - path: where; a file that is there is replaced by the complete new one in one step, a link is
///     followed, a device or a pipe is written to as it is.
///   - durably: return only when the file has been read back, compared, and will be there after a
///     power cut.
/// - Throws: ``FileError``; a file that was there before is then still there, whole. With `durably`
///   the new file may be there already when the very last step fails, the flush of its folder.
public func writeFile(
  _ bytes: [UInt8], to path: String, durably: Bool = false
) throws(FileError) {
  try writeFile(bytes, to: path, durably: durably, calls: SystemCalls())
}

/// As above, through the given calls.
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

/// A file that is written piece by piece and takes its name when it is complete.
///
/// Until ``finish()`` the bytes go to `.NAME.tmp.PID` in the same folder, which is removed where the
/// writer is dropped.
public struct FileWriter: ~Copyable {
  private let path: String
  private let calls: SystemCalls
  /// The file to replace, links followed; nil where the path is a device or a pipe.
  private let target: FilePlace?
  private var temporary: String?
  private var file: Int32

  /// Begins a file at the given path.
  ///
  /// - Throws: ``FileError`` where nothing can be written there.
  public init(path: String) throws(FileError) {
    try self.init(path: path, calls: SystemCalls())
  }

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
      // As the permissions of the file that is replaced were, where they can be given.
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
      } else if errno == EAGAIN {  // a pipe that its owner has made non-blocking
        var waiting = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&waiting, 1, -1)
      } else if errno != EINTR {
        throw .failed(path: path, operation: "write", code: errno)
      }
    }
  }

  /// Gives the file its name.
  public consuming func finish() throws(FileError) {
    try close()
    try rename()
  }

  /// Gives the file its name when it is certain to be on the disk with these bytes; then makes the
  /// name certain as well.
  package consuming func finishDurably(expecting bytes: [UInt8]) throws(FileError) {
    guard let target, let temporary else { throw .notRegular(path: path) }
    // After a failed fsync the kernel may have dropped the bytes and would report success the next
    // time, so there is no second attempt on the same file.
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

  /// Whether what is written can be read back: not where the path is a device or a pipe.
  package var canBeReadBack: Bool { temporary != nil }

  /// Gives the file its name when what was written, read back, passes a check.
  ///
  /// - Throws: ``FileError``, or what the check throws; a file that was there before is then still
  ///   there, whole.
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
    file = -1  // also after a failure: the descriptor is gone then
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
    // A file of that name was left by a process of the same number, or belongs to one in another
    // container, or to another thread: leave it alone.
    for attempt in 0..<100 {
      let temporary = attempt == 0 ? plain : "\(plain).\(attempt)"
      let file = calls.create(temporary, 0o666)
      if file >= 0 { return (temporary, file) }
      guard errno == EEXIST || errno == EINTR else { break }
    }
    throw .failed(path: path, operation: "create", code: errno)
  }
}

/// Removes temporary files that processes left behind in a folder when they were killed.
///
/// Only for a folder that this process alone writes to and has not begun to: files of its own
/// number count as left behind too, since in a container every process may have the same.
///
/// - Returns: names of the removed files.
/// - Throws: ``FileError`` where the folder cannot be read or a file not removed.
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

/// The process in a name of the form `.NAME.tmp.PID` or `.NAME.tmp.PID.N`.
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

/// A path taken apart, with what is there.
private struct FilePlace {
  let path: String
  var kind: mode_t = S_IFREG
  var permissions: mode_t?

  init(path: String) { self.path = path }

  /// What is at the path, links followed, or nil where nothing is.
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

  // In bytes: a slash and a combining character after it would be one character.

  var folder: String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  var name: String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path.utf8[path.utf8.index(after: slash)...]) ?? path
  }
}
