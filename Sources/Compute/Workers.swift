internal import BollyGANKernels

/// A pool of threads that share numbered tasks. What a task computes does not depend on its thread.
@safe package final class Workers: @unchecked Sendable {
  // Sendable: the pool itself makes its callers take turns.
  private let pool: OpaquePointer

  /// Threads, the caller's included. Fewer than requested if the system refuses to start some.
  package let count: Int

  /// Starts `count` threads, the caller's included; at least one.
  package init(count: Int) {
    guard let pool = unsafe bg_pool_create(Int32(clamping: max(1, count))) else {
      fatalError("cannot allocate a pool of threads")
    }
    unsafe self.pool = pool
    self.count = Int(unsafe bg_pool_threads(pool))
  }

  deinit { unsafe bg_pool_destroy(pool) }

  /// One single-threaded pool for each thread of this one.
  ///
  /// Data that one thread writes and another reads has to travel between the caches of their cores.
  /// If the caches are far apart, that takes as long as the work itself. So large batches are split
  /// by image: each thread takes its own images through all layers, with its own pool.
  package func singleThreaded() -> [Workers] { (0..<count).map { _ in Workers(count: 1) } }

  /// Calls `body(task, thread)` once for each task in `0..<tasks`, in any order and on any thread.
  /// Returns when all calls have returned.
  ///
  /// - Parameter body: `thread` is in `0..<count`, and differs between calls that run
  ///   simultaneously.
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

  /// A Swift closure, in a form that fits through C's `void *`.
  private struct Box { let body: (Int, Int) -> Void }

  /// The number of processors that this process may use.
  package static var processors: Int { Int(bg_processors()) }
}

extension Workers {
  /// The values of a function at `0..<count`, in order, computed on all threads.
  package func map<Value: Sendable>(_ count: Int, _ body: (_ index: Int) -> Value) -> [Value] {
    guard count > 0 else { return [] }
    return unsafe [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      // Each task has its own element, so no lock is needed.
      let elements = unsafe buffer
      run(count) { index, _ in unsafe elements.initializeElement(at: index, to: body(index)) }
      initialized = count
    }
  }
}
