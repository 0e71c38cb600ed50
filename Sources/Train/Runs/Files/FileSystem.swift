import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The system calls of this module. Whole files are read and written by `readFile` and `writeFile`.
enum FileSystem {
  /// The kind of entry at a path, links followed.
  enum Kind { case folder, file, other }

  /// Identifies a folder, whichever path leads to it.
  struct Identity: Hashable {
    var device: UInt64
    var number: UInt64
  }

  /// The names in a folder, unordered, without `.` and `..`. Names are bytes, not always UTF-8.
  static func names(in folder: [UInt8]) throws(FileError) -> [[UInt8]] {
    guard let stream = unsafe withCString(folder, { unsafe opendir($0) }) else {
      throw failure("opendir", folder)
    }
    defer { unsafe closedir(stream) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else { break }
      let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name)!
      let start = unsafe UnsafeRawPointer(entry).advanced(by: offset)
      let text = unsafe start.assumingMemoryBound(to: CChar.self)
      let name = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: strlen(text)))
      if name != [UInt8(ascii: ".")] && name != Array("..".utf8) { names.append(name) }
    }
    // An error halfway must not pass for a folder with fewer files.
    guard errno == 0 else { throw failure("readdir", folder) }
    return names
  }

  /// The kind and identity of the entry at a path.
  static func status(of path: [UInt8]) throws(FileError) -> (kind: Kind, identity: Identity) {
    var found = stat()
    guard unsafe withCString(path, { unsafe stat($0, &found) }) == 0 else {
      throw failure("stat", path)
    }
    let kind: Kind =
      switch found.st_mode & S_IFMT {
      case S_IFDIR: .folder
      case S_IFREG: .file
      default: .other
      }
    return (kind, Identity(device: UInt64(found.st_dev), number: UInt64(found.st_ino)))
  }

  /// The size of a file in bytes.
  static func size(of path: String) throws(FileError) -> Int {
    var found = stat()
    guard unsafe stat(path, &found) == 0 else { throw failure("stat", path) }
    return Int(found.st_size)
  }

  /// Whether a path exists. If the system cannot tell, that is an error.
  static func exists(_ path: String) throws(FileError) -> Bool {
    do {
      _ = try status(of: Array(path.utf8))
      return true
    } catch .missing { return false }
  }
  static func remove(_ path: String) throws(FileError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure("unlink", path) }
  }

  static func move(_ old: String, to new: String) throws(FileError) {
    guard unsafe rename(old, new) == 0 else { throw failure("rename", old) }
  }

  /// The space in bytes that this user may still fill on a folder's disk.
  static func freeSpace(at folder: String) throws(FileError) -> UInt64 {
    var found = statvfs()
    guard unsafe statvfs(folder, &found) == 0 else { throw failure("statvfs", folder) }
    let product = UInt64(found.f_bavail).multipliedReportingOverflow(by: UInt64(found.f_frsize))
    return product.overflow ? .max : product.partialValue
  }

  /// Waits.
  static func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

  /// The processor's own name, or an empty string.
  static let processorName: String = {
    #if os(Linux)
      let descriptor = unsafe open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC)
      defer { if descriptor >= 0 { close(descriptor) } }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe read(descriptor, $0.baseAddress, $0.count)
      }
      let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
      for line in text.split(separator: "\n") where line.hasPrefix("model name") {
        return String(line.drop { $0 != ":" }.drop { $0 == ":" || $0 == " " })
      }
    #endif
    return ""
  }()

  static func failure(_ operation: String, _ path: [UInt8]) -> FileError {
    failure(operation, String(decoding: path, as: UTF8.self))
  }

  static func failure(_ operation: String, _ path: String) -> FileError {
    let code = errno
    return code == ENOENT
      ? .missing(path: path) : .failed(path: path, operation: operation, code: code)
  }

  private static func withCString<Result>(
    _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    let terminated = bytes.map(CChar.init(bitPattern:)) + [0]
    return unsafe terminated.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
  }
}

/// An open file or folder, closed when the last reference goes.
final class Descriptor: Sendable {
  let number: Int32
  let path: String

  /// Opens a folder in order to lock it.
  init(folder path: String) throws(FileError) {
    number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    self.path = path
    guard number >= 0 else { throw FileSystem.failure("open", path) }
  }

  /// Opens a file for appending, creating it if necessary.
  init(appending path: String) throws(FileError) {
    number = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    self.path = path
    guard number >= 0 else { throw FileSystem.failure("open", path) }
  }

  deinit { if number >= 0 { close(number) } }

  /// Takes the exclusive lock. The system releases it when the process ends, however it ends.
  ///
  /// - Returns: False if another process holds it.
  func lock() throws(FileError) -> Bool {
    while flock(number, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw FileSystem.failure("flock", path) }
    }
    return true
  }

  /// Whether the lock is free. Holds a shared lock only for the moment of the test.
  func probe() throws(FileError) -> Bool {
    while flock(number, LOCK_SH | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw FileSystem.failure("flock", path) }
    }
    _ = flock(number, LOCK_UN)
    return true
  }

  /// Writes bytes and removes those that were written, so that after an error `bytes` holds the
  /// rest.
  func put(_ bytes: inout [UInt8]) throws(FileError) {
    while !bytes.isEmpty {
      let written = unsafe bytes.withUnsafeBytes { unsafe write(number, $0.baseAddress, $0.count) }
      guard written >= 0 else {
        if errno == EINTR { continue }
        throw FileSystem.failure("write", path)
      }
      bytes.removeFirst(written)
    }
  }

  func truncate(to length: Int) throws(FileError) {
    guard ftruncate(number, off_t(length)) == 0 else { throw FileSystem.failure("ftruncate", path) }
  }

  func synchronize() throws(FileError) {
    guard fsync(number) == 0 else { throw FileSystem.failure("fsync", path) }
  }
}
