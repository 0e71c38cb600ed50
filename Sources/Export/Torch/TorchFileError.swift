import BollyGANModel

/// Why a file of `torch.save` cannot be read.
public enum TorchFileError: Error, Equatable, CustomStringConvertible {
  /// The zip archive is broken, or not of the kind that PyTorch writes.
  case archive(reason: String)
  /// The pickle is broken, or uses instructions that tensors do not need.
  case pickle(offset: Int, reason: String)
  /// The pickle imports a name that has nothing to do with tensors.
  case global(name: String)
  /// A tensor does not fit its storage.
  case tensor(name: String, reason: String)
  /// The file has the format that PyTorch wrote before version 1.6.
  case legacy
  /// There are no tensors, or not exactly one network among them.
  case content(reason: String)

  /// A sentence that says what is wrong and what would be accepted.
  public var description: String {
    switch self {
    case .archive(let reason): "PyTorch archive: \(reason)"
    case .pickle(let offset, let reason): "byte \(offset) of data.pkl: \(reason)"
    case .global(let name):
      "data.pkl imports \(quoted(name)), which could run code; accepted: tensors in dicts, as "
        + "torch.save(network.state_dict(), file) writes them"
    case .tensor(let name, let reason): "tensor \(quoted(name)): \(reason)"
    case .legacy:
      "PyTorch's format from before version 1.6; convert it in Python: "
        + "torch.save(torch.load(file, weights_only=True), file)"
    case .content(let reason): reason
    }
  }
}
