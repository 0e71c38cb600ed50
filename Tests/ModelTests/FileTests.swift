import BollyGANModel
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A folder that is removed with all that is in it.
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

  /// Names of all files in it, sorted.
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

  @Test("what was written is read", arguments: [0, 1, 100_000], [false, true])
  func roundTrip(count: Int, durably: Bool) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let path = folder.path + "/file"
    try writeFile(bytes, to: path, durably: durably)
    #expect(try readFile(path, limit: count) == bytes)
    #expect(folder.names == ["file"])
  }

  @Test("when any call fails once, the old file stays whole and nothing is left behind")
  func failures() throws {
    let path = folder.path + "/file"
    let (old, new) = ([UInt8](repeating: 1, count: 10), [UInt8](repeating: 2, count: 20))
    var failed = 0
    for target in 0... {
      try writeFile(old, to: path)
      var count = 0
      func failing<Result: SignedInteger>(_ result: Result, _ call: () -> Result) -> Result {
        defer { count += 1 }
        guard count == target else { return call() }
        errno = ENOSPC
        return result
      }
      var calls = SystemCalls()
      let real = calls
      calls.create = { path, mode in failing(-1) { real.create(path, mode) } }
      calls.write = { file, bytes, start in failing(-1) { real.write(file, bytes, start) } }
      calls.fsync = { file in failing(-1) { real.fsync(file) } }
      calls.close = { file in failing(-1) { real.close(file) } }
      calls.rename = { from, to in failing(-1) { real.rename(from, to) } }
      do {
        try writeFile(new, to: path, durably: true, calls: calls)
      } catch {
        failed += 1
        guard case .failed(path, let operation, ENOSPC) = error else {
          Issue.record("\(error)")
          continue
        }
        // The flush of the folder comes after the new name.
        #expect(try readFile(path, limit: 20) == (operation == "fsync folder" ? new : old))
        #expect(folder.names == ["file"])
        continue
      }
      if count <= target { break }
    }
    #expect(failed == 6)  // create, write, fsync, close, rename, fsync of the folder
  }
}
