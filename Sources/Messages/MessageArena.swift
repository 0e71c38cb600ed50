package import BollyGANProto

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory for one message tree: everything taken from an arena is freed together.
@safe
package struct MessageArena: ~Copyable {
  private var blocks: [UnsafeMutableRawPointer] = unsafe []

  package init() {}

  /// Memory for `count` values of a C type, set to zero bytes; valid while the arena lives.
  private mutating func block<T>(of type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
    // calloc refuses a product that overflows; a null here is the machine out of memory.
    let memory = unsafe calloc(max(count, 1), MemoryLayout<T>.stride)!
    unsafe blocks.append(memory)
    return unsafe memory.bindMemory(to: type, capacity: max(count, 1))
  }

  /// An empty message, made by the generated `initialize`, then filled in by `fill`.
  package mutating func message<Message>(
    _ initialize: (UnsafeMutablePointer<Message>?) -> Void
  ) -> UnsafeMutablePointer<Message> {
    let message = unsafe block(of: Message.self, count: 1)
    unsafe initialize(message)
    return unsafe message
  }

  /// A C array of the elements; valid while the arena lives.
  package mutating func array<T>(_ elements: [T]) -> UnsafeMutablePointer<T> {
    let array = unsafe block(of: T.self, count: elements.count)
    for (index, element) in elements.enumerated() {
      unsafe (array + index).initialize(to: element)
    }
    return unsafe array
  }

  /// A NUL-terminated copy of `text`, valid while the arena lives.
  package mutating func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
    unsafe array(text.utf8CString.map { $0 })
  }

  /// A copy of `text`, or null for an empty one, which leaves its field out.
  package mutating func copyIfAny(_ text: String) -> UnsafeMutablePointer<CChar>? {
    if text.isEmpty { return nil }
    return unsafe copy(text)
  }

  /// A copy of `bytes`, valid while the arena lives.
  package mutating func copy(_ bytes: [UInt8]) -> ProtobufCBinaryData {
    let copy = unsafe block(of: UInt8.self, count: bytes.count)
    unsafe bytes.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { unsafe copy.update(from: base, count: source.count) }
    }
    return unsafe ProtobufCBinaryData(len: bytes.count, data: copy)
  }

  deinit { unsafe blocks.forEach { unsafe free($0) } }
}
