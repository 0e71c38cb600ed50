/// Why a file of tensors, or the network in it, cannot be used.
public enum WeightsError: Error, Equatable, CustomStringConvertible {
  /// The file is shorter than the length of a header.
  case tooShort(byteCount: Int)
  /// The header is said to be longer than the file or than is accepted, or shorter than `{}`.
  case headerLength(found: UInt64, accepted: ClosedRange<Int>)
  /// The header's text breaks the grammar at this byte of the file.
  case syntax(byte: Int, expected: String)
  /// A string of the header is not acceptable text at this byte of the file.
  case text(byte: Int, problem: String)
  /// A name occurs twice where each may occur once.
  case duplicate(name: String)
  /// There are more tensors than are accepted.
  case tooManyTensors(limit: Int)
  /// The description of a tensor cannot be used.
  case entry(tensor: String, problem: String)
  /// The sizes of a tensor multiply to more than can be counted.
  case overflow(tensor: String, shape: [Int])
  /// A tensor's place is not within the data.
  case outside(tensor: String, begin: Int, end: Int, available: Int)
  /// A tensor's place has another size than its shape and type need.
  case length(tensor: String, needed: Int, found: Int)
  /// A tensor does not begin where the one before it ends.
  case notContiguous(tensor: String, expected: Int, found: Int)
  /// Bytes follow the last tensor.
  case trailingBytes(count: Int)

  /// A tensor's numbers are of a type that cannot be used here.
  case type(tensor: String, found: TensorType, accepted: [TensorType])
  /// A tensor that the network needs is not there.
  case missing(tensor: String, network: String)
  /// A tensor is there that the network has no place for.
  case unexpected(tensor: String, network: String)
  /// A tensor has another shape than its place in the network.
  case shape(tensor: String, expected: [Int], found: [Int])
  /// A value is infinite or not a number.
  case notFinite(tensor: String, index: Int)
  /// A variance or a count is negative.
  case negative(tensor: String, index: Int)
  /// The metadata says something of the network that cannot be used.
  case metadata(key: String, value: String, accepted: String)
  /// The network's sizes are not supported.
  case unsupported(network: String, ShapeError)
  /// The tensors are not those of such a network, whatever their names.
  case notANetwork(network: String, problem: String)

  /// A sentence that says what is wrong, where, and what would be right.
  public var description: String {
    switch self {
    case .tooShort(let byteCount):
      "\(byteCount) bytes are too few for a safetensors file, which begins with 8 bytes of length"
    case .headerLength(let found, let accepted):
      "the header's length is given as \(found) bytes, accepted are \(accepted.lowerBound) to "
        + "\(accepted.upperBound) here; is this a safetensors file?"
    case .syntax(let byte, let expected):
      "header, byte \(byte): expected \(expected)"
    case .text(let byte, let problem):
      "header, byte \(byte): \(problem)"
    case .duplicate(let name):
      "header: the name \(quoted(name)) occurs twice"
    case .tooManyTensors(let limit):
      "header: more than \(limit) tensors"
    case .entry(let tensor, let problem):
      "tensor \(quoted(tensor)): \(problem)"
    case .overflow(let tensor, let shape):
      "tensor \(quoted(tensor)): shape \(shape) is too large"
    case .outside(let tensor, let begin, let end, let available):
      "tensor \(quoted(tensor)): bytes \(begin) to \(end) are not within the file's \(available) "
        + "bytes of data"
    case .length(let tensor, let needed, let found):
      "tensor \(quoted(tensor)): shape and type need \(needed) bytes, the file gives it \(found)"
    case .notContiguous(let tensor, let expected, let found):
      "tensor \(quoted(tensor)): begins at byte \(found) of the data, the tensor before it ends at "
        + "\(expected)"
    case .trailingBytes(let count):
      "\(count) bytes follow the last tensor"
    case .type(let tensor, let found, let accepted):
      "tensor \(quoted(tensor)): type \(found.rawValue), accepted here: "
        + accepted.map(\.rawValue).joined(separator: ", ")
    case .missing(let tensor, let network):
      "tensor \(quoted(tensor)), which a \(network) needs, is missing"
    case .unexpected(let tensor, let network):
      "tensor \(quoted(tensor)) has no place in a \(network)"
    case .shape(let tensor, let expected, let found):
      "tensor \(quoted(tensor)): found shape \(found), expected \(expected)"
    case .notFinite(let tensor, let index):
      "tensor \(quoted(tensor)): value \(index) is infinite or not a number"
    case .negative(let tensor, let index):
      "tensor \(quoted(tensor)): value \(index) is negative"
    case .metadata(let key, let value, let accepted):
      "metadata \(quoted(key)) is \(quoted(value)), accepted is \(accepted)"
    case .unsupported(let network, let error):
      "\(network): \(error)"
    case .notANetwork(let network, let problem):
      "the file holds no \(network) of DCGAN form: \(problem)"
    }
  }
}
