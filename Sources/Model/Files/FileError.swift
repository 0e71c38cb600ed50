#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Why a file could not be read or written.
public enum FileError: Error, Equatable, CustomStringConvertible {
  /// Nothing exists at this path.
  case missing(path: String)
  /// The path names a folder, pipe, device or socket.
  case notRegular(path: String)
  /// The file exceeds the size limit for files of its kind, in bytes.
  case tooLarge(path: String, limit: Int)
  /// The file grew or shrank while it was being read.
  case changed(path: String)
  /// Reading the file back gave different bytes from those that were written.
  case notAsWritten(path: String)
  /// A system call failed with this `errno`.
  case failed(path: String, operation: String, code: Int32)

  /// The path that the caller gave.
  public var path: String {
    switch self {
    case .missing(let path), .notRegular(let path), .tooLarge(let path, _), .changed(let path),
      .notAsWritten(let path), .failed(let path, _, _):
      path
    }
  }

  /// What is wrong, without the path.
  public var description: String {
    switch self {
    case .missing: "no such file"
    case .notRegular: "not a regular file"
    case .tooLarge(_, let limit): "larger than the limit of \(limit) bytes"
    case .changed: "changed while it was being read"
    case .notAsWritten: "reads back differently from what was written"
    case .failed(_, let operation, let code):
      "\(operation) failed: \(unsafe String(cString: strerror(code)))"
    }
  }
}
