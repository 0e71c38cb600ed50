/// Applies a function to every element, on several threads.
///
/// Tasks take 32 elements at a time, so that even short bodies are worth a task.
///
/// - Parameters:
///   - isCancelled: Asked between tasks whether to give up.
///   - progress: Called with the number of elements done and the total.
/// - Returns: The results in the order of the elements; fewer if it was cancelled.
func concurrentMap<Element: Sendable, Result: Sendable>(
  _ elements: [Element], threads: Int, isCancelled: @Sendable () -> Bool,
  progress: @Sendable (Int, Int) -> Void = { _, _ in },
  _ body: @escaping @Sendable (Element) -> Result
) async -> [Result] {
  let size = 32
  let starts = Array(stride(from: 0, to: elements.count, by: size))
  return await withTaskGroup(of: (Int, [Result]).self) { group in
    var chunks = [[Result]](repeating: [], count: starts.count)
    var (next, done) = (0, 0)
    func addTask() {
      guard next < starts.count, !isCancelled() else { return }
      let number = next
      let part = elements[starts[number]..<min(starts[number] + size, elements.count)]
      group.addTask { (number, part.map(body)) }
      next += 1
    }
    for _ in 0..<max(1, threads) { addTask() }
    while let (number, results) = await group.next() {
      chunks[number] = results
      done += results.count
      progress(done, elements.count)
      addTask()
    }
    return chunks.flatMap { $0 }
  }
}
