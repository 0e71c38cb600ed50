// The loops for NEON: 32 registers of 4 floats.
//
// A product tile of 8 rows by 2 vectors takes 16 accumulators and 2 vectors of the right operand.
// NEON multiplies by one lane of a register, and each row's factor may have a register of its own:
// 26 of 32.

#if defined(__aarch64__)
#define LEVEL neon
#define LANES 4
#define REGISTERS 32
#define ROWS 8
#define ROW_STEP 4
#define VECS 2
#define FUSED 1
#include "kernels.inc"
#endif
