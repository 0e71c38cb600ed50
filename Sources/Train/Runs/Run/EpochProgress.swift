import BollyGANTraining

/// The epoch in progress.
struct EpochProgress {
  /// Counted from 1.
  var number: Int
  /// Batches done.
  var position = 0
  /// The images in this epoch's order; empty if the epoch has not begun.
  var order: [Int] = []
  /// Sums over the steps of this epoch, in the order of ``StepLosses/names``.
  var sums = [Double](repeating: 0, count: StepLosses.names.count)

  /// When this process began to work on the epoch, and the images it has trained on since.
  private var start = ContinuousClock.now
  private var pictures = 0

  init(number: Int = 1) { self.number = number }

  var seconds: Double { BollyGANRuns.seconds(since: start) }
  var picturesPerSecond: Double { Double(pictures) / max(seconds, 1e-9) }

  mutating func add(_ losses: StepLosses, pictures: Int) {
    position += 1
    for (index, value) in losses.named.map(\.value).enumerated() { sums[index] += value }
    self.pictures += pictures
  }

  /// Restarts the measurement of speed.
  mutating func restartClock() {
    start = .now
    pictures = 0
  }
}

func seconds(since start: ContinuousClock.Instant) -> Double {
  (ContinuousClock.now - start) / .seconds(1)
}
