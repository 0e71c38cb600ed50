import BollyGANModel
import BollyGANTraining

/// Everything that a run reports, and with it every line that a log can contain.
///
/// An event goes to the log, the history that the report shows, TensorBoard and the observer.
enum RunEvent {
  case start(
    recipe: String, seed: Int64, pictures: Int, heldOut: Int, skipped: Int, stepsPerEpoch: Int,
    rates: LearningRates, options: RunOptions)
  /// A file of the data folder that could not be used.
  case skipped(FolderListing.Skipped)
  /// A file that was used although something about it is odd.
  case remark(PictureSet.Remark)
  case resume(
    checkpoint: String, stepsPerEpoch: Int, rates: LearningRates, options: RunOptions,
    rollbacks: Rollbacks)
  case step(StepLosses)
  /// The divergence guard's view of the sample images.
  case inspection(DivergenceGuard.SampleInspection)
  /// Means over the steps of an epoch, in the order of ``StepLosses/names``.
  case epoch(means: [Double], rates: LearningRates, seconds: Double, picturesPerSecond: Double)
  /// The quality of real images, to compare the following measurements with.
  case qualityReference(QualityMetrics, pictures: Int, heldOut: Int)
  case quality(QualityMetrics, sides: [Int], isBest: Bool, seconds: Double)
  case checkpoint(file: String, seconds: Double)
  case rollback(Divergence, rollbacks: Rollbacks)
  case warning(String)
  /// The user asked the run to stop.
  case stop
  /// The run reached its end.
  case end
  case diverged(Divergence)

  /// The learning rates of both networks.
  struct LearningRates {
    var generator: Double
    var discriminator: Double
  }
}

extension RunEvent {
  /// The event as it is logged after `step` steps.
  func logged(step: Int, epoch: Int) -> LogEvent {
    LogEvent(name, step: step, epoch: epoch, fields)
  }

  private var name: String {
    switch self {
    case .start: "start"
    case .skipped: "skipped"
    case .remark: "remark"
    case .resume: "resume"
    case .step: "step"
    case .inspection: "look"
    case .epoch: "epoch"
    case .qualityReference: "quality_reference"
    case .quality: "quality"
    case .checkpoint: "checkpoint"
    case .rollback: "rollback"
    case .warning: "warning"
    case .stop: "stop"
    case .end: "end"
    case .diverged: "diverged"
    }
  }

  /// The values of the event. Their names and order are a file format.
  private var fields: [LogEvent.Field] {
    switch self {
    case .start(
      let recipe, let seed, let pictures, let heldOut, let skipped, let stepsPerEpoch, let rates,
      let options):
      return [
        .init("schema", LogEvent.schema), .init("version", bollyganVersion),
        .init("recipe", recipe), .init("seed", Int(seed)), .init("pictures", pictures),
      ] + (heldOut > 0 ? [.init("held_out", heldOut)] : []) + [
        .init("skipped", skipped), .init("steps_per_epoch", stepsPerEpoch),
      ] + rates.fields + options.fields
    case .skipped(let file): return [.init("file", "\(file.name)"), .init("reason", file.reason)]
    case .remark(let remark): return [.init("file", "\(remark.name)"), .init("text", remark.text)]
    case .resume(let checkpoint, let stepsPerEpoch, let rates, let options, let rollbacks):
      return [
        .init("schema", LogEvent.schema), .init("file", checkpoint),
        .init("steps_per_epoch", stepsPerEpoch),
      ] + rates.fields + [.init("version", bollyganVersion)] + options.fields
        + (rollbacks.count > 0 ? rollbacks.fields : [])
    case .step(let losses):
      let optional = [
        ("r1", losses.r1), ("grad_d", losses.gradientD), ("grad_g", losses.gradientG),
      ]
      return losses.named.map { .init($0.name, $0.value) }
        + optional.compactMap { name, value in value.map { .init(name, $0) } }
    case .inspection(let inspection):
      return [.init("spread", inspection.spread), .init("saturated", inspection.saturated)]
    case .epoch(let means, let rates, let seconds, let picturesPerSecond):
      return zip(StepLosses.names, means).map { .init($0, $1) } + rates.fields + [
        .init("seconds", seconds), .init("pictures_per_second", picturesPerSecond),
      ]
    case .qualityReference(let metrics, let pictures, let heldOut):
      return [.init("pictures", pictures), .init("held_out", heldOut)]
        + (heldOut > 0 ? [.init("swd_data", QualityMetrics.mean(metrics.toData))] : [])
        + metrics.commonFields
    case .quality(let metrics, let sides, let isBest, let seconds):
      var fields: [LogEvent.Field] = []
      if let toHeldOut = metrics.toHeldOut {
        fields.append(.init("swd_holdout", QualityMetrics.mean(toHeldOut)))
      }
      fields.append(.init("swd_data", QualityMetrics.mean(metrics.toData)))
      for (side, value) in zip(sides, metrics.toHeldOut ?? metrics.toData) {
        fields.append(.init("levels_\(side)", value))
      }
      return fields + metrics.commonFields + [
        .init("best", isBest), .init("seconds", seconds),
      ]
    case .checkpoint(let file, let seconds):
      return [.init("file", file), .init("seconds", seconds)]
    case .rollback(let divergence, let rollbacks):
      return [
        .init("diagnosis", divergence.diagnosis.rawValue), .init("finding", divergence.finding),
        .init("found_at", divergence.step),
      ] + rollbacks.fields
    case .warning(let message): return [.init("message", message)]
    case .stop, .end: return []
    case .diverged(let divergence):
      return [
        .init("diagnosis", divergence.diagnosis.rawValue), .init("finding", divergence.finding),
        .init("advice", divergence.advice),
      ]
    }
  }
}

extension RunEvent.LearningRates {
  fileprivate var fields: [LogEvent.Field] {
    [.init("lr_g", generator), .init("lr_d", discriminator)]
  }
}

extension RunOptions {
  fileprivate var fields: [LogEvent.Field] {
    [.init("engine", engine), .init("kernels", kernels), .init("threads", threads)]
  }
}

extension Rollbacks {
  fileprivate var fields: [LogEvent.Field] {
    [.init("rollbacks", count), .init("rate_factor", rateFactor)]
  }
}

extension QualityMetrics {
  fileprivate var commonFields: [LogEvent.Field] {
    [
      .init("ssim", similarity), .init("nearest", copies.nearest), .init("copies", copies.share),
    ]
  }
}

extension StepLosses {
  /// The names of the losses and scores in the log.
  static let names = ["loss_d", "loss_g", "d_x", "d_gz1", "d_gz2"]

  /// The losses and scores with those names.
  var named: [(name: String, value: Double)] {
    Array(zip(Self.names, [lossD, lossG, dX, dGz1, dGz2]).map { (name: $0, value: $1) })
  }
}
