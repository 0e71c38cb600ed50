import BollyGANModel
import BollyGANTraining

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Every call below the level of whole files (those are `readFile` and `writeFile`).
enum FileSystem {
  /// What stands at a path, links followed.
  enum Kind { case folder, file, other }

  /// Which folder this is, whatever path led there.
  struct Identity: Hashable {
    var device: UInt64
    var number: UInt64
  }

  /// The names in a folder, in no order, without `.` and `..`; names are bytes, not always UTF-8.
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
    // A listing that breaks off must not pass for a folder with fewer files.
    guard errno == 0 else { throw failure("readdir", folder) }
    return names
  }

  /// What stands at a path and, for folders, which one it is.
  static func look(at path: [UInt8]) throws(FileError) -> (kind: Kind, identity: Identity) {
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

  /// Bytes of a file.
  static func size(of path: String) throws(FileError) -> Int {
    var found = stat()
    guard unsafe stat(path, &found) == 0 else { throw failure("stat", path) }
    return Int(found.st_size)
  }

  /// Whether something is at a path; any doubt is an error, not an absence.
  static func exists(_ path: String) throws(FileError) -> Bool {
    do {
      _ = try look(at: Array(path.utf8))
      return true
    } catch .missing { return false }
  }

  /// Makes a folder, and those above it where they are missing.
  static func makeFolder(_ path: String) throws(FileError) {
    var prefix = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      prefix += part
      // What a folder that exists is answered with is not always EEXIST: EROFS, EACCES.
      if unsafe mkdir(prefix, 0o777) != 0 {
        let code = errno
        guard (try? look(at: Array(prefix.utf8)))?.kind == .folder else {
          throw .failed(path: prefix, operation: "mkdir", code: code == EEXIST ? ENOTDIR : code)
        }
      }
      prefix += "/"
    }
  }

  static func remove(_ path: String) throws(FileError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure("unlink", path) }
  }

  static func move(_ old: String, to new: String) throws(FileError) {
    guard unsafe rename(old, new) == 0 else { throw failure("rename", old) }
  }

  /// Bytes that this user may still write below a folder.
  static func freeSpace(at folder: String) throws(FileError) -> UInt64 {
    var found = statvfs()
    guard unsafe statvfs(folder, &found) == 0 else { throw failure("statvfs", folder) }
    let product = UInt64(found.f_bavail).multipliedReportingOverflow(by: UInt64(found.f_frsize))
    return product.overflow ? .max : product.partialValue
  }

  /// Does nothing for a while.
  static func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

  /// What the processor calls itself.
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

  /// Opens a folder, to lock it.
  init(folder path: String) throws(FileError) {
    number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    self.path = path
    guard number >= 0 else { throw FileSystem.failure("open", path) }
  }

  /// Opens a file to append to, made where it is missing.
  init(appending path: String) throws(FileError) {
    number = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    self.path = path
    guard number >= 0 else { throw FileSystem.failure("open", path) }
  }

  deinit { if number >= 0 { close(number) } }

  /// Takes the lock that one process alone can hold; it goes with the process, however it ends.
  ///
  /// - Returns: False where another process holds it.
  func lock() throws(FileError) -> Bool {
    while flock(number, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw FileSystem.failure("flock", path) }
    }
    return true
  }

  /// Whether no process holds that lock; takes it for no longer than it takes to see.
  func probe() throws(FileError) -> Bool {
    while flock(number, LOCK_SH | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw FileSystem.failure("flock", path) }
    }
    _ = flock(number, LOCK_UN)
    return true
  }

  /// Writes from the front of `bytes` what the system takes, and removes that much.
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
