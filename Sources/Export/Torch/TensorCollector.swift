import BollyGANModel

/// Collects the tensors of all dicts that a pickle describes.
struct TensorCollector {
  /// Largest depth of nested dicts.
  private static let depthLimit = 8
  /// Largest number of tensors in a file.
  private static let tensorLimit = 4_096

  let reader: PickleReader
  let archive: ZipArchive
  let bytes: [UInt8]
  let folder: String
  /// Bytes that tensors may still take. They may share storages, but not without limit.
  private var budget: Int
  private var count = 0
  private var result: [TorchFile.Group] = []
  /// Dicts visited, so that one that contains itself, or occurs twice, is visited once.
  private var met: Set<Int> = []

  init(reader: PickleReader, archive: ZipArchive, bytes: [UInt8], folder: String) {
    self.reader = reader
    self.archive = archive
    self.bytes = bytes
    self.folder = folder
    budget = 2 * bytes.count
  }

  mutating func groups() throws(TorchFileError) -> [TorchFile.Group] {
    guard case .dict(let index) = reader.result else {
      throw .content(reason: "its outermost value is not a dict; save network.state_dict()")
    }
    try follow(index, path: "", depth: 0)
    return result
  }

  private mutating func follow(
    _ index: Int, path: String, depth: Int
  ) throws(TorchFileError) {
    guard depth < Self.depthLimit, met.insert(index).inserted else { return }
    var tensors: [String: StoredTensor] = [:]
    var inner: [(String, Int)] = []
    for (key, value) in reader.dicts[index] {
      let name: String
      switch key {
      case .text(let text): name = text
      case .int(let number): name = "\(number)"
      default: continue
      }
      switch value {
      case .tensor(let tensor):
        count += 1
        guard count <= Self.tensorLimit else {
          throw .content(reason: "more than \(Self.tensorLimit) tensors")
        }
        tensors[name] = try stored(reader.tensors[tensor], name: name)
      case .dict(let dict): inner.append((path.isEmpty ? name : "\(path).\(name)", dict))
      default: continue
      }
    }
    if !tensors.isEmpty { result.append(TorchFile.Group(path: path, tensors: tensors)) }
    for (path, dict) in inner { try follow(dict, path: path, depth: depth + 1) }
  }

  /// A tensor's numbers in row-major order.
  private mutating func stored(
    _ tensor: PickleReader.TorchTensor, name: String
  ) throws(TorchFileError) -> StoredTensor {
    func fail(_ reason: String) -> TorchFileError { .tensor(name: name, reason: reason) }
    let type = tensor.storage.type
    guard let file = try archive.place(of: "\(folder)data/\(tensor.storage.key)") else {
      throw fail("its storage \(quoted(tensor.storage.key)) is not in the archive")
    }
    let (size, overflow) = tensor.storage.count.multipliedReportingOverflow(
      by: Int64(type.byteCount))
    guard !overflow, tensor.storage.count >= 0, size == Int64(file.count) else {
      throw fail(
        "its storage has \(file.count) bytes, not the \(tensor.storage.count) numbers of "
          + "\(type.rawValue) that it declares")
    }
    guard tensor.shape.count == tensor.strides.count else {
      throw fail("\(tensor.shape.count) sizes and \(tensor.strides.count) strides")
    }
    // Count bytes rather than numbers, so that later products cannot overflow either.
    var bytesNeeded = Int64(type.byteCount)
    // Index of the last number that the view reaches.
    var last = tensor.offset
    for (length, stride) in zip(tensor.shape, tensor.strides) {
      guard length >= 0, stride >= 0 else { throw fail("a negative size or stride") }
      let (product, overflow) = bytesNeeded.multipliedReportingOverflow(by: length)
      let (reach, tooFar) = max(length - 1, 0).multipliedReportingOverflow(by: stride)
      let (sum, beyond) = last.addingReportingOverflow(reach)
      guard !overflow, !tooFar, !beyond else { throw fail("its sizes exceed any memory") }
      bytesNeeded = product
      last = sum
    }
    let count = bytesNeeded / Int64(type.byteCount)
    guard tensor.offset >= 0, count == 0 || last < tensor.storage.count else {
      throw fail(
        "reaches number \(last) of its storage, which has \(tensor.storage.count)")
    }
    // A view has no more numbers than its storage, unless strides of 0 repeat them.
    guard count <= tensor.storage.count, bytesNeeded <= budget else {
      throw fail("it has more numbers than the file")
    }
    budget -= Int(bytesNeeded)
    let shape = tensor.shape.map { Int($0) }
    guard count > 0 else { return StoredTensor(type: type, shape: shape, bytes: []) }
    let start = file.lowerBound + Int(tensor.offset) * type.byteCount
    if isContiguous(tensor) {
      return StoredTensor(
        type: type, shape: shape, bytes: bytes[start..<start + Int(count) * type.byteCount])
    }
    return StoredTensor(type: type, shape: shape, bytes: gathered(tensor, Int(count), from: start))
  }

  private func isContiguous(_ tensor: PickleReader.TorchTensor) -> Bool {
    var expected: Int64 = 1
    for (length, stride) in zip(tensor.shape, tensor.strides).reversed() {
      // The stride of an axis of length 1 does not matter.
      guard length == 1 || stride == expected else { return false }
      expected *= length
    }
    return true
  }

  /// The numbers of a view whose axes are stored in another order, such as channels last.
  private func gathered(
    _ tensor: PickleReader.TorchTensor, _ count: Int, from start: Int
  ) -> [UInt8] {
    let width = tensor.storage.type.byteCount
    var position = [Int64](repeating: 0, count: tensor.shape.count)
    var offset: Int64 = 0
    var result: [UInt8] = []
    result.reserveCapacity(count * width)
    for _ in 0..<count {
      let place = start + Int(offset) * width
      result += bytes[place..<place + width]
      for axis in tensor.shape.indices.reversed() {
        position[axis] += 1
        offset += tensor.strides[axis]
        if position[axis] < tensor.shape[axis] { break }
        offset -= tensor.strides[axis] * tensor.shape[axis]
        position[axis] = 0
      }
    }
    return result
  }
}
