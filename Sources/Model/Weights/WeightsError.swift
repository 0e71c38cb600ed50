/// Why a file of tensors, or the network in it, cannot be used.
public enum WeightsError: Error, Equatable, CustomStringConvertible {
  /// The file is too short for the 8 bytes that hold the length of the header.
  case tooShort(byteCount: Int)
  /// The header is longer than the file or than the limit, or shorter than `{}`.
  case headerLength(found: UInt64, accepted: ClosedRange<Int>)
  /// The header has a syntax error at this byte of the file.
  case syntax(byte: Int, expected: String)
  /// The header has an invalid string at this byte of the file.
  case text(byte: Int, problem: String)
  /// A name occurs twice in one object of the header.
  case duplicate(name: String)
  /// There are more tensors than the limit.
  case tooManyTensors(limit: Int)
  /// The header's entry for a tensor is invalid.
  case entry(tensor: String, problem: String)
  /// The size of a tensor overflows.
  case overflow(tensor: String, shape: [Int])
  /// A tensor's byte range is not within the data.
  case outside(tensor: String, begin: Int, end: Int, available: Int)
  /// A tensor's byte range does not have the size that its shape and type require.
  case length(tensor: String, needed: Int, found: Int)
  /// A tensor does not begin where the one before it ends.
  case notContiguous(tensor: String, expected: Int, found: Int)
  /// Bytes follow the last tensor.
  case trailingBytes(count: Int)

  /// A tensor's numbers are of a type that is not accepted here.
  case type(tensor: String, found: TensorType, accepted: [TensorType])
  /// A tensor that the network needs is missing.
  case missing(tensor: String, network: String)
  /// The network has no such tensor.
  case unexpected(tensor: String, network: String)
  /// A tensor does not have the shape that the network needs.
  case shape(tensor: String, expected: [Int], found: [Int])
  /// A value is infinite or not a number.
  case notFinite(tensor: String, index: Int)
  /// A variance or a count is negative.
  case negative(tensor: String, index: Int)
  /// The metadata describe the network in a way that is not accepted.
  case metadata(key: String, value: String, accepted: String)
  /// The network's sizes are not supported.
  case unsupported(network: String, ShapeError)
  /// The shapes of the tensors do not form such a network, whatever their names.
  case notANetwork(network: String, problem: String)

  /// What is wrong, where, and what is expected.
  public var description: String {
    switch self {
    case .tooShort(let byteCount):
      "too short for a safetensors file: \(byteCount) bytes, but the header's length alone takes 8"
    case .headerLength(let found, let accepted):
      "the header's length is \(found) bytes, accepted are \(accepted.lowerBound) to "
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
      "tensor \(quoted(tensor)): bytes \(begin) to \(end) are outside the file's \(available) "
        + "bytes of data"
    case .length(let tensor, let needed, let found):
      "tensor \(quoted(tensor)): shape and type need \(needed) bytes, but it has \(found)"
    case .notContiguous(let tensor, let expected, let found):
      "tensor \(quoted(tensor)): begins at byte \(found) of the data, but the tensor before it "
        + "ends at \(expected)"
    case .trailingBytes(let count):
      "\(count) bytes follow the last tensor"
    case .type(let tensor, let found, let accepted):
      "tensor \(quoted(tensor)): type \(found.rawValue) is not accepted, only "
        + accepted.map(\.rawValue).joined(separator: ", ")
    case .missing(let tensor, let network):
      "tensor \(quoted(tensor)), which a \(network) needs, is missing"
    case .unexpected(let tensor, let network):
      "tensor \(quoted(tensor)) is not part of a \(network)"
    case .shape(let tensor, let expected, let found):
      "tensor \(quoted(tensor)): found shape \(found), expected \(expected)"
    case .notFinite(let tensor, let index):
      "tensor \(quoted(tensor)): value \(index) is infinite or not a number"
    case .negative(let tensor, let index):
      "tensor \(quoted(tensor)): value \(index) is negative"
    case .metadata(let key, let value, let accepted):
      "metadata \(quoted(key)) is \(quoted(value)), expected \(accepted)"
    case .unsupported(let network, let error):
      "\(network): \(error)"
    case .notANetwork(let network, let problem):
      "not a DCGAN \(network): \(problem)"
    }
  }
}
