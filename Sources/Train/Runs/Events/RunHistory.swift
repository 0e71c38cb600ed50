/// The course of a run so far, as its log tells it: what the report and the run list show.
///
/// It grows with the run, event by event, but its size is bounded. Steps become curves that are as
/// wide as a screen; of all other events, the first and the latest are kept.
package struct RunHistory: Equatable, Sendable {
  /// The state of a run according to its log. Only its lock tells whether a process still trains.
  package enum Phase: String, Sendable {
    /// Training, or killed while training.
    case underWay
    case finished
    case stopped
    case diverged
  }

  /// Curves by name, in the order in which they first appeared.
  package struct Curves: Equatable, Sendable {
    package private(set) var names: [String] = []
    private var curves: [String: Curve] = [:]

    package subscript(name: String) -> Curve? { curves[name] }

    mutating func add(_ name: String, step: Int, _ value: Double) {
      if curves[name] == nil {
        // A log with a new name on every line must not fill the memory.
        guard names.count < 100 else { return }
        names.append(name)
      }
      curves[name, default: Curve()].add(step: step, value)
    }

    mutating func truncate(after step: Int) {
      for name in names { curves[name]?.truncate(after: step) }
    }
  }

  /// Losses and scores of every step. Steps made.
  package private(set) var steps = Curves()
  /// Means and times of every epoch, at its last step.
  package private(set) var epochs = Curves()
  /// Quality metrics, at the step of each measurement.
  package private(set) var quality = Curves()
  /// The divergence guard's view of the sample images.
  package private(set) var inspections = Curves()
  /// Quality metrics of real images, by name.
  package private(set) var reference: [String: Double] = [:]
  /// Learning rates, wherever an event names them.
  package private(set) var rates = Curves()
  /// Every event that is not a measurement: starts and ends, warnings, rollbacks, unknown events.
  package private(set) var timeline: [LogEvent] = []
  /// Events of the timeline that were dropped from its middle.
  package private(set) var omitted = 0
  /// Lines that could not be read.
  package private(set) var unreadable = 0
  /// What the last start, end, stop or failure says.
  package private(set) var phase = Phase.underWay
  package private(set) var step = 0
  /// The latest epoch, counted from 1; 0 before the first event.
  package private(set) var epoch = 0
  /// Batches per epoch, according to the log.
  package private(set) var stepsPerEpoch: Int?
  /// The last step of each completed epoch, by epoch. Very long runs keep only the latest ones.
  package private(set) var epochEnds: [Int: Int] = [:]

  package init() {}

  /// Reads a whole log. Bytes after the last line break are still being written and are ignored.
  package init(log bytes: [UInt8]) {
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      add(line: bytes[start..<end])
      start = end + 1
    }
  }

  /// Adds a line, without its line break.
  package mutating func add(line: some Collection<UInt8>) {
    guard let event = LogEvent(line: line) else {
      if !line.allSatisfy({ [0x20, 0x09, 0x0D].contains($0) }) { unreadable += 1 }
      return
    }
    add(event)
  }

  /// Adds an event.
  package mutating func add(_ event: LogEvent) {
    let now = event.step ?? step
    guard now >= 0 else { return }
    if now < step || event.event == "step" && event.step == step {
      // The run returned to an earlier step and repeats the later ones.
      let kept = event.event == "step" ? now - 1 : now
      steps.truncate(after: kept)
      epochs.truncate(after: kept)
      quality.truncate(after: kept)
      inspections.truncate(after: kept)
      rates.truncate(after: kept)
      epochEnds = epochEnds.filter { $0.value <= kept }
    }
    step = now
    epoch = event.epoch ?? epoch
    for (key, value) in event.numbers where key == "lr" || key.hasPrefix("lr_") {
      rates.add(key, step: now, value)
    }
    func record(in curves: inout Curves) {
      for (key, value) in event.numbers where key != "lr" && !key.hasPrefix("lr_") {
        curves.add(key, step: now, value)
      }
    }
    switch event.event {
    case "step":
      record(in: &steps)
      phase = .underWay
    case "look": record(in: &inspections)
    case "quality_reference":
      for (key, value) in event.numbers { reference[key] = value }
    case "epoch":
      record(in: &epochs)
      if epochEnds.count > 100_000 { epochEnds.removeAll() }
      epochEnds[epoch] = now
    case "quality":
      for (key, value) in event.numbers where key != "seconds" {
        quality.add(key, step: now, value)
      }
    // Each checkpoint replaces the one before, and the start event counts the files.
    case "checkpoint", "skipped", "remark": break
    default: addToTimeline(event)
    }
  }

  private mutating func addToTimeline(_ event: LogEvent) {
    switch event.event {
    case "start", "resume", "rollback": phase = .underWay
    case "end": phase = .finished
    case "stop": phase = .stopped
    case "diverged": phase = .diverged
    default: break
    }
    if let steps = event.number("steps_per_epoch").flatMap(Int.init(exactly:)), steps > 0 {
      stepsPerEpoch = steps
    }
    timeline.append(event)
    // The first events say what the run is, the last ones where it stands.
    if timeline.count > Self.timelineLimit {
      timeline.remove(at: Self.timelineLimit / 2)
      omitted += 1
    }
  }

  /// Events that the timeline keeps.
  private static let timelineLimit = 200
}
