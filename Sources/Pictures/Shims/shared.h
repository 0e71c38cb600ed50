// What the shims share: the limits on pictures and the filling of reports.

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

/// bg_ok, or bg_too_large where a picture of this size is not read.
bg_status bg_check_size(uint32_t width, uint32_t height, bg_report *report);

/// Room for `count` bytes, to be freed by bg_buffer_free.
int bg_buffer_append(bg_buffer *buffer, size_t *capacity, const uint8_t *bytes, size_t count);

#endif
