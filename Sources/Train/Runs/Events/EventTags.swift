import BollyGANPictures

/// The tags under which TensorBoard shows a run's values. Where StyleGAN logs the same value, the
/// tag is StyleGAN's.
enum EventTags {
  /// What TensorBoard shows of an event of the log; nothing for most events.
  static func scalars(of event: LogEvent) -> [(tag: String, value: EventMessage.Value)] {
    var scalars = event.numbers.compactMap { name, value in
      tag(of: name, in: event.event).map {
        (tag: $0, value: EventMessage.Value.scalar(Float(value)))
      }
    }
    if event.event == "epoch", let epoch = event.epoch {
      scalars.append(("Progress/epoch", .scalar(Float(epoch))))
    }
    return scalars
  }

  /// A sample sheet with its encoded bytes.
  static func image(_ sheet: Picture, png: [UInt8]) -> (tag: String, value: EventMessage.Value) {
    (
      "fakes",
      .picture(png: png, width: sheet.width, height: sheet.height, channels: sheet.channels)
    )
  }

  /// All settings of a run as a Markdown table.
  static func configuration(
    _ definition: RunDefinition
  ) -> (tag: String, value: EventMessage.Value) {
    let rows = definition.described.map { name, value in
      "| \(name) | \(value.replacing("|", with: "\\|")) |"
    }
    return ("configuration", .text((["| | |", "|---|---|"] + rows).joined(separator: "\n")))
  }

  private static func tag(of name: String, in event: String) -> String? {
    switch event {
    case "step": steps[name] ?? "Loss/\(name)"
    // The means of an epoch repeat what every step has shown.
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
