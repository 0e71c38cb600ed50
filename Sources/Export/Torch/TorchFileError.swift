import BollyGANModel

/// Why a file of `torch.save` cannot be read.
public enum TorchFileError: Error, Equatable, CustomStringConvertible {
  /// The archive around it is broken or of another kind than PyTorch writes.
  case archive(reason: String)
  /// The pickle in it is broken.
  case pickle(offset: Int, reason: String)
  /// The pickle asks for something other than numbers by name.
  case global(name: String)
  /// A tensor does not fit its storage.
  case tensor(name: String, reason: String)
  /// The format that PyTorch wrote before version 1.6.
  case legacy
  /// No tensors, or not one generator among them.
  case content(reason: String)

  /// A sentence that says what is wrong, and what would be right.
  public var description: String {
    switch self {
    case .archive(let reason): "PyTorch archive: \(reason)"
    case .pickle(let offset, let reason): "byte \(offset) of data.pkl: \(reason)"
    case .global(let name):
      "data.pkl asks for \(quoted(name)), which could run code; accepted are tensors in dicts, as "
        + "torch.save(network.state_dict(), file) writes them"
    case .tensor(let name, let reason): "tensor \(quoted(name)): \(reason)"
    case .legacy:
      "PyTorch's format from before version 1.6; write it anew in Python: "
        + "torch.save(torch.load(file, weights_only=True), file)"
    case .content(let reason): reason
    }
  }
}
