#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads a whole file, or standard input if the path is `-`.
///
/// The file is copied, not mapped: a mapping would crash if another process truncated the file.
///
/// - Parameters:
///   - path: The path of a regular file, or `-`.
///   - limit: The largest accepted size in bytes. No more memory than this is allocated.
/// - Throws: ``FileError``. It is ``FileError/missing(path:)`` only if nothing exists at the path.
public func readFile(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
  if path == "-" { return try readStream(0, path: path, limit: limit) }
  return try readFile(named: path.pathBytes, limit: limit)
}

/// Reads a whole file whose path is given in bytes, which need not be UTF-8.
package func readFile(named bytes: [UInt8], limit: Int) throws(FileError) -> [UInt8] {
  let path = String(pathBytes: bytes)
  // Without O_NONBLOCK, opening a pipe that has no writer blocks for ever.
  let file = unsafe path.withPath { unsafe open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
  guard file >= 0 else {
    throw errno == ENOENT || errno == ENOTDIR
      ? .missing(path: path) : .failed(path: path, operation: "open", code: errno)
  }
  defer { _ = close(file) }
  return try readOpenFile(file, path: path, limit: limit)
}

/// Reads a whole file from a descriptor positioned at its start, and leaves the descriptor open.
///
/// - Parameter path: The path to name in errors.
package func readOpenFile(
  _ file: Int32, path: String, limit: Int
) throws(FileError) -> [UInt8] {
  var status = stat()
  guard unsafe fstat(file, &status) == 0 else {
    throw .failed(path: path, operation: "fstat", code: errno)
  }
  guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: path) }
  guard status.st_size <= limit else { throw .tooLarge(path: path, limit: limit) }
  let bytes = try readBytes(file, atMost: Int(status.st_size), path: path)
  guard bytes.count == Int(status.st_size), try readBytes(file, atMost: 1, path: path).isEmpty
  else { throw .changed(path: path) }
  return bytes
}

/// Reads a pipe, terminal or file to its end.
private func readStream(_ file: Int32, path: String, limit: Int) throws(FileError) -> [UInt8] {
  var bytes: [UInt8] = []
  while true {
    let piece = try readBytes(file, atMost: 1 << 20, path: path)
    if piece.isEmpty { return bytes }
    guard piece.count <= limit - bytes.count else { throw .tooLarge(path: path, limit: limit) }
    bytes += piece
  }
}

/// Reads `count` bytes, or fewer if the file ends first.
private func readBytes(
  _ file: Int32, atMost count: Int, path: String
) throws(FileError) -> [UInt8] {
  guard count > 0 else { return [] }
  var failure: FileError?
  let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    unsafe LargePages.advise(UnsafeMutableRawBufferPointer(buffer))
    while filled < count {
      let result = unsafe read(file, buffer.baseAddress! + filled, count - filled)
      if result > 0 {
        filled += result
      } else if result == 0 {
        return
      } else if errno == EAGAIN {  // standard input, if its owner has made it non-blocking
        var waiting = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&waiting, 1, -1)
      } else if errno != EINTR {
        failure = .failed(path: path, operation: "read", code: errno)
        return
      }
    }
  }
  if let failure { throw failure }
  return bytes
}
