// The loops for every other processor: SSE2 on x86-64, vectors of 4 floats anywhere else.
//
// A product tile of 4 rows by 2 vectors takes 8 accumulators, 2 vectors of the right operand and 1
// broadcast number of the left one; without fused multiply-add a product needs 1 more: 12 of the 16
// registers of SSE2.

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
