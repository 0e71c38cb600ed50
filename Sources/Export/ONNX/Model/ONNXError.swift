import BollyGANModel

/// Why an ONNX file cannot be read or written.
public enum ONNXError: Error, Equatable, CustomStringConvertible {
  /// The bytes are no ONNX file, or break the format's rules: where, and how.
  case malformed(offset: Int, field: String, reason: String)
  /// The file is well-formed but larger than what is read here.
  case tooLarge(what: String, found: Int, limit: Int)
  /// Something of the format that is not understood here: what, and what would be.
  case unsupported(what: String, accepted: String)
  /// A node that is not understood here.
  case node(name: String, operatorType: String, reason: String)
  /// A graph whose names do not fit together.
  case graph(reason: String)
  /// A tensor whose contents do not fit its description.
  case tensor(name: String, reason: String)

  /// A sentence that says what is wrong, where, and what would be right.
  public var description: String {
    switch self {
    case .malformed(let offset, let field, let reason):
      "byte \(offset), \(field): \(reason)"
    case .tooLarge(let what, let found, let limit):
      "\(what): \(found), the limit is \(limit)"
    case .unsupported(let what, let accepted):
      "\(what) is not supported; accepted: \(accepted)"
    case .node(let name, let operatorType, let reason):
      // The operator is text from the file as well, so what quoting escapes is escaped.
      "node \(quoted(name)) (\(quoted(operatorType).dropFirst().dropLast())): \(reason)"
    case .graph(let reason):
      reason
    case .tensor(let name, let reason):
      "tensor \(quoted(name)): \(reason)"
    }
  }
}
