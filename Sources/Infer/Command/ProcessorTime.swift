#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A stopwatch for processor time, of one thread or of the whole process.
struct ProcessorTime {
  private let clock: clockid_t
  /// The reading of the clock at the start, in seconds.
  let start: Double

  /// Starts timing the current thread. ``seconds`` must be read on the same thread.
  static var ofThread: ProcessorTime { ProcessorTime(CLOCK_THREAD_CPUTIME_ID) }
  /// Starts timing all threads of the process.
  static var ofProcess: ProcessorTime { ProcessorTime(CLOCK_PROCESS_CPUTIME_ID) }

  private init(_ clock: clockid_t) {
    self.clock = clock
    start = Self.now(clock)
  }

  /// Seconds of processor time since the start.
  var seconds: Double { Self.now(clock) - start }

  private static func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    _ = unsafe clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
