// Reads safetensors files, which may come from strangers.

extension SafetensorsFile {
  /// Reads a file strictly: the safetensors library accepts every file accepted here, and no byte
  /// of such a file is ambiguous or ignored.
  ///
  /// The header may have at most 1 MiB and describe at most 4,096 tensors of at most 8 axes. Names
  /// have at most 256 bytes and no control characters, metadata texts at most 64 KiB. The tensors
  /// share the memory of `bytes`.
  ///
  /// - Throws: ``WeightsError`` for the first fault.
  public init(bytes: [UInt8]) throws(WeightsError) {
    guard bytes.count >= 8 else { throw .tooShort(byteCount: bytes.count) }
    let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
    let longest = min(Limits.headerByteCount, bytes.count - 8)
    guard length >= 2, length <= UInt64(longest) else {
      throw .headerLength(found: length, accepted: 2...max(2, longest))
    }
    let dataStart = 8 + Int(length)
    var parser = SafetensorsHeaderParser(bytes, end: dataStart)
    let header = try parser.header()

    let available = bytes.count - dataStart
    for entry in header.entries { try entry.checkLength(available: available) }
    var tensors: [String: StoredTensor] = [:]
    var end = 0
    for entry in header.entries.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard entry.begin == end else {
        throw .notContiguous(tensor: entry.name, expected: end, found: entry.begin)
      }
      end = entry.end
      tensors[entry.name] = StoredTensor(
        type: entry.type, shape: entry.shape,
        bytes: bytes[(dataStart + entry.begin)..<(dataStart + entry.end)])
    }
    guard end == available else { throw .trailingBytes(count: available - end) }
    self.init(metadata: header.metadata, tensorsRead: tensors)
  }
}

/// The header's entry for one tensor.
struct SafetensorsEntry {
  var name: String
  var type: TensorType
  var shape: [Int]
  var begin: Int
  var end: Int

  /// Checks that the byte range is within the data and has the size that shape and type require.
  func checkLength(available: Int) throws(WeightsError) {
    guard begin <= end, end <= available else {
      throw .outside(tensor: name, begin: begin, end: end, available: available)
    }
    // Multiply from left to right, without an exception for zero, like the safetensors library:
    // [2^62, 4, 0] overflows in both.
    var needed = 1
    for factor in shape + [type.byteCount] {
      let (product, overflow) = needed.multipliedReportingOverflow(by: factor)
      guard !overflow else { throw .overflow(tensor: name, shape: shape) }
      needed = product
    }
    guard needed == end - begin else {
      throw .length(tensor: name, needed: needed, found: end - begin)
    }
  }
}
