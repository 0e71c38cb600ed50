// Shared by the shims: limits on images, error reports, and growing buffers.

#ifndef BG_SHARED_H
#define BG_SHARED_H

#include "bg_pictures.h"

enum {
  bg_side_limit = 8192,
  bg_pixel_limit = 1 << 25,
};

/// Writes a sentence into `report` and returns `status`.
bg_status bg_fail(bg_report *report, bg_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// Returns bg_ok, or an error with a report if an image of this size is not supported.
bg_status bg_check_size(uint32_t width, uint32_t height, bg_report *report);

/// Appends `count` bytes to a buffer, which bg_buffer_free frees. Returns 0 if memory runs out.
int bg_buffer_append(bg_buffer *buffer, size_t *capacity, const uint8_t *bytes, size_t count);

#endif
