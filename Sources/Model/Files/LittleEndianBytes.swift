// Every file format here is little-endian, so numbers are written by copying memory.
#if _endian(big)
  #error("numbers are written in the processor's own byte order, which must be little-endian")
#endif

/// The little-endian bytes of numbers.
func littleEndianBytes(_ numbers: [some BitwiseCopyable]) -> [UInt8] {
  unsafe numbers.withUnsafeBytes { unsafe [UInt8]($0) }
}
