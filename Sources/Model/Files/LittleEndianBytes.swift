#if _endian(big)
  #error("numbers are written in the processor's own byte order, which has to be little-endian")
#endif

/// The bytes of the numbers as files hold them.
func littleEndianBytes(_ numbers: [some BitwiseCopyable]) -> [UInt8] {
  unsafe numbers.withUnsafeBytes { unsafe [UInt8]($0) }
}
