#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The processors that this process may use, at least 1: what `--threads` is by default.
///
/// Fewer than the machine has where `taskset` or a container says so.
package let processorCount: Int = {
  #if os(Linux)
    // glibc declares it for programs that define _GNU_SOURCE only, so it is asked for by name.
    typealias GetAffinity = @convention(c) (pid_t, Int, UnsafeMutablePointer<UInt64>) -> Int32
    if let symbol = unsafe dlsym(nil, "sched_getaffinity") {
      let getAffinity = unsafe unsafeBitCast(symbol, to: GetAffinity.self)
      var mask = [UInt64](repeating: 0, count: 128)  // 8192 processors, the most Linux is built for
      if unsafe getAffinity(0, mask.count * 8, &mask) >= 0 {
        return max(1, mask.reduce(0) { $0 + $1.nonzeroBitCount })
      }
    }
  #endif
  return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}()
