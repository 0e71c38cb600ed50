import BollyGANModel
import BollyGANPictures
import BollyGANTraining

extension TrainingRun {
  /// Passes an event of the log on to TensorBoard, as far as it has numbers.
  func passOn(_ event: LogEvent) {
    var values = event.numbers.compactMap { name, value in
      EventTags.tag(of: name, in: event.event).map {
        (tag: $0, value: EventMessage.Value.scalar(Float(value)))
      }
    }
    if event.event == "epoch", let epoch = event.epoch {
      values.append(("Progress/epoch", .scalar(Float(epoch))))
    }
    if event.event == "start" { values.append(("configuration", .text(configurationTable))) }
    record(values)
  }

  /// Shows TensorBoard a sheet of samples.
  func record(sheet: Picture, png: [UInt8]) {
    record([
      (
        "fakes",
        .picture(png: png, width: sheet.width, height: sheet.height, channels: sheet.channels)
      )
    ])
  }

  private func record(_ values: [(tag: String, value: EventMessage.Value)]) {
    guard let error = events.add(step: step, values) else { return }
    warn("\(error.path): \(error); training goes on, what TensorBoard would show waits")
  }

  private var configurationTable: String {
    let rows = parts.record.definition.described.map { name, value in
      "| \(name) | \(value.replacing("|", with: "\\|")) |"
    }
    return (["| | |", "|---|---|"] + rows).joined(separator: "\n")
  }
}

/// What figures are called in TensorBoard: as StyleGAN's are where it has the same.
enum EventTags {
  /// The tag of a number in an event of the log; nil where it is not shown.
  static func tag(of name: String, in event: String) -> String? {
    switch event {
    case "step": steps[name] ?? "Loss/\(name)"
    // Means of what every step has said.
    case "epoch": steps[name] == nil ? epochs[name] ?? "Progress/\(name)" : nil
    case "quality": name == "seconds" ? "Timing/quality_sec" : "Metrics/\(name)"
    default: nil
    }
  }

  private static let steps = [
    "loss_g": "Loss/G/loss", "loss_d": "Loss/D/loss", "d_x": "Loss/scores/real",
    "d_gz1": "Loss/scores/fake", "d_gz2": "Loss/scores/fake_after",
  ]

  private static let epochs = [
    "seconds": "Timing/sec_per_epoch", "pictures_per_second": "Timing/pictures_per_sec",
    "lr_g": "Progress/lr_g", "lr_d": "Progress/lr_d",
  ]
}
