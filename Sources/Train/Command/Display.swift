import BollyGANModel
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining
import Synchronization

/// What the user sees of a run: a progress bar on a terminal, occasional lines elsewhere, JSON with
/// `--json`.
final class Display: RunObserver {
  private let options: OutputOptions
  private var bar: ProgressBar?
  private var start = ContinuousClock.now
  private var lastLine: ContinuousClock.Instant?
  /// Images that this process has trained on.
  private var pictures = 0
  /// Steps that this process has made, including those that a rollback discarded.
  private var stepsMade = 0
  private var stepsPerEpoch = 1
  private var hasReader = true
  /// Called with every event of the run.
  var listener: ((LogEvent) -> Void)?

  init(_ options: OutputOptions) { self.options = options }

  // MARK: - Reading images

  /// A progress bar for reading the images.
  func readingProgress() -> ReadingProgress { ReadingProgress(isQuiet: options.quiet) }

  /// Summarises a data folder.
  func describe(_ set: PictureSet, from folder: String) {
    // Name skipped files, but no more than fit on a screen; the log has them all.
    let shown = 20
    for skipped in set.skipped.prefix(shown) {
      printError("skipped \(skipped.name): \(skipped.reason)")
    }
    if set.skipped.count > shown {
      printError("skipped \(set.skipped.count - shown) more, listed in \(RunFolder.logName)")
    }
    var line = "\(set.count) images in \(folder)"
    if !set.skipped.isEmpty { line += ", \(set.skipped.count) skipped" }
    if set.excluded > 0 { line += ", \(set.excluded) excluded" }
    if !set.others.isEmpty {
      line += ", \(set.others.count) other files (\(set.others[0])"
      line += set.others.count > 1 ? ", ...)" : ")"
    }
    say(line)
  }

  /// Prints remarks about a file.
  func printRemarks(_ remarks: [String], about path: String) {
    for remark in remarks { printError("\(path): \(remark)") }
  }

  // MARK: - Training

  /// Prints a line, unless `--quiet` is given.
  func say(_ line: String) {
    guard !options.quiet else { return }
    writeToStandardError(escaped(line, limit: 4096) + "\n")
  }

  /// Prepares for a run that starts or resumes.
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

  func logged(_ event: LogEvent) {
    listener?(event)
    guard options.json, hasReader else { return }
    // Training goes on even if the reader of its events has gone away.
    do { try StandardOutput.writeLine(event.json) } catch { hasReader = false }
  }

  func warned(_ message: String) {
    let line = "bollygan: warning: \(escaped(message, limit: 4096))"
    if let bar { bar.print(line) } else { writeToStandardError(line + "\n") }
  }

  private struct Pace {
    var picturesPerSecond: Double
    var secondsLeft: Double
  }

  /// The text after the bar, short enough for 80 columns.
  private static func text(_ report: StepReport, _ pace: Pace) -> String {
    let losses = report.losses
    return "\(report.epoch)/\(report.totalEpochs)"
      + " D \(fixed(losses.lossD, 2)) G \(fixed(losses.lossG, 2))"
      + " D(x) \(fixed(losses.dX, 2)) D(G(z)) \(fixed(losses.dGz1, 2))"
      + " \(fixed(pace.picturesPerSecond, 0))/s \(durationText(seconds: pace.secondsLeft)) left"
  }

  /// A line in the format of PyTorch's example, which scripts parse, followed by speed and time
  /// left.
  private func line(_ report: StepReport, _ pace: Pace) -> String {
    let losses = report.losses
    let inEpoch = (report.step - 1) % stepsPerEpoch + 1
    return "[\(report.epoch)/\(report.totalEpochs)][\(inEpoch)/\(stepsPerEpoch)]"
      + " Loss_D: \(fixed(losses.lossD, 4)) Loss_G: \(fixed(losses.lossG, 4))"
      + " D(x): \(fixed(losses.dX, 4))"
      + " D(G(z)): \(fixed(losses.dGz1, 4)) / \(fixed(losses.dGz2, 4))"
      + " (\(fixed(pace.picturesPerSecond, 1)) images/s, "
      + "\(durationText(seconds: pace.secondsLeft)) left)"
  }
}

/// A progress bar for reading images; the total is known only once reading begins.
final class ReadingProgress: Sendable {
  private let isQuiet: Bool
  private let bar = Mutex<ProgressBar?>(nil)

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func update(done: Int, total: Int) {
    bar.withLock { bar in
      if bar == nil { bar = ProgressBar(total: total, unit: "images read", isQuiet: isQuiet) }
      bar?.update(completed: done)
    }
  }

  func finish() { bar.withLock { $0?.finish() } }
}

/// A number with a fixed number of decimals, as C's `%.4f` prints it.
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
