/// An array of float32 numbers in NumPy's file format.
///
/// - SeeAlso: numpy, `numpy/lib/format.py`.
public struct NPYFile: Equatable, Sendable {
  /// The length of each axis, outermost first.
  public let shape: [Int]
  /// The numbers, the last axis varying fastest.
  public let floats: [Float]

  /// An array of the given numbers.
  ///
  /// - Precondition: The product of `shape` is the number of floats.
  public init(shape: [Int], floats: [Float]) {
    precondition(
      shape.reduce(1, *) == floats.count, "\(floats.count) numbers do not fill shape \(shape)")
    self.shape = shape
    self.floats = floats
  }

  /// The bytes that `numpy.save` writes for this array.
  public func encoded() -> [UInt8] { Self.header(shape: shape) + littleEndianBytes(floats) }

  /// The header of a float32 array, for files that are written in pieces.
  public static func header(shape: [Int]) -> [UInt8] { header(shape: shape, kind: "<f4") }

  /// The header of an array whose numbers are of a type that NumPy's `dtype.str` calls `kind`.
  package static func header(shape: [Int], kind: String) -> [UInt8] {
    let tuple = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = "{'descr': '\(kind)', 'fortran_order': False, 'shape': (\(tuple)), }"
    // NumPy leaves room for the first axis to grow to 21 digits and aligns the numbers to 64 bytes.
    if let first = shape.first { text += String(repeating: " ", count: 21 - "\(first)".count) }
    let used = Self.magic.count + 4 + text.utf8.count + 1
    text += String(repeating: " ", count: (64 - used % 64) % 64) + "\n"
    let length = UInt16(text.utf8.count)
    return magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(text.utf8)
  }

  /// The bytes of numbers that follow the header, for files that are written in pieces.
  public static func body(_ floats: [Float]) -> [UInt8] { littleEndianBytes(floats) }

  /// The first bytes of every file.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
}

/// Why a `.npy` file cannot be used.
public enum NPYError: Error, Equatable, CustomStringConvertible {
  /// The file does not begin with NumPy's signature.
  case notNPY
  /// The version of the format is not supported.
  case version(major: UInt8, minor: UInt8)
  /// The header is longer than the file or than the limit.
  case headerLength(found: Int, limit: Int)
  /// The header differs from what NumPy writes at this byte of the file.
  case header(byte: Int, expected: String)
  /// The type of the numbers is not supported.
  case type(String)
  /// The array is stored with the first axis varying fastest.
  case fortranOrder
  /// The size of the array overflows.
  case overflow(shape: [Int])
  /// There are more or fewer bytes than shape and type require.
  case length(needed: Int, found: Int)

  /// What is wrong and what is expected.
  public var description: String {
    switch self {
    case .notNPY: "not a .npy file"
    case .version(let major, let minor):
      "version \(major).\(minor) of the .npy format is not supported, only 1.0 and 2.0"
    case .headerLength(let found, let limit):
      "the .npy header's length is \(found) bytes, accepted are at most \(limit) here"
    case .header(let byte, let expected): ".npy header, byte \(byte): expected \(expected)"
    case .type(let text):
      "numbers of type \(quoted(text)) are not supported, only '<f4', '<f8' and '<f2' (save with "
        + ".astype('float32'))"
    case .fortranOrder:
      "the array is in Fortran order (save numpy.ascontiguousarray of it)"
    case .overflow(let shape): "shape \(shape) is too large"
    case .length(let needed, let found):
      "shape and type need \(needed) bytes, but the file has \(found)"
    }
  }
}
