import BollyGANModel
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A temporary folder that is removed with the files in it.
final class TemporaryFolder {
  let path: String

  init() {
    var template = Array("/tmp/bollygan-tests-XXXXXX".utf8CString)
    path = unsafe String(cString: mkdtemp(&template)!)
  }

  deinit {
    for name in names { _ = unsafe remove("\(path)/\(name)") }
    _ = unsafe rmdir(path)
  }

  /// The sorted names of all files in the folder.
  var names: [String] {
    guard let listing = unsafe opendir(path) else { return [] }
    defer { _ = unsafe closedir(listing) }
    var names: [String] = []
    while let entry = unsafe readdir(listing) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

@Suite("Files")
struct FileTests {
  let folder = TemporaryFolder()

  @Test("a file reads back as it was written", arguments: [0, 1, 100_000], [false, true])
  func roundTrip(count: Int, durably: Bool) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let path = folder.path + "/file"
    try writeFile(bytes, to: path, durably: durably)
    #expect(try readFile(path, limit: count) == bytes)
    #expect(folder.names == ["file"])
  }

  /// The path of a file in the folder of the test.
  private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  @Test(
    "if any call fails, once or from then on, the old file stays intact and no other file remains",
    arguments: [ENOSPC, EIO, EDQUOT, EMFILE], [false, true])
  func failures(code: Int32, isSticky: Bool) throws {
    let path = path("file")
    let (old, new) = ([UInt8](repeating: 1, count: 10), [UInt8](repeating: 2, count: 20))
    for durably in [false, true] {
      var failed = 0
      for target in 0... {
        try writeFile(old, to: path)
        var count = 0
        func failing<Result: SignedInteger>(_ call: () -> Result) -> Result {
          defer { count += 1 }
          guard count == target || isSticky && count > target else { return call() }
          errno = code
          return -1
        }
        var calls = SystemCalls()
        let real = calls
        calls.create = { path, mode in failing { real.create(path, mode) } }
        calls.write = { file, bytes, start in failing { real.write(file, bytes, start) } }
        calls.fsync = { file in failing { real.fsync(file) } }
        // The file is closed even if close reports a failure.
        calls.close = { file in
          let result = real.close(file)
          return failing { result }
        }
        calls.rename = { from, to in failing { real.rename(from, to) } }
        do throws(FileError) {
          try writeFile(new, to: path, durably: durably, calls: calls)
          #expect(try readFile(path, limit: 20) == new)
          // Every call has failed once when fewer calls were made than `target`. Closing the
          // flushed folder may fail without consequence.
          if count <= target { break }
        } catch {
          failed += 1
          guard case .failed(path, let operation, code) = error else {
            Issue.record("\(error)")
            continue
          }
          // The folder is flushed after the rename.
          #expect(try readFile(path, limit: 20) == (operation == "fsync folder" ? new : old))
        }
        #expect(folder.names == ["file"])
      }
      // create, write, close, rename; fsync of the file and of the folder
      #expect(failed == (durably ? 6 : 4))
    }
  }

  @Test("writing continues after interrupted and partial writes")
  func interruptions() throws {
    let bytes = (0..<100).map { UInt8($0) }
    var calls = SystemCalls()
    let real = calls
    var turn = 0
    calls.write = { file, bytes, start in
      turn += 1
      if turn % 2 == 0 {
        errno = EINTR
        return -1
      }
      return real.write(file, Array(bytes.prefix(start + 7)), start)
    }
    try writeFile(bytes, to: path("file"), durably: true, calls: calls)
    #expect(try readFile(path("file"), limit: 100) == bytes)
    #expect(turn == 29)
  }

  @Test("bytes that do not reach the disk are detected before the rename")
  func lies() throws {
    try writeFile([1], to: path("file"))
    var calls = SystemCalls()
    calls.write = { _, bytes, start in bytes.count - start }
    #expect(throws: FileError.notAsWritten(path: path("file"))) {
      try writeFile([2, 3], to: path("file"), durably: true, calls: calls)
    }
    #expect(try readFile(path("file"), limit: 1) == [1])
    #expect(folder.names == ["file"])
  }

  @Test("a file written in pieces appears when it is finished, and never if it is not")
  func pieces() throws {
    do {
      var writer = try FileWriter(path: path("file"))
      try writer.append([1, 2])
      #expect(folder.names == [".file.tmp.\(getpid())"])
      try writer.append([])
      try writer.append([3])
      try writer.finish()
    }
    #expect(try readFile(path("file"), limit: 3) == [1, 2, 3])
    do {
      var writer = try FileWriter(path: path("other"))
      try writer.append([1])
    }
    #expect(folder.names == ["file"])
  }

  @Test("an existing temporary file is left alone")
  func collision() throws {
    let taken = ".file.tmp.\(getpid())"
    try writeFile([9], to: path(taken))
    try writeFile([1], to: path("file"))
    #expect(try readFile(path(taken), limit: 1) == [9])
    #expect(folder.names == [taken, "file"])
  }

  @Test("replacing a file through a link keeps the link and the permissions")
  func links() throws {
    try writeFile([1], to: path("file"))
    #expect(unsafe chmod(path("file"), 0o640) == 0)
    #expect(unsafe symlink("file", path("link")) == 0)
    try writeFile([2], to: path("link"), durably: true)
    #expect(try readFile(path("file"), limit: 1) == [2])
    #expect(folder.names == ["file", "link"])
    var status = stat()
    #expect(unsafe lstat(path("link"), &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFLNK)
    #expect(unsafe lstat(path("file"), &status) == 0)
    #expect(status.st_mode & 0o7777 == 0o640)
  }

  @Test("a device is written to, never replaced, and refused if the write must be durable")
  func devices() throws {
    try writeFile([1, 2, 3], to: "/dev/null")
    var status = stat()
    #expect(unsafe lstat("/dev/null", &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFCHR)
    #expect(throws: FileError.notRegular(path: "/dev/null")) {
      try writeFile([1], to: "/dev/null", durably: true)
    }
    #if os(Linux)
      #expect(throws: FileError.failed(path: "/dev/full", operation: "write", code: ENOSPC)) {
        try writeFile([1], to: "/dev/full")
      }
    #endif
  }

  @Test("an error names the path at which nothing can be written")
  func unwritable() {
    let cases: [(String, String, Int32)] = [
      (folder.path, "open", EISDIR), (path("none/file"), "create", ENOENT),
    ]
    for (path, operation, code) in cases {
      #expect(throws: FileError.failed(path: path, operation: operation, code: code)) {
        try writeFile([1], to: path)
      }
    }
    #expect(unsafe symlink("nowhere", path("link")) == 0)
    #expect(
      throws: FileError.failed(
        path: path("link"), operation: "following the link", code: ENOENT)
    ) { try writeFile([1], to: path("link")) }
    #expect(folder.names == ["link"])
  }

  @Test("only regular files within the size limit are read")
  func unreadable() throws {
    try writeFile([1, 2, 3], to: path("file"))
    #expect(throws: FileError.tooLarge(path: path("file"), limit: 2)) {
      try readFile(path("file"), limit: 2)
    }
    for missing in [path("none"), path("file/none")] {
      #expect(throws: FileError.missing(path: missing)) { try readFile(missing, limit: 9) }
    }
    #expect(unsafe mkfifo(path("pipe"), 0o600) == 0)
    for odd in [folder.path, path("pipe"), "/dev/null"] {
      #expect(throws: FileError.notRegular(path: odd)) { try readFile(odd, limit: 9) }
    }
    #expect(unsafe symlink("loop", path("loop")) == 0)
    #expect(throws: FileError.failed(path: path("loop"), operation: "open", code: ELOOP)) {
      try readFile(path("loop"), limit: 9)
    }
    #if os(Linux)
      // Both claim to be regular files of length 0. The first cannot be read, the second has
      // contents.
      let memory = FileError.failed(path: "/proc/self/mem", operation: "read", code: EIO)
      #expect(throws: memory) { try readFile("/proc/self/mem", limit: 9) }
      #expect(throws: FileError.changed(path: "/proc/self/stat")) {
        try readFile("/proc/self/stat", limit: 1 << 20)
      }
    #endif
  }

  @Test("- is standard input, with the same size limit")
  func standardInput() throws {
    let saved = dup(0)
    defer {
      _ = dup2(saved, 0)
      _ = close(saved)
    }
    for (limit, isAccepted) in [(5, true), (4, false)] {
      try writeFile([1, 2, 3, 4, 5], to: path("input"))
      let input = unsafe open(path("input"), O_RDONLY)
      _ = dup2(input, 0)
      _ = close(input)
      if isAccepted {
        #expect(try readFile("-", limit: limit) == [1, 2, 3, 4, 5])
      } else {
        #expect(throws: FileError.tooLarge(path: "-", limit: limit)) {
          try readFile("-", limit: limit)
        }
      }
    }
  }

  @Test("the temporary files of killed processes are removed, and no others")
  func abandoned() throws {
    // Process numbers are below 2^22.
    let dead = [".a.safetensors.tmp.\(1 << 30)", ".b.tmp.\(1 << 30).3", ".c.tmp.\(getpid())"]
    let kept = [
      ".a.tmp.1", ".a.tmp.", ".a.tmp.x", ".tmp.\(1 << 30)", "a.tmp.\(1 << 30)", ".a.tmp.-5", "file",
      ".a.tmp.\(1 << 30).txt",
    ]
    for name in dead + kept { try writeFile([1], to: path(name)) }
    #expect(try removeAbandonedTemporaries(in: folder.path) == dead.sorted())
    #expect(folder.names == kept.sorted())
    #expect(throws: FileError.missing(path: path("none"))) {
      try removeAbandonedTemporaries(in: path("none"))
    }
  }

  @Test("messages describe the error in one line")
  func messages() {
    let errors: [(FileError, String)] = [
      (.missing(path: "p"), "no such file"), (.notRegular(path: "p"), "not a regular file"),
      (.tooLarge(path: "p", limit: 9), "larger than the limit of 9 bytes"),
      (.changed(path: "p"), "changed while it was being read"),
      (.notAsWritten(path: "p"), "reads back differently from what was written"),
      (
        .failed(path: "p", operation: "write", code: ENOSPC),
        "write failed: No space left on device"
      ),
    ]
    for (error, text) in errors {
      #expect(error.description == text)
      #expect(error.path == "p")
    }
    #expect(quoted("a\u{1b}[1m\"\u{202e}é") == "\"a\\u{1b}[1m\\\"\\u{202e}é\"")
    #expect(quoted(String(repeating: "é", count: 150)).utf8.count == 205)
  }
}
