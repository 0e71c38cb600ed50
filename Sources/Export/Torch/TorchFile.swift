public import BollyGANModel

/// The tensors in a file of `torch.save`, grouped by dict.
///
/// Such a file is a program, but nothing in it is ever run; only its description of tensors is read
/// (see `PickleReader`). Whatever `torch.load(weights_only=True)` would refuse is refused here too.
public struct TorchFile: Sendable {
  /// The tensors of one dict.
  public struct Group: Sendable {
    /// The keys that lead to the dict, joined by dots; empty for the outermost dict.
    public let path: String
    /// Its tensors by key.
    public let tensors: [String: StoredTensor]
  }

  /// The dicts that contain tensors, outermost first.
  public let groups: [Group]

  /// Whether bytes begin like a file of `torch.save`, in the current format or that before 1.6.
  static func isTorchFile(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || isLegacy(bytes)
  }

  /// The old format begins with a pickle of the number 0x1950a86a20f9469cfc6c, of protocol 2 or
  /// later.
  private static func isLegacy(_ bytes: [UInt8]) -> Bool {
    bytes.count > 2 && bytes[0] == 0x80
      && bytes[2...].starts(with: [
        0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
      ])
  }

  /// Reads the zip format, which `torch.save` has written since version 1.6.
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
      throw .archive(reason: "it contains \(pickles.count) files data.pkl, torch.save writes one")
    }
    let folder = pickle.dropLast("data.pkl".count)
    if let order = try archive.place(of: "\(folder)byteorder") {
      guard bytes[order].elementsEqual("little".utf8) else {
        throw .archive(
          reason: "its numbers are big-endian; accepted: little-endian, which most machines write")
      }
    }
    let reader = try PickleReader(bytes[archive.place(of: pickle)!])
    var collector = TensorCollector(
      reader: reader, archive: archive, bytes: bytes, folder: String(folder))
    groups = try collector.groups()
  }

  /// The one generator, or the one discriminator, among the dicts.
  ///
  /// - Parameters:
  ///   - kind: `GeneratorWeights` or `DiscriminatorWeights`.
  ///   - allowsNonFinite: accept infinities and NaN, in order to inspect them.
  /// - Throws: `WeightsError` if the only dict of tensors is not such a network; ``TorchFileError``
  ///   if there are several dicts, and not exactly one such network among them.
  public func network<N: Network>(
    _ kind: N.Type, allowsNonFinite: Bool = false
  ) throws -> LoadedNetwork<N> {
    var found: [(group: Group, network: LoadedNetwork<N>)] = []
    var failure: (any Error)?
    for group in groups {
      do {
        found.append((group, try N.load(group.tensors, allowsNonFinite: allowsNonFinite)))
      } catch {
        failure = failure ?? error
      }
    }
    func names(_ groups: [Group]) -> String {
      groups.map { $0.path.isEmpty ? "the outermost" : quoted($0.path) }.joined(separator: ", ")
    }
    let kind = N.kind.rawValue
    switch found.count {
    case 1:
      let (group, network) = found[0]
      let note = group.path.isEmpty ? [] : ["the \(kind) is the dict \(quoted(group.path))"]
      return LoadedNetwork(weights: network.weights, notes: note + network.notes)
    case 0:
      if groups.count == 1, let failure { throw failure }
      throw TorchFileError.content(
        reason: groups.isEmpty
          ? "it contains no tensors"
          : "no \(kind) among its dicts of tensors: \(names(groups))")
    default:
      throw TorchFileError.content(
        reason: "several \(kind)s among its dicts: \(names(found.map(\.group))); save one by itself"
      )
    }
  }
}
