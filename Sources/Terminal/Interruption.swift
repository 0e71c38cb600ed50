import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A request to stop early: Ctrl-C (SIGINT), SIGTERM or a closed terminal (SIGHUP).
///
/// The handler only records the signal, so that work can stop at a safe point and leave nothing
/// half done. A second Ctrl-C ends the process at once with status 130.
package enum Interruption {
  /// The last signal received, 0 for none. Atomic, because a handler may do little else.
  private static let received = Atomic<Int32>(0)
  /// The time of the first SIGINT in nanoseconds, 0 before it.
  private static let firstInterrupt = Atomic<Int64>(0)

  /// Starts recording signals.
  package static func watch() {
    // Initialise the static properties now rather than inside the handler.
    _ = received.load(ordering: .relaxed)
    _ = firstInterrupt.load(ordering: .relaxed)
    let note: @convention(c) (Int32) -> Void = { Interruption.note($0) }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // Under `nohup` a command outlives its terminal. SIGINT is recorded even if it was ignored:
      // shells ignore it for background commands of a script, which must still be stoppable.
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
    // `timeout` sends each signal twice, to the process and to its group, so a second SIGINT counts
    // only after 0.1 s.
    if !first.exchanged && now - first.original > 100_000_000 {
      _exit(ExitStatus.interrupted.rawValue)
    }
  }

  /// The exit status for the signal received, or nil if there was none.
  package static var status: ExitStatus? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGINT: .interrupted
    default: .terminated
    }
  }

  /// Throws if a signal has been received.
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
