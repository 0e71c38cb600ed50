#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The system calls that ``FileWriter`` makes, replaceable so that tests can make any of them fail.
///
/// Each returns what the C function returns and sets `errno` like it.
package struct SystemCalls {
  /// Creates a file for writing; fails if it exists (`O_EXCL`).
  package var create: (_ path: String, _ mode: mode_t) -> Int32 = createNew
  /// Writes one or more of the bytes from `start` on.
  package var write: (_ file: Int32, _ bytes: [UInt8], _ start: Int) -> Int = writeSome
  /// Flushes a file or folder to the disk.
  package var fsync: (_ file: Int32) -> Int32 = flush
  /// Closes a descriptor.
  package var close: (_ file: Int32) -> Int32 = shut
  /// Renames a file and replaces any file of the new name.
  package var rename: (_ from: String, _ to: String) -> Int32 = move

  /// The real system calls.
  package init() {}
}

// These names differ from the C functions because the struct's properties hide those.

private func createNew(_ path: String, _ mode: mode_t) -> Int32 {
  unsafe path.withPath { unsafe open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) }
}

private func writeSome(_ file: Int32, _ bytes: [UInt8], _ start: Int) -> Int {
  unsafe bytes.withUnsafeBytes {
    unsafe write(file, $0.baseAddress.map { unsafe $0 + start }, $0.count - start)
  }
}

private func flush(_ file: Int32) -> Int32 { fsync(file) }

private func shut(_ file: Int32) -> Int32 { close(file) }

private func move(_ from: String, _ to: String) -> Int32 {
  unsafe from.withPath { from in unsafe to.withPath { unsafe rename(from, $0) } }
}
