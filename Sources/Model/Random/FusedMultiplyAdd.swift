/// a·b + c for each lane, rounded once.
///
/// Swift's `addingProduct` gives the same, but where the compiler may not assume fused multiply-add,
/// as on x86-64, it calls a function for each number; this takes half the time, and needs no
/// instructions that some processors lack.
///
/// - Precondition: neither product nor sum overflow or underflow float32.
@inline(__always)
package func fusedMultiplyAdd(
  _ a: SIMD8<Float>, _ b: SIMD8<Float>, _ c: SIMD8<Float>
) -> SIMD8<Float> {
  // The product of two 24-bit numbers is exact in float64. The sum is not; rounding it to the
  // nearest 53-bit number and then to 24 bits would round twice. Rounding it to odd first (of its
  // two neighbours the one whose last bit is 1) makes the second rounding right, since 53 > 24 + 2.
  //
  // Boldo and Melquiond 2008, "Emulation of a FMA and correctly rounded sums: proved algorithms
  // using rounding to odd", doi:10.1109/TC.2007.70819; the sum's error by Knuth's TwoSum.
  let product = SIMD8<Double>(a) * SIMD8<Double>(b)
  let addend = SIMD8<Double>(c)
  let sum = product + addend
  let back = sum - product
  let error = (product - (sum - back)) + (addend - back)
  let bits = unsafe unsafeBitCast(sum, to: SIMD8<Int64>.self)
  let errorBits = unsafe unsafeBitCast(error, to: SIMD8<Int64>.self)
  // A step to the neighbour on the error's side: away from zero where sum and error agree in sign.
  let step = ((bits ^ errorBits) &>> 63) | 1
  let isEven = (bits & 1) &- 1
  let odd = bits &+ (step & isEven).replacing(with: 0, where: error .== 0)
  return SIMD8<Float>(unsafe unsafeBitCast(odd, to: SIMD8<Double>.self))
}
