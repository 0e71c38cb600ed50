import BollyGANTraining

/// Does something with each of some things, several at a time.
///
/// - Parameters:
///   - isCancelled: Asked now and then whether to give up.
///   - progress: Told how many of how many are done.
/// - Returns: Results in the order of the things; fewer where it was cancelled.
func inChunks<Element: Sendable, Result: Sendable>(
  of elements: [Element], threads: Int, isCancelled: @Sendable () -> Bool,
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
