#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory in pages of 2 MiB, where the system gives them when asked: weights take 20 MB, and to fetch
/// those in pages of 4 KiB takes longer than to read them.
package enum LargePages {
  /// Bytes of such a page.
  package static let byteCount = 2 << 20

  /// Asks for large pages for as much of the memory as consists of whole ones. What stands there
  /// stays; where the system does not know them, nothing happens.
  package static func advise(_ memory: UnsafeMutableRawBufferPointer) {
    #if os(Linux)
      guard memory.count >= byteCount, let start = memory.baseAddress else { return }
      let first = unsafe start.alignedUp(toMultipleOf: byteCount)
      let end = unsafe (start + memory.count).alignedDown(toMultipleOf: byteCount)
      guard unsafe first < end else { return }
      _ = unsafe madvise(first, end - first, MADV_HUGEPAGE)
    #endif
  }
}

extension OutputSpan {
  /// Large pages for all that is to be appended.
  mutating func adviseLargePages() {
    unsafe withUnsafeMutableBufferPointer { buffer, _ in
      unsafe LargePages.advise(UnsafeMutableRawBufferPointer(buffer))
    }
  }
}
