internal import BollyGANProto

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An allocator for protobuf-c that stops giving when a budget is spent.
///
/// Small files can describe large messages (a field of two bytes becomes a struct of a hundred), so
/// what a file may cost is fixed before it is unpacked.
@safe
struct UnpackBudget: ~Copyable {
  /// Bytes in front of each block that say how large it is; keeps blocks aligned.
  private static var header: Int { 16 }

  private let remaining: UnsafeMutablePointer<Int>
  private let allocator: UnsafeMutablePointer<ProtobufCAllocator>

  /// A budget of so many bytes.
  init(bytes: Int) {
    unsafe remaining = .allocate(capacity: 1)
    unsafe remaining.initialize(to: bytes)
    unsafe allocator = .allocate(capacity: 1)
    unsafe allocator.initialize(
      to: ProtobufCAllocator(
        alloc: { context, size in
          let remaining = unsafe context!.assumingMemoryBound(to: Int.self)
          let (cost, overflow) = size.addingReportingOverflow(UnpackBudget.header)
          guard !overflow, unsafe cost <= remaining.pointee, let block = unsafe malloc(cost) else {
            return nil
          }
          unsafe remaining.pointee -= cost
          unsafe block.storeBytes(of: cost, as: Int.self)
          return unsafe block + UnpackBudget.header
        },
        free: { context, pointer in
          guard let pointer = unsafe pointer else { return }
          let block = unsafe pointer - UnpackBudget.header
          let cost = unsafe block.load(as: Int.self)
          unsafe context!.assumingMemoryBound(to: Int.self).pointee += cost
          unsafe free(block)
        },
        allocator_data: UnsafeMutableRawPointer(remaining)))
  }

  /// Gives `body` the unpacked model, or nil where the bytes are none or cost more than the budget;
  /// the model is freed afterwards.
  func withModel<Result, Failure: Error>(
    _ bytes: [UInt8],
    _ body: (UnsafeMutablePointer<Onnx__ModelProto>?) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let model = unsafe onnx__model_proto__unpack(allocator, bytes.count, bytes)
    defer { unsafe onnx__model_proto__free_unpacked(model, allocator) }
    return unsafe try body(model)
  }

  /// Bytes that are still to be had.
  var bytesLeft: Int { unsafe remaining.pointee }

  deinit {
    unsafe remaining.deallocate()
    unsafe allocator.deallocate()
  }
}
