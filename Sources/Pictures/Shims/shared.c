#include "shared.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bg_status bg_fail(bg_report *report, bg_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(report->reason, sizeof report->reason, format, arguments);
  va_end(arguments);
  return status;
}

bg_status bg_check_size(uint32_t width, uint32_t height, bg_report *report) {
  if (width == 0 || height == 0)
    return bg_fail(report, bg_damaged, "its header claims %u x %u pixels", width, height);
  if (width > bg_side_limit || height > bg_side_limit ||
      (uint64_t)width * height > bg_pixel_limit)
    return bg_fail(report, bg_too_large,
                   "its header claims %u x %u pixels; the limit is %d a side and %d in all", width,
                   height, bg_side_limit, bg_pixel_limit);
  return bg_ok;
}

int bg_buffer_append(bg_buffer *buffer, size_t *capacity, const uint8_t *bytes, size_t count) {
  if (count > SIZE_MAX / 2 - buffer->count) return 0;
  if (buffer->count + count > *capacity) {
    size_t larger = *capacity < 4096 ? 4096 : *capacity;
    while (larger < buffer->count + count) larger *= 2;
    uint8_t *moved = realloc(buffer->bytes, larger);
    if (!moved) return 0;
    buffer->bytes = moved;
    *capacity = larger;
  }
  if (count) memcpy(buffer->bytes + buffer->count, bytes, count);
  buffer->count += count;
  return 1;
}

void bg_buffer_free(bg_buffer *buffer) {
  free(buffer->bytes);
  buffer->bytes = NULL;
  buffer->count = 0;
}
