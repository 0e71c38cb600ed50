/// Aligned memory for float32 numbers, zeros at first.
@safe package final class FloatBuffer: @unchecked Sendable {
  // Sendable: who writes where is settled by the tasks that share it, which write apart.
  package let base: UnsafeMutablePointer<Float>
  package let count: Int

  package init(count: Int) {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    unsafe raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    unsafe base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
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

  deinit { unsafe UnsafeMutableRawPointer(base).deallocate() }
}
