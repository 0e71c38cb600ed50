// The loops for AVX-512 (F, VL, DQ and BW): 32 registers of 16 floats.
//
// A product tile of 12 rows by 2 vectors takes 24 accumulators, 2 vectors of the right operand and
// 1 broadcast number of the left one: 27 registers. 12 divides BG_WIN_ROWS, as every level's ROWS
// does.

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"))), apply_to = function)
#define LEVEL avx512
#define LANES 16
#define REGISTERS 32
#define ROWS 12
#define ROW_STEP 4
#define VECS 2
#define FUSED 1
#include "kernels.inc"
#pragma clang attribute pop
#endif
