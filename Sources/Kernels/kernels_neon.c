#if defined(__aarch64__)
#define LEVEL neon
#define LANES 4
#define REGISTERS 32
#define ROWS 8  // 16 accumulators + 2 columns + 8 factors (by lane) of 32 registers
#define ROW_STEP 4
#define VECS 2
#define FUSED 1
#include "kernels.inc"
#endif
