internal import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Aligned memory for float32 numbers, zeros at first.
@safe package final class FloatBuffer: @unchecked Sendable {
  // Sendable: who writes where is settled by the tasks that share it, which write apart.
  package let base: UnsafeMutablePointer<Float>
  package let count: Int
  private let memory: UnsafeMutableRawPointer

  package init(count: Int) {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let alignment = bytes < LargePages.byteCount ? 64 : LargePages.byteCount
    // Fresh memory of the system's is zero, and is not touched here: who writes to it first, perhaps
    // many threads, fetches it.
    guard let memory = unsafe calloc(bytes + alignment, 1) else {
      fatalError("no memory for \(bytes) bytes")
    }
    unsafe self.memory = memory
    let start = unsafe memory.alignedUp(toMultipleOf: alignment)
    unsafe LargePages.advise(UnsafeMutableRawBufferPointer(start: start, count: bytes))
    unsafe base = start.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
  }

  package convenience init(_ values: [Float]) {
    self.init(count: values.count)
    unsafe values.withUnsafeBufferPointer { source in
      if let start = source.baseAddress {
        unsafe base.update(from: start, count: values.count)
      }
    }
  }

  package var array: [Float] { unsafe Array(UnsafeBufferPointer(start: base, count: count)) }

  package func fill(_ value: Float) { unsafe base.update(repeating: value, count: count) }

  deinit { unsafe free(memory) }
}
