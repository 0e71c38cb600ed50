// Prints a hash of the results of every loop on fixed numbers, except for the fast convolutions
// that Benchmarks/layers.c covers.
//
//   kernels avx2|avx512|neon|baseline
//
// Instruction sets with fused multiply-add print the same lines; .ci/arm64 compares them. Whether
// the results are correct is checked by Tests/KernelTests.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../Benchmarks/numbers.h"
#include "bg_kernels.h"

static const bg_kernels *kernels;

// `count` random numbers in -1...1.
static float *numbers(size_t count) {
  float *at = zeros(count);
  for (size_t i = 0; i < count; i++) at[i] = next();
  return at;
}

// Prints a hash: FNV-1a (Fowler, Noll and Vo).
static void print(const char *name, const void *values, size_t size) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)values)[i]) * 1099511628211u;
  printf("%s %016" PRIx64 "\n", name, hash);
}

static void print_floats(const char *name, const float *values, size_t count) {
  print(name, values, count * sizeof(float));
}

typedef void product(size_t, const float *, const float *, const bg_tile *);

// A product of 37 rows, depth 300 and 53 columns, tile by tile: sizes that no level's tile divides.
static void multiply(const char *name, product *loop, int in_panels, int rectify, const float *left,
                     const float *right) {
  enum { rows = 37, depth = 300, columns = 53 };
  const size_t height = kernels->rows, width = kernels->columns;
  float *block = zeros((height + BG_MAX_ROWS) * BG_ROW_STRIDE), *panel = zeros(depth * width);
  float *out = zeros(rows * columns);
  for (size_t i = 0; i < rows * columns; i++) out[i] = (float)i / 64;
  for (size_t j = 0; j < columns; j += width) {
    const size_t wide = columns - j < width ? columns - j : width;
    memset(panel, 0, depth * width * sizeof(float));
    for (size_t k = 0; k < depth; k++)
      memcpy(panel + k * width, right + k * columns + j, wide * sizeof(float));
    for (size_t i = 0; i < rows; i += height) {
      const size_t high = rows - i < height ? rows - i : height;
      float *targets[BG_MAX_ROWS];
      for (size_t p = 0; p < high; p++) {
        targets[p] = out + (i + p) * columns + j;
        for (size_t k = 0; k < depth; k++)
          block[in_panels ? k * height + p : p * BG_ROW_STRIDE + k] = left[(i + p) * depth + k];
      }
      const bg_tile tile = {targets, high, wide, 0, 1, rectify, 0.2f};
      loop(depth, block, panel, &tile);
    }
  }
  print_floats(name, out, rows * columns);
  free(block);
  free(panel);
  free(out);
}

// Two images of 16x16 from maps of 8x8 with 144 channels and a margin, in one part and in two,
// summed directly or by fast convolution.
static void draw(size_t channels, int fast) {
  enum { side = 8, depth = 144, images = 2, row = (side + 2) * depth };
  const size_t count = images * 4 * side * side * channels;
  float *from = zeros(images * (side + 2) * row), *out = zeros(count), *map = zeros(count);
  float *weights = numbers(depth * 16 * channels), *bias = numbers(channels);
  for (size_t n = 0; n < images; n++)
    for (size_t i = 0; i < side; i++)
      for (size_t k = 0; k < side * depth; k++)
        from[(n * (side + 2) + i + 1) * row + depth + k] = next() / 8;
  uint8_t *bytes = calloc(count, 1);
  const size_t lanes = kernels->lanes, columns = bg_picture_columns(channels, lanes);
  float *planes = zeros(BG_WIN_PLANES * depth * columns);
  const double factors[] = {1, 0.5, 2};
  bg_pack_picture(weights, depth, channels, factors, depth, columns, planes);
  const size_t direct = (side + kernels->rows) * depth + 2 * side * channels +
                        2 * (side + 2 + kernels->rows) * 16 * channels;
  float *scratch = zeros(fast ? bg_picture_floats(side, depth, channels, lanes) : direct);
  if (!bytes) abort();
  for (size_t parts = 1; parts < 3; parts++) {
    bg_picture job = {.side = side, .depth = depth, .channels = channels,
                      .from = from + row + depth, .from_image = (side + 2) * row, .from_row = row,
                      .from_pixel = depth, .from_chunk = BG_CHANNEL_UNIT,
                      .weights = fast ? 0 : weights, .planes = fast ? planes : 0, .bias = bias,
                      .parts = parts};
    for (int kind = 0; kind < 4; kind++) {
      job.bytes = kind == 0 ? bytes : 0;
      job.planar = kind == 1 ? out : 0;
      job.map = kind > 1 ? map : 0;
      job.map_row = (ptrdiff_t)(2 * side * channels);
      job.map_image = 2 * side * job.map_row;
      job.linear = kind == 3;
      for (size_t task = 0; task < images * parts; task++)
        (fast ? kernels->fast_picture : kernels->direct_picture)(&job, task, scratch);
      if (kind > 1) print_floats(kind == 2 ? "picture, map" : "picture, linear", map, count);
    }
    print("picture, bytes", bytes, count);
    print_floats("picture, planar", out, count);
  }
  free(from);
  free(out);
  free(map);
  free(weights);
  free(planes);
  free(bias);
  free(bytes);
  free(scratch);
}

int main(int argc, char **argv) {
  kernels = argc > 1 ? bg_kernels_named(argv[1]) : 0;
  if (!kernels) {
    fprintf(stderr, "kernels: baseline|avx2|avx512|neon, as this processor has it\n");
    return 64;
  }
  float *left = numbers(37 * 300), *right = numbers(300 * 53);
  multiply("multiply_rows", kernels->multiply_rows, 0, 0, left, right);
  multiply("multiply_rows, rectified", kernels->multiply_rows, 0, 1, left, right);
  multiply("multiply_rows_float64", kernels->multiply_rows_float64, 0, 0, left, right);
  multiply("multiply_panels", kernels->multiply_panels, 1, 0, left, right);
  free(left);
  free(right);
  for (int fast = 0; fast < 2; fast++) {
    draw(3, fast);
    draw(1, fast);
  }

  enum { pixels = 29, channels = 48, count = pixels * channels };
  float *in = numbers(count), *gradient = numbers(count), *out = zeros(count);
  float *mean = numbers(channels), *scale = numbers(channels), *shift = numbers(channels);
  float *a = numbers(channels), *b = numbers(channels), *addend = numbers(channels);
  float *sum = numbers(channels), *product = numbers(channels);
  for (size_t i = 0; i < count; i++) in[i] *= 3;
  kernels->normalise(pixels, channels, in, mean, scale, shift, 0.2f, out);
  print_floats("normalise", out, count);
  kernels->channel_sums(pixels, channels, in, sum);
  print_floats("channel_sums", sum, channels);
  kernels->channel_deviations(pixels, channels, in, mean, sum);
  print_floats("channel_deviations", sum, channels);
  kernels->norm_gradient_sums(pixels, channels, in, gradient, mean, scale, shift, 0.2f, sum,
                              product);
  print_floats("norm_gradient_sums", sum, channels);
  print_floats("norm_gradient_sums, products", product, channels);
  kernels->norm_gradient_apply(pixels, channels, in, gradient, mean, scale, shift, 0.2f, a, b,
                               addend, out);
  print_floats("norm_gradient_apply", out, count);
  // A length that ends within a vector, and arguments beyond those for which tanh rounds to 1.
  for (size_t i = 0; i < count; i++) in[i] *= i % 7;
  in[0] = INFINITY;
  in[1] = -INFINITY;
  kernels->tanh(count - 3, in, out);
  print_floats("tanh", out, count);
  kernels->tanh_gradient(count - 3, out, gradient, out);
  print_floats("tanh_gradient", out, count);

  // Packing weights into panels. The last panel, and its last group of four columns, are partly
  // filled.
  enum { inputs = 3, outputs = 39, wide = 16, panels = 3 };
  float *weights = numbers(inputs * outputs * 16);
  float *taps = zeros(16 * panels * inputs * wide);
  double factors[outputs];
  for (size_t d = 0; d < outputs; d++) factors[d] = 1 + (double)d / 81;
  bg_pack_up(weights, 0, inputs, outputs, factors, inputs, panels, wide, taps);
  print_floats("pack_up", taps, 16 * panels * inputs * wide);
  free(weights);
  free(taps);

  const bg_adam constants = {0.5f, 0.999f, 0.001f, 0.0004f, 0.0316f, 1e-8f};
  float *second = numbers(count);
  for (size_t i = 0; i < count; i++) second[i] *= second[i];
  int finite = kernels->adam(count - 3, gradient, out, second, in + 2, &constants);
  print_floats("adam, first moments", out, count);
  print_floats("adam, second moments", second, count);
  print_floats("adam, weights", in, count);
  gradient[count / 2] = NAN;
  finite = 2 * finite + kernels->adam(count - 3, gradient, out, second, in + 2, &constants);
  printf("adam, finite and not: %d\n", finite);
  float *all[] = {in, gradient, out, mean, scale, shift, a, b, addend, sum, product, second};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}
