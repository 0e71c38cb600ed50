#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"))), apply_to = function)
#define LEVEL avx512
#define LANES 16
#define REGISTERS 32
#define ROWS 12  // 24 accumulators + 2 columns + 1 factor of 32 registers
#define ROW_STEP 4
#define VECS 2
#define FUSED 1
#include "kernels.inc"
#pragma clang attribute pop
#endif
