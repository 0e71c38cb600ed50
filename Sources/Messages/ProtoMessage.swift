internal import BollyGANProto

/// A protobuf message, stored the way protobuf-c packs and unpacks it.
///
/// Fields have the names of the `.proto` files. The descriptors that protoc-c generates say where
/// a field is stored and which type it has, so the same few functions read and write every field
/// of every message. An unknown field name or the wrong type is a programming error and traps.
///
/// A message is a reference. Copies share its memory, as do the messages inside it, and any of
/// them keeps that memory alive.
@safe
package struct ProtoMessage {
  /// The messages that make up a whole file or record.
  package enum Kind {
    /// `onnx.ModelProto`.
    case onnxModel
    /// `onnx.TensorProto`.
    case onnxTensor
    /// `tfevents.Event`.
    case event

    fileprivate var descriptor: UnsafePointer<ProtobufCMessageDescriptor> {
      switch self {
      case .onnxModel:
        var message = unsafe Onnx__ModelProto()
        unsafe onnx__model_proto__init(&message)
        return unsafe message.base.descriptor
      case .onnxTensor:
        var message = unsafe Onnx__TensorProto()
        unsafe onnx__tensor_proto__init(&message)
        return unsafe message.base.descriptor
      case .event:
        var message = unsafe Tfevents__Event()
        unsafe tfevents__event__init(&message)
        return unsafe message.base.descriptor
      }
    }
  }

  private let arena: MessageArena
  /// The C struct of this message, which begins with its `ProtobufCMessage`.
  private let memory: UnsafeMutableRawPointer

  private init(_ memory: UnsafeMutableRawPointer, in arena: MessageArena) {
    self.arena = arena
    unsafe self.memory = memory
  }

  private init(empty descriptor: UnsafePointer<ProtobufCMessageDescriptor>, in arena: MessageArena)
  {
    let size = unsafe descriptor.pointee.sizeof_message
    unsafe self.init(arena.allocate(UInt8.self, count: size), in: arena)
    unsafe protobuf_c_message_init(descriptor, memory)
  }

  /// A message with no field set.
  package init(_ kind: Kind) { unsafe self.init(empty: kind.descriptor, in: MessageArena()) }

  /// Unpacks a message; nil if the bytes are malformed or need more than `limit` bytes of memory.
  package init?(_ kind: Kind, unpacking bytes: [UInt8], limit: Int) {
    let arena = MessageArena(limit: limit)
    guard let memory = unsafe arena.unpack(bytes, as: kind.descriptor) else { return nil }
    unsafe self.init(memory, in: arena)
  }

  /// The length of ``encoded()`` in bytes.
  package var encodedSize: Int {
    unsafe protobuf_c_message_get_packed_size(base)
  }

  /// The message in the wire format, fields in the order of their numbers.
  package func encoded() -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: encodedSize) { buffer, count in
      count = unsafe protobuf_c_message_pack(base, buffer.baseAddress)
    }
  }

  private var base: UnsafeMutablePointer<ProtobufCMessage> {
    unsafe memory.assumingMemoryBound(to: ProtobufCMessage.self)
  }

  private func field(_ name: String) -> Field {
    let found = unsafe protobuf_c_message_descriptor_get_field_by_name(
      base.pointee.descriptor, name)
    guard let found = unsafe found else { preconditionFailure("the message has no field \(name)") }
    return unsafe Field(description: found.pointee, message: memory)
  }
}

// MARK: - Writing

extension ProtoMessage {
  /// Sets a number.
  package func set(_ name: String, _ number: some MessageNumber) { field(name).set(number) }

  /// Sets an enumeration to the value that the `.proto` file calls `choice`.
  package func set(_ name: String, choice: String) {
    field(name).set(field(name).number(of: choice))
  }

  /// Sets a text, which must not contain a NUL.
  package func set(_ name: String, _ text: String) { unsafe field(name).set(copy(text)) }

  /// Sets a text, unless it is empty.
  package func set(_ name: String, ifAny text: String) { if !text.isEmpty { set(name, text) } }

  /// Sets bytes.
  package func set(_ name: String, _ bytes: [UInt8]) { unsafe field(name).set(copy(bytes)) }

  /// Sets a message, whose fields `fill` sets.
  package func set(_ name: String, fill: (ProtoMessage) -> Void) {
    let message = message(for: field(name))
    fill(message)
    unsafe field(name).set(message.memory)
  }

  /// Sets a repeated field of numbers.
  package func set(_ name: String, _ numbers: [some MessageNumber]) {
    store(numbers, in: field(name))
  }

  /// Sets a repeated field of texts, none with a NUL.
  package func set(_ name: String, _ texts: [String]) {
    unsafe store(texts.map { unsafe copy($0) }, in: field(name))
  }

  /// Sets a repeated field of bytes.
  package func set(_ name: String, _ items: [[UInt8]]) {
    unsafe store(items.map { unsafe copy($0) }, in: field(name))
  }

  /// Sets a repeated field of messages: one for each element, whose fields `fill` sets.
  package func set<Element>(
    _ name: String, _ elements: [Element], fill: (Element, ProtoMessage) -> Void
  ) {
    let field = field(name)
    let messages = elements.map { element in
      let message = message(for: field)
      fill(element, message)
      return message
    }
    unsafe store(messages.map { unsafe $0.memory }, in: field)
  }

  private func message(for field: Field) -> ProtoMessage {
    unsafe ProtoMessage(empty: field.messageDescriptor, in: arena)
  }

  private func store(_ elements: [some BitwiseCopyable], in field: Field) {
    unsafe field.set(copy(elements), count: elements.count)
  }

  private func copy<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
    let copy = unsafe arena.allocate(Value.self, count: values.count)
    unsafe copy.update(from: values, count: values.count)
    return unsafe copy
  }

  private func copy(_ text: String) -> CText { unsafe copy(Array(text.utf8CString)) }

  private func copy(_ bytes: [UInt8]) -> ProtobufCBinaryData {
    unsafe ProtobufCBinaryData(len: bytes.count, data: copy(bytes))
  }
}

// MARK: - Reading

extension ProtoMessage {
  /// Whether a field is set; for a repeated field, whether it has elements.
  package func isSet(_ name: String) -> Bool { field(name).isSet }

  /// A number, or nil if the field is not set.
  package func number<Number: MessageNumber>(_ name: String) -> Number? { field(name).get() }

  /// Whether an enumeration is set to the value that the `.proto` file calls `choice`.
  package func holds(_ name: String, choice: String) -> Bool {
    field(name).get() == field(name).number(of: choice)
  }

  /// A text, or an empty one if the field is not set. Invalid UTF-8 is repaired.
  package func text(_ name: String) -> String {
    unsafe field(name).get().map { unsafe string($0) } ?? ""
  }

  /// Bytes, or nil if the field is not set.
  package func bytes(_ name: String) -> [UInt8]? {
    unsafe field(name).get().map { unsafe bytes($0) }
  }

  /// A message, or nil if the field is not set.
  package func message(_ name: String) -> ProtoMessage? {
    unsafe field(name).get().map { unsafe ProtoMessage($0, in: arena) }
  }

  /// The numbers of a repeated field.
  package func numbers<Number: MessageNumber>(_ name: String) -> [Number] { field(name).elements() }

  /// The texts of a repeated field.
  package func texts(_ name: String) -> [String] {
    unsafe field(name).elements().map { unsafe string($0) }
  }

  /// The items of a repeated field of bytes.
  package func items(_ name: String) -> [[UInt8]] {
    unsafe field(name).elements().map { unsafe bytes($0) }
  }

  /// The messages of a repeated field.
  package func messages(_ name: String) -> [ProtoMessage] {
    unsafe field(name).elements().map { unsafe ProtoMessage($0, in: arena) }
  }

  private func string(_ text: CText) -> String { unsafe String(cString: text) }

  private func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
    unsafe Array(UnsafeBufferPointer(start: data.data, count: data.len))
  }
}

/// A number that protobuf-c stores in a message. An enumeration is a `UInt32`.
package protocol MessageNumber: BitwiseCopyable {}

extension Float: MessageNumber {}
extension Double: MessageNumber {}
extension Int32: MessageNumber {}
extension UInt32: MessageNumber {}
extension Int64: MessageNumber {}
extension UInt64: MessageNumber {}

/// A text that protobuf-c stores in a message: UTF-8 and a NUL.
private typealias CText = UnsafeMutablePointer<CChar>

/// One field of one message: its descriptor and its place in memory.
///
/// Beside the value, protobuf-c stores a quantifier: the element count of a repeated field, the
/// number of the field in use for a `oneof`, and 0 or 1 for other numbers and bytes. Other texts
/// and messages have no quantifier; a null pointer means that they are not set.
@safe
private struct Field {
  let description: ProtobufCFieldDescriptor
  let message: UnsafeMutableRawPointer

  private var place: UnsafeMutableRawPointer { unsafe message + Int(description.offset) }
  private var quantifier: UnsafeMutableRawPointer? {
    let offset = unsafe Int(description.quantifier_offset)
    return unsafe offset == 0 ? nil : message + offset
  }

  /// The quantifier of a field that is set.
  private var present: UInt32 {
    let flag = PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue
    return unsafe description.flags & flag == 0 ? 1 : description.id
  }

  var isSet: Bool {
    guard let quantifier = unsafe quantifier else {
      return unsafe place.load(as: UnsafeRawPointer?.self) != nil
    }
    if unsafe description.label == PROTOBUF_C_LABEL_REPEATED {
      return unsafe quantifier.load(as: Int.self) > 0
    }
    return unsafe quantifier.load(as: UInt32.self) == present
  }

  func get<Value: BitwiseCopyable>() -> Value? {
    check(Value.self, repeated: false)
    return unsafe isSet ? place.load(as: Value.self) : nil
  }

  func set<Value: BitwiseCopyable>(_ value: Value) {
    check(Value.self, repeated: false)
    unsafe quantifier?.storeBytes(of: present, as: UInt32.self)
    unsafe place.storeBytes(of: value, as: Value.self)
  }

  func elements<Value: BitwiseCopyable>() -> [Value] {
    check(Value.self, repeated: true)
    return unsafe Array(
      UnsafeBufferPointer(
        start: place.load(as: UnsafePointer<Value>?.self), count: quantifier!.load(as: Int.self)))
  }

  func set<Value: BitwiseCopyable>(_ elements: UnsafeMutablePointer<Value>, count: Int) {
    check(Value.self, repeated: true)
    unsafe quantifier!.storeBytes(of: count, as: Int.self)
    unsafe place.storeBytes(of: elements, as: UnsafeMutablePointer<Value>.self)
  }

  /// The descriptor of the message in this field.
  var messageDescriptor: UnsafePointer<ProtobufCMessageDescriptor> {
    unsafe check(UnsafeMutableRawPointer.self)
    return unsafe description.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
  }

  /// The number of a value of this field's enumeration.
  func number(of choice: String) -> UInt32 {
    check(UInt32.self)
    let choices = unsafe description.descriptor.assumingMemoryBound(
      to: ProtobufCEnumDescriptor.self)
    guard let value = unsafe protobuf_c_enum_descriptor_get_value_by_name(choices, choice) else {
      preconditionFailure("the enumeration has no value \(choice)")
    }
    return unsafe UInt32(value.pointee.value)
  }

  /// Traps unless protobuf-c stores the values of this field as `Value`.
  private func check<Value>(_ type: Value.Type, repeated: Bool? = nil) {
    let stored: Any.Type? =
      switch unsafe description.type {
      case PROTOBUF_C_TYPE_FLOAT: Float.self
      case PROTOBUF_C_TYPE_DOUBLE: Double.self
      case PROTOBUF_C_TYPE_INT32: Int32.self
      case PROTOBUF_C_TYPE_ENUM: UInt32.self
      case PROTOBUF_C_TYPE_INT64: Int64.self
      case PROTOBUF_C_TYPE_UINT64: UInt64.self
      case PROTOBUF_C_TYPE_STRING: unsafe CText.self
      case PROTOBUF_C_TYPE_BYTES: unsafe ProtobufCBinaryData.self
      case PROTOBUF_C_TYPE_MESSAGE: unsafe UnsafeMutableRawPointer.self
      default: nil
      }
    let isRepeated = unsafe description.label == PROTOBUF_C_LABEL_REPEATED
    precondition(
      type == stored && repeated ?? isRepeated == isRepeated,
      "field \(unsafe String(cString: description.name)) does not hold \(type)")
  }
}
