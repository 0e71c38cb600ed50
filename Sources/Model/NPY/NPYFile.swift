/// An array of float32 numbers in numpy's file format.
///
/// - SeeAlso: numpy, `numpy/lib/format.py`.
public struct NPYFile: Equatable, Sendable {
  /// Length of each axis, outermost first.
  public let shape: [Int]
  /// The numbers, the last axis running fastest.
  public let floats: [Float]

  /// - Precondition: the product of `shape` is the number of floats.
  public init(shape: [Int], floats: [Float]) {
    precondition(
      shape.reduce(1, *) == floats.count, "\(floats.count) numbers do not fill shape \(shape)")
    self.shape = shape
    self.floats = floats
  }

  /// The bytes that `numpy.save` writes for such an array.
  public func encoded() -> [UInt8] { Self.header(shape: shape) + littleEndianBytes(floats) }

  /// The bytes before the numbers of a float32 array, for files that are written piece by piece.
  public static func header(shape: [Int]) -> [UInt8] { header(shape: shape, kind: "<f4") }

  /// The same for numbers of another kind, as numpy's `dtype.str` names them.
  package static func header(shape: [Int], kind: String) -> [UInt8] {
    let tuple = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = "{'descr': '\(kind)', 'fortran_order': False, 'shape': (\(tuple)), }"
    // numpy leaves room for the first axis to grow to 21 digits, and puts the numbers on a multiple
    // of 64 bytes.
    if let first = shape.first { text += String(repeating: " ", count: 21 - "\(first)".count) }
    let used = Self.magic.count + 4 + text.utf8.count + 1
    text += String(repeating: " ", count: (64 - used % 64) % 64) + "\n"
    let length = UInt16(text.utf8.count)
    return magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(text.utf8)
  }

  /// The bytes of numbers, in order, for files that are written piece by piece.
  public static func body(_ floats: [Float]) -> [UInt8] { littleEndianBytes(floats) }

  /// What every file begins with.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
}

/// Why bytes are no array that can be used.
public enum NPYError: Error, Equatable, CustomStringConvertible {
  /// The file does not begin as numpy's files do.
  case notNPY
  /// The file is of a version of the format that is not read.
  case version(major: UInt8, minor: UInt8)
  /// The header is said to be longer than the file or than is accepted.
  case headerLength(found: Int, limit: Int)
  /// The header's text is not what numpy writes, at this byte of the file.
  case header(byte: Int, expected: String)
  /// The numbers are of a type that is not read.
  case type(String)
  /// The first axis runs fastest.
  case fortranOrder
  /// The sizes multiply to more than can be counted.
  case overflow(shape: [Int])
  /// There are more or fewer bytes than shape and type need.
  case length(needed: Int, found: Int)

  /// A sentence that says what is wrong and what would be right.
  public var description: String {
    switch self {
    case .notNPY: "not a .npy file"
    case .version(let major, let minor):
      "version \(major).\(minor) of the .npy format; 1.0 and 2.0 are read"
    case .headerLength(let found, let limit):
      "the .npy header's length is given as \(found) bytes, accepted are up to \(limit) here"
    case .header(let byte, let expected): ".npy header, byte \(byte): expected \(expected)"
    case .type(let text):
      "numbers of type \(quoted(text)); '<f4', '<f8' and '<f2' are read (save with "
        + ".astype('float32'))"
    case .fortranOrder:
      "the array is in Fortran order (save numpy.ascontiguousarray of it)"
    case .overflow(let shape): "shape \(shape) is too large"
    case .length(let needed, let found):
      "shape and type need \(needed) bytes, the file has \(found)"
    }
  }
}
