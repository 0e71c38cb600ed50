// Operands of matrix products, gathered from maps and matrices into the order that kernels read.

#include <string.h>

#include "bg_kernels.h"

// Copies floats [first, first + depth) of one row; the row is runs of `length` floats.
static inline void copy_row(float *to, const float *from, size_t length, ptrdiff_t segment_stride,
                            size_t first, size_t depth) {
  size_t segment = first / length, within = first % length;
  while (depth) {
    const size_t run = length - within < depth ? length - within : depth;
    memcpy(to, from + (ptrdiff_t)segment * segment_stride + within, run * sizeof(float));
    to += run;
    depth -= run;
    segment++;
    within = 0;
  }
}

void bg_gather_rows(float *block, const float *map, const ptrdiff_t *row_offsets, size_t rows,
                    size_t length, ptrdiff_t segment_stride, size_t first, size_t depth) {
  for (size_t p = 0; p < rows; p++, block += BG_ROW_STRIDE)
    copy_row(block, map + row_offsets[p], length, segment_stride, first, depth);
}

void bg_gather_panel(float *panel, const float *map, const ptrdiff_t *row_offsets, size_t rows,
                     size_t segments, size_t length, ptrdiff_t segment_stride, size_t first,
                     size_t columns) {
  const size_t total = segments * length;
  const size_t wanted = total - first < columns ? total - first : columns;
  for (size_t p = 0; p < rows; p++, panel += columns) {
    copy_row(panel, map + row_offsets[p], length, segment_stride, first, wanted);
    if (wanted < columns) memset(panel + wanted, 0, (columns - wanted) * sizeof(float));
  }
}

void bg_transpose_panel(float *panel, const float *matrix, size_t stride, size_t rows, size_t depth,
                        size_t columns) {
  // 16 numbers of each row at a time: a cache line, which is read once.
  for (size_t first = 0; first < depth; first += 16) {
    const size_t end = first + 16 < depth ? first + 16 : depth;
    for (size_t j = 0; j < rows; j++)
      for (size_t k = first; k < end; k++) panel[k * columns + j] = matrix[j * stride + k];
    for (size_t k = first; k < end; k++)
      for (size_t j = rows; j < columns; j++) panel[k * columns + j] = 0;
  }
}
