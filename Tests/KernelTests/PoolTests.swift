import BollyGANKernels
import Testing

@Suite("Pool of threads")
struct PoolTests {
  @Test("a pool runs each task once, round after round", arguments: [1, 2, 3, 8])
  func pool(threads: Int) {
    let pool = unsafe bg_pool_create(Int32(threads))!
    defer { unsafe bg_pool_destroy(pool) }
    #expect(unsafe bg_pool_threads(pool) == Int32(threads))
    // Each task has its own element, so tasks may write simultaneously.
    let counts = UnsafeMutablePointer<Int>.allocate(capacity: 300)
    unsafe counts.initialize(repeating: 0, count: 300)
    defer { unsafe counts.deallocate() }
    for round in 0..<2000 {
      unsafe bg_pool_run(
        pool, round % 300,
        { context, task, _ in
          unsafe context!.assumingMemoryBound(to: Int.self)[task] += 1
        }, counts)
    }
    // Round r runs tasks 0..<r % 300, so task t runs in every round with r % 300 > t.
    for task in 0..<300 {
      #expect(unsafe counts[task] == (0..<2000).count { $0 % 300 > task })
    }
  }
}
