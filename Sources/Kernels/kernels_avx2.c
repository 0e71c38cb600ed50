// The loops for AVX2 with fused multiply-add: 16 registers of 8 floats.
//
// A product tile of 6 rows by 2 vectors takes 12 accumulators, 2 vectors of the right operand and 1
// broadcast number of the left one: 15 registers. 12 sums in flight hide a latency of 4 to 5 cycles
// at 2 multiply-adds a cycle.

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define LEVEL avx2
#define LANES 8
#define REGISTERS 16
#define ROWS 6
#define ROW_STEP 2
#define VECS 2
#define FUSED 1
#include "kernels.inc"
#pragma clang attribute pop
#endif
