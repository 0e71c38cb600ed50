#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Why a file could not be read or written.
public enum FileError: Error, Equatable, CustomStringConvertible {
  /// There is nothing at this path.
  case missing(path: String)
  /// What is there is a folder, a pipe, a device or a socket.
  case notRegular(path: String)
  /// The file is larger than files of its kind are accepted.
  case tooLarge(path: String, limit: Int)
  /// The file grew or shrank while it was read.
  case changed(path: String)
  /// What was written could not be read back as it was.
  case notAsWritten(path: String)
  /// A call of the operating system failed with this `errno`.
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
    case .tooLarge(_, let limit): "larger than the \(limit) bytes that are accepted"
    case .changed: "changed while it was read"
    case .notAsWritten: "reads back differently from what was written"
    case .failed(_, let operation, let code):
      "\(operation) failed: \(unsafe String(cString: strerror(code)))"
    }
  }
}
