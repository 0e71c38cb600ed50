// Test data for the loops.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The next number in -1...1, by xorshift64 (Marsaglia 2003): the same numbers on every machine.
static float next(void) {
  static uint64_t state = 88172645463325252;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (float)(state >> 40) * 0x1p-23f - 1;
}

// Allocates `count` zeros at the beginning of a cache line.
static float *zeros(size_t count) {
  float *at = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
  if (!at) abort();
  return memset(at, 0, count * sizeof(float));
}
