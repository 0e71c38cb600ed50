#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Processor time since a moment, of one thread or of the whole process.
struct ProcessorTime {
  private let clock: clockid_t
  /// What the clock showed at the moment, in seconds.
  let start: Double

  /// From now on, of the thread that asks, which must be the one that asks again.
  static var ofThread: ProcessorTime { ProcessorTime(CLOCK_THREAD_CPUTIME_ID) }
  /// From now on, of all threads.
  static var ofProcess: ProcessorTime { ProcessorTime(CLOCK_PROCESS_CPUTIME_ID) }

  private init(_ clock: clockid_t) {
    self.clock = clock
    start = Self.now(clock)
  }

  /// Seconds since then.
  var seconds: Double { Self.now(clock) - start }

  private static func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    _ = unsafe clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
