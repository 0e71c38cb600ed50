internal import BollyGANProto

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The memory of one tree of messages, freed all at once.
///
/// protobuf-c allocates from an arena too when it unpacks a file. Since a small file can describe
/// a large message (a field of two bytes can become a struct of a hundred), an arena has a limit,
/// which the reader sets before unpacking.
@safe
final class MessageArena {
  /// Bytes charged for each block besides its own size: the bookkeeping of `malloc`.
  private static let overhead = 16

  /// The bytes charged for each block.
  private var blocks: [UnsafeMutableRawPointer: Int] = unsafe [:]
  private var bytesLeft: Int

  init(limit: Int = .max) { bytesLeft = limit }

  /// Uninitialised memory for `count` values, valid while the arena lives.
  ///
  /// Traps if no memory is left.
  func allocate<Value>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
    let size = MemoryLayout<Value>.stride * max(count, 1)
    return unsafe allocate(bytes: size)!.bindMemory(to: type, capacity: count)
  }

  /// A block aligned for every C type; nil if it would exceed the limit.
  func allocate(bytes: Int) -> UnsafeMutableRawPointer? {
    let (cost, overflow) = bytes.addingReportingOverflow(Self.overhead)
    guard !overflow, cost <= bytesLeft, let block = unsafe malloc(max(bytes, 1))
    else { return nil }
    bytesLeft -= cost
    unsafe blocks[block] = cost
    return unsafe block
  }

  private func release(_ block: UnsafeMutableRawPointer?) {
    guard let block = unsafe block, let cost = unsafe blocks.removeValue(forKey: block) else {
      return
    }
    bytesLeft += cost
    unsafe free(block)
  }

  /// The arena that ``unpack(_:as:)`` gave to protobuf-c.
  private static func from(_ context: UnsafeMutableRawPointer?) -> MessageArena {
    unsafe Unmanaged.fromOpaque(context!).takeUnretainedValue()
  }

  /// Unpacks a message into this arena; nil if the bytes are malformed or exceed the limit.
  func unpack(
    _ bytes: [UInt8], as descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  ) -> UnsafeMutableRawPointer? {
    var allocator = unsafe ProtobufCAllocator(
      alloc: { unsafe MessageArena.from($0).allocate(bytes: $1) },
      free: { unsafe MessageArena.from($0).release($1) },
      allocator_data: Unmanaged.passUnretained(self).toOpaque())
    return unsafe UnsafeMutableRawPointer(
      protobuf_c_message_unpack(descriptor, &allocator, bytes.count, bytes))
  }

  deinit { unsafe blocks.keys.forEach { unsafe free($0) } }
}
