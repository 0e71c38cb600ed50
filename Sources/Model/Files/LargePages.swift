#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Pages of 2 MiB, which Linux provides on request.
///
/// The weights take about 20 MB. Faulting those in as pages of 4 KiB takes longer than reading
/// them.
package enum LargePages {
  /// The size of a large page in bytes.
  package static let byteCount = 2 << 20

  /// Asks for large pages for every whole large page within `memory`.
  ///
  /// The contents are kept. On systems without this request, nothing happens.
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
  /// Asks for large pages for the elements to be appended.
  mutating func adviseLargePages() {
    unsafe withUnsafeMutableBufferPointer { buffer, _ in
      unsafe LargePages.advise(UnsafeMutableRawBufferPointer(buffer))
    }
  }
}
