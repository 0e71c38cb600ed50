// Memory of the page's engine: one region that only grows, up to the linker's limit.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine.h"

extern unsigned char __heap_base;

static uintptr_t top;

void *bg_room(size_t bytes) {
  if (!top) top = (uintptr_t)&__heap_base;
  const uintptr_t start = (top + 63) / 64 * 64;
  const uintptr_t end = start + bytes;
  const uintptr_t page = 65536;
  const uintptr_t have = __builtin_wasm_memory_size(0) * page;
  if (end < start) return 0;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + page - 1) / page) == SIZE_MAX)
    return 0;
  top = end;
  return (void *)start;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  return __builtin_memcpy(to, from, count);  // memory.copy
}

void *memset(void *to, int value, size_t count) {
  return __builtin_memset(to, value, count);  // memory.fill
}
