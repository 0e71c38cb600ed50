import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A wish to end early: Ctrl-C (SIGINT), SIGTERM or a closed terminal (SIGHUP).
///
/// A signal is only noted, so that work ends at a good place and leaves nothing half done; a second
/// Ctrl-C ends the process at once, with status 130.
package enum Interruption {
  /// The signal that came, 0 for none. Atomic, since a handler may do little else.
  private static let received = Atomic<Int32>(0)
  /// When the first SIGINT came, in nanoseconds; 0 before.
  private static let firstInterrupt = Atomic<Int64>(0)

  /// Notes signals from now on.
  package static func watch() {
    // Made now, not inside the handler.
    _ = received.load(ordering: .relaxed)
    _ = firstInterrupt.load(ordering: .relaxed)
    let note: @convention(c) (Int32) -> Void = { Interruption.note($0) }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // Under `nohup` work outlives its terminal. SIGINT is noted even where it was ignored: shells
      // do that to what a script runs in the background, which must be stoppable all the same.
      if number == SIGHUP && isIgnored(number) { continue }
      var action = sigaction()
      #if os(macOS)
        unsafe action.__sigaction_u.__sa_handler = note
      #else
        unsafe action.__sigaction_handler.sa_handler = note
      #endif
      _ = unsafe sigaction(number, &action, nil)
    }
  }

  private static func note(_ signal: Int32) {
    received.store(signal, ordering: .relaxed)
    guard signal == SIGINT else { return }
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    let first = firstInterrupt.compareExchange(expected: 0, desired: now, ordering: .relaxed)
    // `timeout` sends each signal twice, to the process and to its group.
    if !first.exchanged && now - first.original > 100_000_000 {
      _exit(ExitStatus.interrupted.rawValue)
    }
  }

  /// The status to end with, once a signal has come.
  package static var status: ExitStatus? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGINT: .interrupted
    default: .terminated
    }
  }

  /// Throws once a signal has come.
  package static func check() throws(CommandFailure) {
    if let status { throw CommandFailure(status, "interrupted") }
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    _ = unsafe sigaction(number, nil, &action)
    #if os(macOS)
      let handler = unsafe action.__sigaction_u.__sa_handler
    #else
      let handler = unsafe action.__sigaction_handler.sa_handler
    #endif
    return unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
