#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Folders on disk.
package enum Folder {
  /// Creates a folder and its missing parents. A folder that exists already is not an error.
  ///
  /// - Throws: ``FileError/failed(path:operation:code:)`` with `path`, whichever of the folders
  ///   could not be created.
  package static func create(_ path: String) throws(FileError) {
    var prefix = path.utf8.first == UInt8(ascii: "/") ? "" : "."
    // Split in bytes: a slash and a combining character after it are one Character.
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
      prefix += "/" + String(Substring(part))
      guard unsafe prefix.withPath({ unsafe mkdir($0, 0o777) }) != 0 else { continue }
      let code = errno
      // For an existing folder the error need not be EEXIST: it is EROFS on a read-only disk and
      // EACCES below a folder that this user may not write to.
      guard !exists(prefix) else { continue }
      throw .failed(
        path: path, operation: "making the folder", code: code == EEXIST ? ENOTDIR : code)
    }
  }

  /// Whether a path names a folder, with links followed.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    let result = unsafe path.withPath { unsafe stat($0, &status) }
    return result == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
