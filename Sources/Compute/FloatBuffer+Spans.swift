// Checked access to part of a buffer.

extension FloatBuffer {
  /// Lends part of the buffer, with checked bounds, for reading.
  package func read<Result>(_ range: Range<Int>, _ body: (Span<Float>) -> Result) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count)")
    return unsafe body(Span(_unsafeStart: base + range.lowerBound, count: range.count))
  }

  /// Lends part of the buffer, with checked bounds, for writing.
  ///
  /// Threads may write at the same time, each to a range of its own.
  package func write<Result>(_ range: Range<Int>, _ body: (inout MutableSpan<Float>) -> Result)
    -> Result
  {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count)")
    var span = unsafe MutableSpan(_unsafeStart: base + range.lowerBound, count: range.count)
    return body(&span)
  }
}
