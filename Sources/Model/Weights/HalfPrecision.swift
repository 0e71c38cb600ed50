// Conversions between float32 and the two 16-bit formats, in integer arithmetic. Swift's Float16
// does not exist on macOS for x86-64, and on processors without conversion instructions it calls a
// function for each number.

/// The exact value of an IEEE 754 binary16 number.
///
/// There are no branches, so loops over it vectorise. Shifted into place, the exponent and fraction
/// bits make a float32 that is 2^-112 of the value, subnormals included.
@inline(__always)
package func float(binary16 bits: UInt16) -> Float {
  let magnitude = UInt32(bits & 0x7fff) << 13
  let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
  // Infinity and NaN.
  let special: UInt32 = magnitude >= 0x0f80_0000 ? 0x7f80_0000 : 0
  return Float(bitPattern: UInt32(bits & 0x8000) << 16 | finite | special)
}

/// The binary16 number nearest to `value`, ties to even; infinity from 65520 on.
package func binary16(_ value: Float) -> UInt16 {
  let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
  let magnitude = value.bitPattern & 0x7fff_ffff
  if value.isNaN { return sign | 0x7e00 | UInt16(magnitude >> 13 & 0x03ff) }
  if magnitude < 0x3880_0000 {  // below 2^-14 binary16 is subnormal: a multiple of 2^-24
    let scaled = Float(bitPattern: magnitude) + 0x1p-1  // rounds to 2^-24, the ulp in [0.5, 1)
    return sign | UInt16(truncatingIfNeeded: scaled.bitPattern &- Float(0x1p-1).bitPattern)
  }
  let odd = magnitude >> 13 & 1
  let rounded = (magnitude &+ 0x0fff &+ odd) >> 13
  return sign | UInt16(min(rounded &- (112 << 10), 0x7c00))
}

/// The exact value of a bfloat16 number.
@inline(__always)
package func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

/// The bfloat16 number nearest to `value`, ties to even.
package func bfloat16(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if value.isNaN { return UInt16(bits >> 16) | 0x0040 }
  return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
}
