internal import BollyGANMessages

/// One event of a TensorBoard event file: what happened at one moment of a run.
struct EventMessage {
  /// The value of one tag.
  enum Value {
    case scalar(Float)
    /// A whole PNG file and its size in pixels.
    case picture(png: [UInt8], width: Int, height: Int, channels: Int)
    /// Markdown.
    case text(String)
  }

  enum Content {
    /// The first event of a file.
    case version
    /// A process starts here. Steps from here on replace those of earlier files.
    case sessionStart
    case values([(tag: String, value: Value)])
  }

  /// Seconds since 1970.
  var time: Double
  var step: Int
  var content: Content

  /// The event in the wire format of `tfevents.proto`.
  func encoded() -> [UInt8] {
    let event = ProtoMessage(.event)
    event.set("wall_time", time)
    event.set("step", Int64(step))
    switch content {
    case .version: event.set("file_version", "brain.Event:2")
    case .sessionStart: event.set("session_log") { $0.set("status", choice: "START") }
    case .values(let values):
      event.set("summary") { summary in
        summary.set("value", values) { entry, message in
          message.set("tag", entry.tag)
          entry.value.fill(message)
        }
      }
    }
    return event.encoded()
  }
}

extension EventMessage.Value {
  fileprivate func fill(_ message: ProtoMessage) {
    switch self {
    case .scalar(let number): message.set("simple_value", number)
    case .picture(let png, let width, let height, let channels):
      message.set("image") { image in
        image.set("width", Int32(width))
        image.set("height", Int32(height))
        image.set("colorspace", Int32(channels))
        image.set("encoded_image_string", png)
      }
    case .text(let text):
      message.set("metadata") { metadata in
        metadata.set("plugin_data") { $0.set("plugin_name", "text") }
        metadata.set("data_class", choice: "DATA_CLASS_TENSOR")
      }
      message.set("tensor") { tensor in
        tensor.set("dtype", choice: "DT_STRING")
        // A shape without dimensions is the shape of a single value.
        tensor.set("tensor_shape") { _ in }
        tensor.set("string_val", [Array(text.utf8)])
      }
    }
  }
}
