import BollyGANModel

/// Why an ONNX file cannot be read or written.
public enum ONNXError: Error, Equatable, CustomStringConvertible {
  /// The bytes are not an ONNX file or break the format's rules: where, and how.
  case malformed(offset: Int, field: String, reason: String)
  /// The file is well-formed but exceeds a limit.
  case tooLarge(what: String, found: Int, limit: Int)
  /// A feature of the format that is not supported, and what is.
  case unsupported(what: String, accepted: String)
  /// A node that is not supported, or not at its position.
  case node(name: String, operatorType: String, reason: String)
  /// A graph whose names do not fit together.
  case graph(reason: String)
  /// A tensor whose contents do not fit its description.
  case tensor(name: String, reason: String)

  /// A sentence that says what is wrong, where, and what would be accepted.
  public var description: String {
    switch self {
    case .malformed(let offset, let field, let reason):
      "byte \(offset), \(field): \(reason)"
    case .tooLarge(let what, let found, let limit):
      "\(what): \(found), the limit is \(limit)"
    case .unsupported(let what, let accepted):
      "\(what) is not supported; accepted: \(accepted)"
    case .node(let name, let operatorType, let reason):
      // The operator is text from the file too, so it is escaped like the name, without quotes.
      "node \(quoted(name)) (\(quoted(operatorType).dropFirst().dropLast())): \(reason)"
    case .graph(let reason):
      reason
    case .tensor(let name, let reason):
      "tensor \(quoted(name)): \(reason)"
    }
  }
}
