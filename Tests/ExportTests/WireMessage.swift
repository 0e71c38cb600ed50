/// Writes protobuf's wire format field by field, valid or not.
struct WireMessage {
  private(set) var bytes: [UInt8] = []

  init(_ build: (inout WireMessage) -> Void = { _ in }) { build(&self) }

  static func varint(_ value: UInt64) -> [UInt8] {
    var value = value
    var bytes: [UInt8] = []
    while value >= 0x80 {
      bytes.append(UInt8(value & 0x7F) | 0x80)
      value >>= 7
    }
    return bytes + [UInt8(value)]
  }

  mutating func tag(_ number: Int, wire: Int) {
    bytes += Self.varint(UInt64(number << 3 | wire))
  }

  mutating func number(_ field: Int, _ value: UInt64) {
    tag(field, wire: 0)
    bytes += Self.varint(value)
  }

  mutating func block(_ field: Int, _ content: [UInt8]) {
    tag(field, wire: 2)
    bytes += Self.varint(UInt64(content.count))
    bytes += content
  }

  mutating func text(_ field: Int, _ text: String) { block(field, Array(text.utf8)) }

  mutating func message(_ field: Int, _ build: (inout WireMessage) -> Void) {
    block(field, WireMessage(build).bytes)
  }

  mutating func raw(_ bytes: [UInt8]) { self.bytes += bytes }
}
