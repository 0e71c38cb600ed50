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
/// The first signal is only noted, so that work ends at a good place and leaves nothing half done;
/// a second one ends the process at once.
package enum Interruption {
  /// The signal that came, 0 for none. Atomic, since a handler may do little else.
  private static let received = Atomic<Int32>(0)

  /// Notes signals from now on.
  package static func watch() {
    _ = received.load(ordering: .relaxed)  // made now, not inside the handler
    let note: @convention(c) (Int32) -> Void = {
      Interruption.received.store($0, ordering: .relaxed)
    }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var action = sigaction()
      #if os(macOS)
        unsafe action.__sigaction_u.__sa_handler = note
      #else
        unsafe action.__sigaction_handler.sa_handler = note
      #endif
      // The handler is good for one signal; calls that wait are ended by it.
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
      // What was started with a signal ignored (`nohup`) goes on ignoring it.
      var before = sigaction()
      _ = unsafe sigaction(number, nil, &before)
      if !isIgnored(before) { _ = unsafe sigaction(number, &action, nil) }
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

  private static func isIgnored(_ action: sigaction) -> Bool {
    #if os(macOS)
      unsafe unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
    #else
      unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
    #endif
  }
}
