/// Fused multiply-add: a·b + c in each lane, rounded once.
///
/// Swift's `addingProduct` gives the same result. But for a target without fused multiply-add, such
/// as baseline x86-64, it calls a function for each number. This takes half the time, on every
/// processor.
///
/// - Precondition: Neither the product nor the sum overflows or underflows float32.
@inline(__always)
package func fusedMultiplyAdd(
  _ a: SIMD8<Float>, _ b: SIMD8<Float>, _ c: SIMD8<Float>
) -> SIMD8<Float> {
  // The product of two 24-bit numbers is exact in float64, but the sum is not. Rounding the sum to
  // the nearest 53-bit number and then to 24 bits would round twice. Rounding to odd first, to the
  // neighbour whose last bit is 1, makes the second rounding correct, since 53 > 24 + 2.
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
  // One step towards the exact sum: away from zero if the sum and the error have the same sign.
  let step = ((bits ^ errorBits) &>> 63) | 1
  let isEven = (bits & 1) &- 1
  let odd = bits &+ (step & isEven).replacing(with: 0, where: error .== 0)
  return SIMD8<Float>(unsafe unsafeBitCast(odd, to: SIMD8<Double>.self))
}
