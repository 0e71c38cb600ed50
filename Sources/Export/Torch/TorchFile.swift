public import BollyGANModel

/// The tensors in a file of `torch.save`, by the dicts that they stand in.
///
/// Nothing in such a file is ever run: it is a program, and here only its description of tensors is
/// taken down (see `PickleReader`). What `torch.load(weights_only=True)` would refuse is refused.
public struct TorchFile: Sendable {
  /// Tensors of one dict.
  public struct Group: Sendable {
    /// The keys that lead to the dict, joined by dots; empty for the outermost.
    public let path: String
    /// Its tensors by key.
    public let tensors: [String: StoredTensor]
  }

  /// The dicts that hold tensors, outermost first.
  public let groups: [Group]

  /// Whether bytes begin as a file of `torch.save` does, of today or from before version 1.6.
  static func isTorchFile(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || isLegacy(bytes)
  }

  /// A pickle of the number 0x1950a86a20f9469cfc6c, of protocol 2 or later.
  private static func isLegacy(_ bytes: [UInt8]) -> Bool {
    bytes.count > 2 && bytes[0] == 0x80
      && bytes[2...].starts(with: [
        0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
      ])
  }

  /// Reads the zip format, which `torch.save` writes since version 1.6.
  ///
  /// - Throws: ``TorchFileError``.
  public init(_ bytes: [UInt8]) throws(TorchFileError) {
    guard !Self.isLegacy(bytes) else { throw .legacy }
    let archive = try ZipArchive(bytes)
    guard !archive.names.contains(where: { $0.hasSuffix("/constants.pkl") }) else {
      throw .archive(
        reason:
          "a TorchScript program; accepted: what torch.save(network.state_dict(), file) writes")
    }
    let pickles = archive.names.filter { $0.hasSuffix("/data.pkl") }
    guard pickles.count == 1, let pickle = pickles.first else {
      throw .archive(reason: "\(pickles.count) files data.pkl in it, torch.save writes one")
    }
    let folder = pickle.dropLast("data.pkl".count)
    if let order = try archive.place(of: "\(folder)byteorder") {
      guard bytes[order].elementsEqual("little".utf8) else {
        throw .archive(
          reason: "its numbers are not little-endian; torch.save on another machine would be")
      }
    }
    let reader = try PickleReader(bytes[archive.place(of: pickle)!])
    var collector = TensorCollector(
      reader: reader, archive: archive, bytes: bytes, folder: String(folder))
    groups = try collector.groups()
  }

  /// The one generator among the dicts.
  ///
  /// - Throws: `WeightsError` where the only dict of tensors is none; ``TorchFileError`` where there
  ///   are several, and not one generator among them.
  public func generator() throws -> (weights: GeneratorWeights, notes: [String]) {
    try one("generator") { try GeneratorWeights.load($0) }
  }

  /// The one discriminator among the dicts.
  ///
  /// - Throws: as for a generator.
  public func discriminator() throws -> (weights: DiscriminatorWeights, notes: [String]) {
    try one("discriminator") { try DiscriminatorWeights.load($0) }
  }

  private func one<Weights>(
    _ kind: String, _ load: ([String: StoredTensor]) throws -> LoadedNetwork<Weights>
  ) throws -> (weights: Weights, notes: [String]) {
    var found: [(group: Group, network: LoadedNetwork<Weights>)] = []
    var failure: (any Error)?
    for group in groups {
      do {
        found.append((group, try load(group.tensors)))
      } catch {
        failure = failure ?? error
      }
    }
    func names(_ groups: [Group]) -> String {
      groups.map { $0.path.isEmpty ? "the outermost" : quoted($0.path) }.joined(separator: ", ")
    }
    switch found.count {
    case 1:
      let place = found[0].group.path
      let note = place.isEmpty ? [] : ["the \(kind) is the dict \(quoted(place))"]
      return (found[0].network.weights, note + found[0].network.notes)
    case 0:
      if groups.count == 1, let failure { throw failure }
      throw TorchFileError.content(
        reason: groups.isEmpty
          ? "there are no tensors in it"
          : "no \(kind) among its dicts of tensors: \(names(groups))")
    default:
      throw TorchFileError.content(
        reason:
          "several \(kind)s among its dicts: \(names(found.map(\.group))); save one by itself")
    }
  }
}

/// Follows dicts to their tensors.
private struct TensorCollector {
  /// Dicts inside dicts.
  private static let depthLimit = 8
  /// Tensors in a file.
  private static let tensorLimit = 4_096

  let reader: PickleReader
  let archive: ZipArchive
  let bytes: [UInt8]
  let folder: String
  /// Bytes that tensors may still take: a storage may be shared, but not without end.
  private var budget: Int
  private var count = 0
  private var result: [TorchFile.Group] = []
  /// Dicts met, so that one that holds itself, or is held twice, is followed once.
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
      throw .content(reason: "its outermost value is no dict; save network.state_dict()")
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
        "its storage has \(file.count) bytes, \(tensor.storage.count) numbers of \(type.rawValue) "
          + "are said to be in it")
    }
    guard tensor.shape.count == tensor.strides.count else {
      throw fail("\(tensor.shape.count) sizes and \(tensor.strides.count) strides")
    }
    // In bytes, so that what follows cannot overflow either.
    var bytesNeeded = Int64(type.byteCount)
    // The last number that it reaches.
    var last = tensor.offset
    for (length, stride) in zip(tensor.shape, tensor.strides) {
      guard length >= 0, stride >= 0 else { throw fail("a negative size or stride") }
      let (product, overflow) = bytesNeeded.multipliedReportingOverflow(by: length)
      let (reach, tooFar) = max(length - 1, 0).multipliedReportingOverflow(by: stride)
      let (sum, beyond) = last.addingReportingOverflow(reach)
      guard !overflow, !tooFar, !beyond else { throw fail("sizes that no memory holds") }
      bytesNeeded = product
      last = sum
    }
    let count = bytesNeeded / Int64(type.byteCount)
    guard tensor.offset >= 0, count == 0 || last < tensor.storage.count else {
      throw fail(
        "reaches number \(last) of its storage, which has \(tensor.storage.count)")
    }
    // At most as many as the storage has, unless strides of 0 repeat them.
    guard count <= tensor.storage.count, bytesNeeded <= budget else {
      throw fail("its numbers are more than the file's")
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
      // The stride of an axis of length 1 says nothing.
      guard length == 1 || stride == expected else { return false }
      expected *= length
    }
    return true
  }

  /// The numbers of a view whose axes lie otherwise in memory, such as channels last.
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
