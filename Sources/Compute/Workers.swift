internal import BollyGANKernels

/// Threads that share out numbered tasks; what a task computes does not depend on who runs it.
@safe package final class Workers: @unchecked Sendable {
  // The pool serialises its callers itself, so the class may be shared.
  private let pool: OpaquePointer

  /// Threads in all, the caller's included; fewer than asked for where the system gives no more.
  package let count: Int

  package init(count: Int) {
    guard let pool = unsafe bg_pool_create(Int32(clamping: max(1, count))) else {
      fatalError("no memory for a pool of threads")
    }
    unsafe self.pool = pool
    self.count = Int(unsafe bg_pool_threads(pool))
  }

  deinit { unsafe bg_pool_destroy(pool) }

  /// For each thread workers that are it alone.
  ///
  /// What one thread writes and another reads has to travel between their cores' caches, and where these
  /// lie far apart that takes as long as the work. So a batch that is large enough is shared out by
  /// pictures, and each thread takes its own through all that is to be done.
  package func soloists() -> [Workers] { (0..<count).map { _ in Workers(count: 1) } }

  /// Calls `body(task, thread)` once for each task below `tasks`, in any order and on any thread,
  /// and returns when all have ended. `thread` is below ``count``.
  package func run(_ tasks: Int, _ body: (_ task: Int, _ thread: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      var box = Box(body: body)
      unsafe withUnsafeMutablePointer(to: &box) { pointer in
        unsafe bg_pool_run(
          pool, tasks,
          { context, task, thread in
            unsafe context!.assumingMemoryBound(to: Box.self).pointee.body(task, Int(thread))
          }, pointer)
      }
    }
  }

  private struct Box { let body: (Int, Int) -> Void }

  /// The processors that this process may use.
  package static var processors: Int { Int(bg_processors()) }
}

extension Workers {
  /// The values of a function at 0, 1, ..., computed on all threads.
  package func map<Value: Sendable>(_ count: Int, _ body: (_ index: Int) -> Value) -> [Value] {
    guard count > 0 else { return [] }
    return unsafe [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      // A place for each task, so that they need no lock.
      let places = unsafe buffer
      run(count) { index, _ in unsafe places.initializeElement(at: index, to: body(index)) }
      initialized = count
    }
  }
}
