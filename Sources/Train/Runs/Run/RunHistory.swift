import BollyGANTraining

/// What a log says of its run so far, as far as people look at it.
///
/// It grows with the run, line by line, and its size is bounded: steps become curves of a screen's
/// width, and of other events the first and the latest are kept.
package struct RunHistory: Equatable, Sendable {
  /// Where a run stands, by its log alone; only its lock tells whether a process still trains.
  package enum Phase: String, Sendable {
    /// Steps are made, or were until the process was killed.
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
        // Whoever writes a name of its own into every line shall not fill our memory.
        guard names.count < 100 else { return }
        names.append(name)
      }
      curves[name, default: Curve()].add(step: step, value)
    }

    mutating func cut(behind step: Int) {
      for name in names { curves[name]?.cut(behind: step) }
    }
  }

  /// Figures of every step.
  package private(set) var steps = Curves()
  /// Means and times of every epoch, over its last step.
  package private(set) var epochs = Curves()
  /// What measuring the pictures gave (`quality`), over the step of each measurement.
  package private(set) var quality = Curves()
  /// What the guard saw of the fixed latents' pictures (`look`).
  package private(set) var looks = Curves()
  /// What real pictures come to where quality is measured (`quality_reference`), by name.
  package private(set) var reference: [String: Double] = [:]
  /// Learning rates, where they were said.
  package private(set) var rates = Curves()
  /// All that is no figure: beginnings and ends, warnings, what the guard did, what nobody foresaw.
  package private(set) var story: [LogEvent] = []
  /// Events of the story that are not kept.
  package private(set) var untold = 0
  /// Lines that could not be read.
  package private(set) var unreadable = 0
  package private(set) var phase = Phase.underWay
  package private(set) var step = 0
  package private(set) var epoch = 0
  /// Batches in an epoch, as the log says.
  package private(set) var stepsPerEpoch: Int?
  /// The last step of each epoch that was ended, the latest ones; by epoch.
  package private(set) var epochEnds: [Int: Int] = [:]

  package init() {}

  /// Reads a whole log; what stands behind its last end of line is still being written.
  package init(log bytes: [UInt8]) {
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      add(line: bytes[start..<end])
      start = end + 1
    }
  }

  /// Takes in a line without its end.
  package mutating func add(line: some Collection<UInt8>) {
    guard let event = LogEvent(line: line) else {
      if !line.allSatisfy({ [0x20, 0x09, 0x0D].contains($0) }) { unreadable += 1 }
      return
    }
    add(event)
  }

  /// Takes in an event.
  package mutating func add(_ event: LogEvent) {
    let now = event.step ?? step
    guard now >= 0 else { return }
    if now < step || event.event == "step" && event.step == step {
      // The run went back to an earlier step and makes the later ones again.
      let kept = event.event == "step" ? now - 1 : now
      steps.cut(behind: kept)
      epochs.cut(behind: kept)
      quality.cut(behind: kept)
      looks.cut(behind: kept)
      rates.cut(behind: kept)
      epochEnds = epochEnds.filter { $0.value <= kept }
    }
    step = now
    epoch = event.epoch ?? epoch
    for (key, value) in event.numbers where key == "lr" || key.hasPrefix("lr_") {
      rates.add(key, step: now, value)
    }
    func take(_ figures: inout Curves) {
      for (key, value) in event.numbers where key != "lr" && !key.hasPrefix("lr_") {
        figures.add(key, step: now, value)
      }
    }
    switch event.event {
    case "step":
      take(&steps)
      phase = .underWay
    case "look": take(&looks)
    case "quality_reference":
      for (key, value) in event.numbers { reference[key] = value }
    case "epoch":
      take(&epochs)
      if epochEnds.count > 100_000 { epochEnds.removeAll() }
      epochEnds[epoch] = now
    case "quality":
      for (key, value) in event.numbers where key != "seconds" {
        quality.add(key, step: now, value)
      }
    // Each checkpoint is replaced by the next, and files are counted where the run begins.
    case "checkpoint", "skipped", "remark": break
    default: tell(event)
    }
  }

  private mutating func tell(_ event: LogEvent) {
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
    story.append(event)
    // The beginning says what the run is, the end where it stands.
    if story.count > Self.storyLimit {
      story.remove(at: Self.storyLimit / 2)
      untold += 1
    }
  }

  /// Events that are kept to be told.
  private static let storyLimit = 200
}
