// The loops in WebAssembly, with its vectors of 4 floats: what the explorer page runs.
//
// There is no fused multiply-add, and engines map the 12 vectors of a tile (8 accumulators, 2
// columns, a factor and a product) to the registers of whatever processor they run on.

#if defined(__wasm_simd128__)
#define LEVEL wasm
#define LANES 4
#define REGISTERS 16
#define ROWS 4
#define ROW_STEP 2
#define VECS 2
#define FUSED 0
#include "kernels.inc"
#endif
