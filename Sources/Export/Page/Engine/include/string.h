// The part of <string.h> that the loops use, for a build without a C library.

#ifndef BG_STRING_H
#define BG_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int value, size_t count);

#endif
