#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// A file's name is bytes, any but NUL and slash; a String is Unicode. What is no UTF-8 in a name is
// kept as scalars of private use and becomes the same bytes again where the file is opened, so a
// name of any bytes works, only looks odd. Byte 0x80 + k is U+EF80 + k, as MirBSD's OPTU encodings
// have it; a name that really holds such a scalar has each of its bytes kept so.

extension String {
  /// A path, or any other argument, as the operating system gives it.
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

  /// A path in C's form.
  @unsafe package init(cPath characters: UnsafePointer<CChar>) {
    let buffer = unsafe UnsafeBufferPointer(start: characters, count: strlen(characters))
    self.init(pathBytes: unsafe buffer.map(UInt8.init(bitPattern:)))
  }

  /// The bytes of a path that ``init(pathBytes:)`` made, or of any other text.
  package var pathBytes: [UInt8] {
    guard unicodeScalars.contains(where: keptByteScalars.contains) else { return Array(utf8) }
    return unicodeScalars.flatMap { scalar in
      keptByteScalars.contains(scalar)
        ? [UInt8(truncatingIfNeeded: scalar.value)] : Array(String(scalar).utf8)
    }
  }

  /// Calls `body` with the path as C functions take it.
  ///
  /// `errno` is afterwards what `body` left: `free` keeps it (POSIX.1-2024).
  @unsafe package func withPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let characters = pathBytes.map { CChar(bitPattern: $0) } + [0]
    return unsafe characters.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
  }
}

/// What stands for a byte 0x80...0xFF that is not part of any character.
package let keptByteScalars: ClosedRange<Unicode.Scalar> = "\u{EF80}"..."\u{EFFF}"
