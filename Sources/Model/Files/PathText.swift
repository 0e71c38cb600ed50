#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Converts between paths, which are bytes, and String, which is Unicode.
//
// A file name may contain any byte except NUL and slash. Bytes that are not valid UTF-8 become
// private-use scalars and turn back into the same bytes when the file is opened, so every name
// works, although some look odd. Byte 0x80 + k becomes U+EF80 + k, as in MirBSD's OPTU encodings.
// If a name really contains one of these scalars, each of its bytes is kept in this way.

extension String {
  /// A path or another argument from the operating system, given in bytes.
  package init(pathBytes bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    var scalars = String.UnicodeScalarView()
    var rest = bytes[...]
    func keep(_ kept: ArraySlice<UInt8>) {
      scalars.append(
        contentsOf: kept.map { Unicode.Scalar(0xEF00 + UInt32($0)) ?? "\u{FFFD}" })
    }
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        if keptByteScalars.contains(scalar) {
          keep(rest.prefix(encoded.count))
        } else {
          scalars.append(scalar)
        }
        rest = rest.dropFirst(encoded.count)
      case .error(let length):
        keep(rest.prefix(length))
        rest = rest.dropFirst(length)
      case .emptyInput:
        self.init(scalars)
        return
      }
    }
  }

  /// A path from a C string.
  @unsafe package init(cPath characters: UnsafePointer<CChar>) {
    let buffer = unsafe UnsafeBufferPointer(start: characters, count: strlen(characters))
    self.init(pathBytes: unsafe buffer.map(UInt8.init(bitPattern:)))
  }

  /// The bytes of a path: the inverse of ``init(pathBytes:)``. For other text, its UTF-8.
  package var pathBytes: [UInt8] {
    guard unicodeScalars.contains(where: keptByteScalars.contains) else { return Array(utf8) }
    return unicodeScalars.flatMap { scalar in
      keptByteScalars.contains(scalar)
        ? [UInt8(truncatingIfNeeded: scalar.value)] : Array(String(scalar).utf8)
    }
  }

  /// Calls `body` with the path as a C string.
  ///
  /// The `errno` that `body` sets is preserved, because `free` keeps it (POSIX.1-2024).
  @unsafe package func withPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let characters = pathBytes.map { CChar(bitPattern: $0) } + [0]
    return unsafe characters.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
  }
}

/// The scalars that represent the bytes 0x80...0xFF outside valid UTF-8.
package let keptByteScalars: ClosedRange<Unicode.Scalar> = "\u{EF80}"..."\u{EFFF}"
