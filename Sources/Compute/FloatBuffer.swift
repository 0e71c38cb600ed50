internal import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A fixed-size, aligned block of float32 numbers, initially zero.
///
/// Buffers of at least 2 MiB are aligned to large pages and ask for them; smaller ones are aligned
/// to cache lines of 64 bytes.
@safe package final class FloatBuffer: @unchecked Sendable {
  // Sendable: tasks that share a buffer write to separate parts of it.

  /// The first number. Valid while the buffer lives.
  package let base: UnsafeMutablePointer<Float>
  /// Numbers in the buffer.
  package let count: Int
  /// The whole allocation; `base` is an aligned address in it.
  private let memory: UnsafeMutableRawPointer

  /// Allocates `count` zeros.
  package init(count: Int) {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let alignment = bytes < LargePages.byteCount ? 64 : LargePages.byteCount
    // Fresh memory from the system is zero. It is not touched here: the first thread that writes to
    // a page fetches it, so many threads can share that work.
    guard let memory = unsafe calloc(bytes + alignment, 1) else {
      fatalError("cannot allocate \(bytes) bytes")
    }
    unsafe self.memory = memory
    let start = unsafe memory.alignedUp(toMultipleOf: alignment)
    unsafe LargePages.advise(UnsafeMutableRawBufferPointer(start: start, count: bytes))
    unsafe base = start.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
  }

  /// Allocates a copy of `values`.
  package convenience init(_ values: [Float]) {
    self.init(count: values.count)
    unsafe values.withUnsafeBufferPointer { source in
      if let start = source.baseAddress {
        unsafe base.update(from: start, count: values.count)
      }
    }
  }

  /// The number at an index, checked to be within the buffer. Not for hot loops.
  package subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "index \(index) is outside of \(count) numbers")
      return unsafe base[index]
    }
    set {
      precondition(index >= 0 && index < count, "index \(index) is outside of \(count) numbers")
      unsafe base[index] = newValue
    }
  }

  /// A copy of all numbers.
  package var array: [Float] { unsafe Array(UnsafeBufferPointer(start: base, count: count)) }

  /// Sets all numbers to `value`.
  package func fill(_ value: Float) { unsafe base.update(repeating: value, count: count) }

  deinit { unsafe free(memory) }
}
