internal import BollyGANMessages
internal import BollyGANProto
import BollyGANTraining

/// One event of TensorBoard's: the only file that touches protobuf-c.
struct EventMessage {
  /// What a tag has at one moment.
  enum Value {
    case scalar(Float)
    /// A whole PNG file and its size in pixels.
    case picture(png: [UInt8], width: Int, height: Int, channels: Int)
    /// Markdown.
    case text(String)
  }

  enum Content {
    /// What a file begins with.
    case version
    /// A process begins here to make steps anew.
    case sessionStart
    case values([(tag: String, value: Value)])
  }

  /// Seconds since 1970.
  var time: Double
  var step: Int
  var content: Content

  func encoded() -> [UInt8] {
    var arena = MessageArena()
    let event = unsafe arena.message(tfevents__event__init)
    unsafe event.pointee.has_wall_time = 1
    unsafe event.pointee.wall_time = time
    unsafe event.pointee.has_step = 1
    unsafe event.pointee.step = Int64(step)
    switch content {
    case .version:
      unsafe event.pointee.what_case = TFEVENTS__EVENT__WHAT_FILE_VERSION
      unsafe event.pointee.file_version = arena.copy("brain.Event:2")
    case .sessionStart:
      let session = unsafe arena.message(tfevents__session_log__init)
      unsafe session.pointee.has_status = 1
      unsafe session.pointee.status = TFEVENTS__SESSION_LOG__SESSION_STATUS__START
      unsafe event.pointee.what_case = TFEVENTS__EVENT__WHAT_SESSION_LOG
      unsafe event.pointee.session_log = unsafe session
    case .values(let values):
      let summary = unsafe arena.message(tfevents__summary__init)
      let messages = unsafe values.map { unsafe Optional(arena.value(tag: $0, $1)) }
      unsafe summary.pointee.n_value = unsafe messages.count
      unsafe summary.pointee.value = arena.array(messages)
      unsafe event.pointee.what_case = TFEVENTS__EVENT__WHAT_SUMMARY
      unsafe event.pointee.summary = unsafe summary
    }
    return unsafe [UInt8](
      unsafeUninitializedCapacity: tfevents__event__get_packed_size(event)
    ) { buffer, count in
      count = unsafe tfevents__event__pack(event, buffer.baseAddress)
    }
  }
}

extension MessageArena {
  fileprivate mutating func value(
    tag: String, _ value: EventMessage.Value
  ) -> UnsafeMutablePointer<Tfevents__Summary__Value> {
    let message = unsafe self.message(tfevents__summary__value__init)
    unsafe message.pointee.tag = copy(tag)
    switch value {
    case .scalar(let number):
      unsafe message.pointee.value_case = TFEVENTS__SUMMARY__VALUE__VALUE_SIMPLE_VALUE
      unsafe message.pointee.simple_value = number
    case .picture(let png, let width, let height, let channels):
      let image = unsafe self.message(tfevents__summary__image__init)
      unsafe image.pointee.has_width = 1
      unsafe image.pointee.width = Int32(width)
      unsafe image.pointee.has_height = 1
      unsafe image.pointee.height = Int32(height)
      unsafe image.pointee.has_colorspace = 1
      unsafe image.pointee.colorspace = Int32(channels)
      unsafe image.pointee.has_encoded_image_string = 1
      unsafe image.pointee.encoded_image_string = copy(png)
      unsafe message.pointee.value_case = TFEVENTS__SUMMARY__VALUE__VALUE_IMAGE
      unsafe message.pointee.image = unsafe image
    case .text(let text):
      let tensor = unsafe self.message(tfevents__tensor_proto__init)
      unsafe tensor.pointee.has_dtype = 1
      unsafe tensor.pointee.dtype = TFEVENTS__DATA_TYPE__DT_STRING
      // A shape without dimensions is that of one value.
      unsafe tensor.pointee.tensor_shape = self.message(tfevents__tensor_shape_proto__init)
      unsafe tensor.pointee.n_string_val = 1
      unsafe tensor.pointee.string_val = array([copy(Array(text.utf8))])
      let plugin = unsafe self.message(tfevents__summary_metadata__plugin_data__init)
      unsafe plugin.pointee.plugin_name = copy("text")
      let metadata = unsafe self.message(tfevents__summary_metadata__init)
      unsafe metadata.pointee.plugin_data = unsafe plugin
      unsafe metadata.pointee.has_data_class = 1
      unsafe metadata.pointee.data_class = TFEVENTS__DATA_CLASS__DATA_CLASS_TENSOR
      unsafe message.pointee.metadata = unsafe metadata
      unsafe message.pointee.value_case = TFEVENTS__SUMMARY__VALUE__VALUE_TENSOR
      unsafe message.pointee.tensor = unsafe tensor
    }
    return unsafe message
  }
}
