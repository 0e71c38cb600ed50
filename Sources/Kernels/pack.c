// Weights, packed into the order in which fast convolutions read them. Packing happens once for
// each generator, and after each update in training.

#include "bg_kernels.h"

typedef float four __attribute__((ext_vector_type(4)));
typedef float loose_four __attribute__((ext_vector_type(4), aligned(4), may_alias));
typedef double wide_four __attribute__((ext_vector_type(4)));

// Transposes 4x4 numbers, whose rows are `stride` apart, each times its factor: number j of row i
// goes to to[j][i].
static inline void transpose_four(const float *from, size_t stride, const wide_four *factors,
                                  float *const *to) {
  four row[4];
  for (int i = 0; i < 4; i++) {
    const four read = *(const loose_four *)(from + i * stride);
    row[i] = __builtin_convertvector(__builtin_convertvector(read, wide_four) * factors[i], four);
  }
  const four a = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const four b = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const four c = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const four d = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  *(loose_four *)to[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
  *(loose_four *)to[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  *(loose_four *)to[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
  *(loose_four *)to[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

// `up` is evaluated at points of the opposite sign (see points_of_coarse in transforms.inc), so its
// taps alternate in sign, along rows and along columns.
static double tap_sign(size_t tap) { return tap == 1 || tap == 2 ? -1 : 1; }

void bg_pack_up(const float *kernel, size_t first, size_t last, size_t outputs, const double *scale,
                size_t depth, size_t panels, size_t columns, float *taps) {
  for (size_t c = first; c < last; c++)
    for (size_t panel = 0; panel < panels; panel++) {
      const size_t begin = panel * columns;
      if (begin >= outputs) break;
      const size_t count = outputs - begin < columns ? outputs - begin : columns;
      const float *from = kernel + ((c - first) * outputs + begin) * 16;
      for (size_t u = 0; u < 4; u++) {
        // Coarse row i adds to fine row 2i - 1 + u through tap row u, which has parity u % 2.
        float *rows[4];
        wide_four signs;
        for (size_t v = 0; v < 4; v++) {
          const size_t parity = u % 2 * 2 + v % 2, tap = u / 2 * 2 + v / 2;
          rows[v] = taps + (((parity * panels + panel) * depth + c) * 4 + tap) * columns;
          signs[v] = tap_sign(tap);
        }
        size_t d = 0;
        for (; d + 4 <= count; d += 4) {
          wide_four factors[4];
          float *to[4];
          for (int i = 0; i < 4; i++) {
            factors[i] = signs * scale[begin + d + i];
            to[i] = rows[i] + d;
          }
          transpose_four(from + d * 16 + 4 * u, 16, factors, to);
        }
        for (; d < count; d++)
          for (size_t v = 0; v < 4; v++)
            rows[v][d] = (float)((double)from[d * 16 + 4 * u + v] * (signs[v] * scale[begin + d]));
      }
    }
}

void bg_pack_up_rows(const float *weights, size_t first, size_t last, size_t stride, double scale,
                     size_t depth, size_t panels, size_t columns, float *taps) {
  for (size_t c = first; c < last; c++)
    for (size_t parity = 0; parity < 4; parity++)
      for (size_t tap = 0; tap < 4; tap++) {
        const size_t u = parity / 2 + 2 * (tap / 2), v = parity % 2 + 2 * (tap % 2);
        const double factor = tap_sign(tap) * scale;
        const float *from = weights + (c * 16 + 4 * u + v) * stride;
        for (size_t panel = 0; panel < panels; panel++) {
          const size_t begin = panel * columns;
          const size_t count = stride - begin < columns ? stride - begin : columns;
          float *to = taps + (((parity * panels + panel) * depth + c) * 4 + tap) * columns;
          for (size_t d = 0; d < count; d++) to[d] = (float)((double)from[begin + d] * factor);
        }
      }
}

// Two taps at the points 0, 1, -2, -1/2 and infinity, up to factors that the other transforms
// include.
static void points_of_taps(const double *taps, size_t stride, double *out, size_t out_stride) {
  const double g = taps[0], h = -taps[stride];
  const double points[5] = {g, h - g, 2 * h + g, 2 * g + h, h};
  for (size_t i = 0; i < 5; i++) out[i * out_stride] = points[i];
}

void bg_pack_picture(const float *kernel, size_t inputs, size_t channels, const double *scale,
                     size_t depth, size_t columns, float *planes) {
  for (size_t c = 0; c < inputs; c++)
    for (size_t d = 0; d < channels; d++)
      for (size_t parity = 0; parity < 4; parity++) {
        double taps[2][2], down[5][2], out[5][5];
        for (size_t a = 0; a < 2; a++)
          for (size_t b = 0; b < 2; b++) {
            const size_t u = parity / 2 + 2 * a, v = parity % 2 + 2 * b;
            taps[a][b] = kernel[((c * channels + d) * 4 + u) * 4 + v] * (scale[d] / 81);
          }
        for (size_t b = 0; b < 2; b++) points_of_taps(&taps[0][b], 2, &down[0][b], 2);
        for (size_t i = 0; i < 5; i++) points_of_taps(down[i], 1, out[i], 1);
        for (size_t q = 0; q < 25; q++)
          planes[(q * depth + c) * columns + parity * channels + d] = (float)out[q / 5][q % 5];
      }
}

void bg_pack_down(const float *weights, size_t first, size_t last, size_t coarse_channels,
                  double scale, size_t depth, size_t panels, size_t columns, float *taps) {
  const wide_four factors[4] = {scale, scale, scale, scale};
  for (size_t panel = 0; panel < panels; panel++) {
    const size_t begin = panel * columns;
    if (begin >= coarse_channels) break;
    const size_t left = coarse_channels - begin, count = left < columns ? left : columns;
    for (size_t uv = 0; uv < 16; uv++) {
      // Coarse row i reads fine row 2i - 1 + u through tap row u: of parity u % 2, counted from row
      // -1, tap u / 2. Columns likewise.
      const size_t u = uv / 4, v = uv % 4, parity = u % 2 * 2 + v % 2, tap = u / 2 * 2 + v / 2;
      float *to = taps + (((panel * 4 + parity) * depth + first) * 4 + tap) * columns;
      const float *from = weights + begin * 16 * depth + uv * depth;
      size_t j = 0;
      // Rows are too far apart for the processor to predict the next read.
      for (; j + 4 <= count; j += 4) {
        for (size_t i = 0; i < 4 && uv < 15; i++)
          __builtin_prefetch(from + (j + i) * 16 * depth + depth + first);
        for (size_t d = first; d < last; d += 4) {
          float *rows[4];
          for (size_t i = 0; i < 4; i++) rows[i] = to + (d - first + i) * 4 * columns + j;
          transpose_four(from + j * 16 * depth + d, 16 * depth, factors, rows);
        }
      }
      for (; j < count; j++)
        for (size_t d = first; d < last; d++)
          to[(d - first) * 4 * columns + j] = (float)(from[j * 16 * depth + d] * scale);
    }
  }
}
