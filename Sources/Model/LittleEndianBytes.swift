/// A number whose bytes files hold, lowest first.
protocol LittleEndianStorable: BitwiseCopyable {
  associatedtype Bits: FixedWidthInteger & BitwiseCopyable
  var bits: Bits { get }
}

extension Float: LittleEndianStorable { var bits: UInt32 { bitPattern } }
extension Double: LittleEndianStorable { var bits: UInt64 { bitPattern } }
extension UInt16: LittleEndianStorable { var bits: UInt16 { self } }
extension Int64: LittleEndianStorable { var bits: UInt64 { UInt64(bitPattern: self) } }

/// The bytes of the numbers as files hold them.
func littleEndianBytes<Number: LittleEndianStorable>(_ numbers: [Number]) -> [UInt8] {
  #if _endian(little)
    unsafe numbers.withUnsafeBytes { unsafe [UInt8]($0) }
  #else
    numbers.flatMap { number in
      stride(from: 0, to: Number.Bits.bitWidth, by: 8).map {
        UInt8(truncatingIfNeeded: number.bits >> $0)
      }
    }
  #endif
}
