// Chooses the table of kernels by name, as far as this build and this processor have it.

#include <string.h>

#include "bg_kernels.h"

#if defined(__x86_64__)
extern const bg_kernels bg_kernels_baseline, bg_kernels_avx2, bg_kernels_avx512;
#elif defined(__aarch64__)
extern const bg_kernels bg_kernels_neon;
#else
extern const bg_kernels bg_kernels_baseline;
#endif

const bg_kernels *bg_kernels_named(const char *name) {
#if defined(__x86_64__)
  // These builtins also ask whether the operating system saves the wide registers.
  __builtin_cpu_init();
  if (strcmp(name, "avx512") == 0)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
               ? &bg_kernels_avx512
               : 0;
  if (strcmp(name, "avx2") == 0)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &bg_kernels_avx2 : 0;
#endif
#if defined(__aarch64__)
  if (strcmp(name, "neon") == 0) return &bg_kernels_neon;
#else
  if (strcmp(name, "baseline") == 0) return &bg_kernels_baseline;
#endif
  return 0;
}
