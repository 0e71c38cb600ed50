/// Adds up the time that each layer takes.
final class LayerTimer {
  /// Seconds of each layer so far, from the latent to the image.
  private(set) var seconds: [Double]
  private var layer = 0
  private var start = ContinuousClock.now

  init(layers: Int) { seconds = Array(repeating: 0, count: layers) }

  /// Starts timing a layer.
  func begin(_ layer: Int) {
    self.layer = layer
    start = .now
  }

  /// Adds the time since ``begin(_:)`` to its layer.
  func end() { seconds[layer] += (ContinuousClock.now - start) / .seconds(1) }

  /// New timers for threads that work independently.
  func copies(_ count: Int) -> [LayerTimer] {
    (0..<count).map { _ in LayerTimer(layers: seconds.count) }
  }

  /// Adds the mean of the times of such threads.
  func add(_ others: [LayerTimer]) {
    for layer in seconds.indices {
      seconds[layer] += others.map { $0.seconds[layer] }.reduce(0, +) / Double(others.count)
    }
  }
}
