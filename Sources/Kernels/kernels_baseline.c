// What every processor of the architecture has: SSE2 on x86-64, four lanes anywhere else.
#if !defined(__aarch64__)
#define LEVEL baseline
#define LANES 4
#define REGISTERS 16
#define ROWS 4
#define ROW_STEP 2
#define VECS 2
#define FUSED 0
#include "kernels.inc"
#endif
