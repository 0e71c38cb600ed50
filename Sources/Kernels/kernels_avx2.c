#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define LEVEL avx2
#define LANES 8
#define REGISTERS 16
#define ROWS 6  // 12 accumulators + 2 columns + 1 factor of 16 registers
#define ROW_STEP 2
#define VECS 2
#define FUSED 1
#include "kernels.inc"
#pragma clang attribute pop
#endif
