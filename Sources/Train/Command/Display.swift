import BollyGANModel
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining
import Synchronization

/// What a user sees of a run: a bar on a terminal, now and then a line elsewhere, JSON on demand.
final class Display: RunObserver {
  private let options: OutputOptions
  private var bar: ProgressBar?
  private var start = ContinuousClock.now
  private var lastLine: ContinuousClock.Instant?
  /// Pictures that this process has trained on.
  private var pictures = 0
  /// Steps that this process has made; more than the run has come further, where it went back.
  private var stepsMade = 0
  private var stepsPerEpoch = 1
  private var hasReader = true
  /// Told of each line of the log.
  var listener: ((LogLine) -> Void)?

  init(_ options: OutputOptions) { self.options = options }

  // MARK: - Reading pictures

  /// Shows how far the reading of pictures is, where that takes a while.
  func readingProgress() -> ReadingProgress { ReadingProgress(isQuiet: options.quiet) }

  /// Says what was found in a data folder.
  func say(_ set: PictureSet, from folder: String) {
    // Each by name, but no more than a screen can hold; the log has them all.
    let shown = 20
    for skipped in set.skipped.prefix(shown) {
      printError("skipped \(skipped.name): \(skipped.reason)")
    }
    if set.skipped.count > shown {
      printError("skipped \(set.skipped.count - shown) more; \(RunFolder.logName) names them")
    }
    var line = "\(set.count) pictures in \(folder)"
    if !set.skipped.isEmpty { line += ", \(set.skipped.count) skipped" }
    if set.excluded > 0 { line += ", \(set.excluded) left out" }
    if !set.others.isEmpty {
      line += ", \(set.others.count) other files (\(set.others[0])"
      line += set.others.count > 1 ? ", ...)" : ")"
    }
    say(line)
  }

  /// Says what was noticed about a file.
  func say(_ notes: [String], about path: String) {
    for note in notes { printError("\(path): \(note)") }
  }

  // MARK: - Training

  /// A line for the user, unless silence was asked for.
  func say(_ line: String) {
    guard !options.quiet else { return }
    writeToStandardError(escaped(line, limit: 4096) + "\n")
  }

  /// Training begins, or goes on.
  func begin(_ run: TrainingRun) {
    start = .now
    stepsMade = 0
    stepsPerEpoch = run.stepsPerEpoch
    bar = ProgressBar(total: run.totalSteps, unit: "steps", isQuiet: options.quiet)
  }

  func finish() { bar?.finish() }

  func madeStep(_ report: StepReport) {
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    pictures += report.pictures
    stepsMade += 1
    let secondsAStep = elapsed / Double(stepsMade)
    let pace = Pace(
      picturesPerSecond: Double(pictures) / max(elapsed, 1e-9),
      secondsLeft: secondsAStep * Double(report.totalSteps - report.step))
    bar?.update(completed: report.step, text: Self.text(report, pace))
    guard bar?.isEnabled != true, !options.quiet else { return }
    let now = ContinuousClock.now
    let isDue = lastLine.map { now - $0 >= .seconds(options.reportEvery) } ?? true
    guard isDue || report.step == report.totalSteps else { return }
    lastLine = now
    writeToStandardError(line(report, pace) + "\n")
  }

  func logged(_ line: LogLine) {
    listener?(line)
    guard options.json, hasReader else { return }
    // Hours of training are not given up because somebody stopped looking.
    do { try StandardOutput.writeLine(line.text) } catch { hasReader = false }
  }

  func warned(_ message: String) {
    let line = "bollygan: warning: \(escaped(message, limit: 4096))"
    if let bar { bar.print(line) } else { writeToStandardError(line + "\n") }
  }

  private struct Pace {
    var picturesPerSecond: Double
    var secondsLeft: Double
  }

  /// What stands beside the bar, short enough for 80 columns.
  private static func text(_ report: StepReport, _ pace: Pace) -> String {
    let losses = report.losses
    return "\(report.epoch)/\(report.totalEpochs)"
      + " D \(fixed(losses.lossD, 2)) G \(fixed(losses.lossG, 2))"
      + " D(x) \(fixed(losses.dX, 2)) D(G(z)) \(fixed(losses.dGz1, 2))"
      + " \(fixed(pace.picturesPerSecond, 0))/s \(durationText(seconds: pace.secondsLeft)) left"
  }

  /// The line of PyTorch's example, which people's scripts know, with speed and time behind it.
  private func line(_ report: StepReport, _ pace: Pace) -> String {
    let losses = report.losses
    let inEpoch = (report.step - 1) % stepsPerEpoch + 1
    return "[\(report.epoch)/\(report.totalEpochs)][\(inEpoch)/\(stepsPerEpoch)]"
      + " Loss_D: \(fixed(losses.lossD, 4)) Loss_G: \(fixed(losses.lossG, 4))"
      + " D(x): \(fixed(losses.dX, 4))"
      + " D(G(z)): \(fixed(losses.dGz1, 4)) / \(fixed(losses.dGz2, 4))"
      + " (\(fixed(pace.picturesPerSecond, 1)) pictures/s, "
      + "\(durationText(seconds: pace.secondsLeft)) left)"
  }
}

/// A bar that learns how much there is to read only when reading begins.
final class ReadingProgress: Sendable {
  private let isQuiet: Bool
  private let bar = Mutex<ProgressBar?>(nil)

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func update(done: Int, total: Int) {
    bar.withLock { bar in
      if bar == nil { bar = ProgressBar(total: total, unit: "pictures read", isQuiet: isQuiet) }
      bar?.update(completed: done)
    }
  }

  func finish() { bar.withLock { $0?.finish() } }
}

/// A number with the given digits behind the point, as C's `%.4f` writes it.
func fixed(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let scaled = Int64((abs(value) * scale).rounded())
  let text = String(scaled)
  let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
  let sign = value < 0 && scaled != 0 ? "-" : ""
  guard digits > 0 else { return sign + padded }
  return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
}
