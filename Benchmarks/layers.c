// Measures the fast convolutions of the article's three middle layers, one at a time: how long they
// take, how far they are from float64, and a hash of their bits.
//
//   clang -O2 -ISources/Kernels/include Benchmarks/layers.c Sources/Kernels/*.c \
//     -lm -lpthread -o layers
//   ./layers avx512 2 4
//
// The arguments are the instruction set, threads, images, and turns (40). The shortest turn counts.
// The share is the part of the peak in registers that a direct convolution would need for the same
// time; above 1, no direct convolution is as fast. Errors and bits depend neither on the threads
// nor on the instruction set, as long as it has fused multiply-add; .ci/arm64 compares them.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bg_kernels.h"
#include "numbers.h"

enum { most_threads = 64 };

static const bg_kernels *kernels;
static bg_pool *pool;
static size_t threads, pictures;

// A layer's jobs, and each thread's own memory.
typedef struct {
  size_t side, coarse, fine;  // side of the coarse map; channels of both
  const float *x;             // coarse maps, margin included
  bg_up up;
  bg_down down;
  bg_gradient gradient;
  float *scratch[most_threads], *room[most_threads];
} layer;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

// Maps have a margin of one pixel of zeros.
static size_t row_of(size_t side, size_t channels) { return (side + 2) * channels; }
static size_t image_of(size_t side, size_t channels) {
  return (side + 2) * row_of(side, channels);
}

// Random maps; numbers below `least` are raised to it.
static float *map_of(size_t side, size_t channels, float least) {
  float *map = zeros(pictures * image_of(side, channels));
  for (size_t n = 0; n < pictures; n++)
    for (size_t i = 1; i <= side; i++)
      for (size_t k = channels; k < (side + 1) * channels; k++)
        map[n * image_of(side, channels) + i * row_of(side, channels) + k] =
            fmaxf(1.7f * next(), least);
  return map;
}

static size_t groups_of(size_t tiles) {
  const int is_small = tiles <= (size_t)kernels->small_job_tiles;
  const size_t rows = (size_t)(is_small ? kernels->row_step : kernels->rows);
  return (tiles + rows - 1) / rows;
}

static void up_input(void *at, size_t task, int thread) {
  (void)thread;
  kernels->up_input(&((layer *)at)->up, task);
}

static void up_output(void *at, size_t task, int thread) {
  layer *it = at;
  kernels->up_output(&it->up, task, it->scratch[thread]);
}

static void down_input(void *at, size_t task, int thread) {
  (void)thread;
  kernels->down_input(&((layer *)at)->down, task);
}

static void down_output(void *at, size_t task, int thread) {
  layer *it = at;
  kernels->down_output(&it->down, task, it->scratch[thread]);
}

// The gradient: each thread takes its share of the panels, and transforms all coarse channels
// itself.
static void gradient(void *at, size_t task, int thread) {
  const layer *it = at;
  const size_t tiles = pictures * it->side * it->side / 16, chunks = it->coarse / BG_CHANNEL_UNIT;
  const size_t panels = 4 * it->fine / (size_t)kernels->columns;
  const size_t each = BG_WIN_PLANES * (BG_WIN_SUM * BG_CHANNEL_UNIT + BG_WIN_PAD);
  float *left = it->room[thread], *right = left + chunks * each;
  for (size_t first = 0; first < tiles; first += BG_WIN_SUM) {
    bg_gradient job = it->gradient;
    job.first = first;
    job.tiles = tiles - first < BG_WIN_SUM ? tiles - first : BG_WIN_SUM;
    job.accumulates = first > 0;
    for (size_t c = 0; c < chunks; c++) kernels->gradient_coarse(&job, c, left + c * each);
    for (size_t p = panels * task / threads; p < panels * (task + 1) / threads; p++) {
      kernels->gradient_fine(&job, p, right);
      for (size_t c = 0; c < chunks; c++)
        kernels->gradient_output(&job, c, left + c * each, p, right, it->scratch[thread]);
    }
  }
}

// The definitions, in float64: tap (u, v) links fine pixel (2i + u - 1, 2j + v - 1) and coarse
// pixel (i, j). Counted with the margin, these are 2i + u - 2 and i, where i starts at 1.
static double up_at(const layer *it, const float *weights, size_t n, size_t p, size_t q,
                    size_t d) {
  double sum = 0;
  for (size_t u = p % 2; u < 4; u += 2)
    for (size_t v = q % 2; v < 4; v += 2) {
      const float *x = it->x + n * image_of(it->side, it->coarse) +
                       (p + 2 - u) / 2 * row_of(it->side, it->coarse) +
                       (q + 2 - v) / 2 * it->coarse;
      for (size_t c = 0; c < it->coarse; c++)
        sum += (double)x[c] * weights[(c * 16 + 4 * u + v) * it->fine + d];
    }
  return fmax(sum, 0);
}

static double down_at(const layer *it, const float *weights, size_t n, size_t i, size_t j,
                      size_t c) {
  double sum = 0;
  for (size_t tap = 0; tap < 16; tap++) {
    const float *x = it->down.from + n * image_of(2 * it->side, it->fine) +
                     (2 * i + tap / 4 - 2) * row_of(2 * it->side, it->fine) +
                     (2 * j + tap % 4 - 2) * it->fine;
    for (size_t d = 0; d < it->fine; d++)
      sum += (double)x[d] * weights[(c * 16 + tap) * it->fine + d];
  }
  return sum;
}

static double gradient_at(const layer *it, size_t c, size_t tap, size_t d) {
  double sum = 0;
  for (size_t n = 0; n < pictures; n++)
    for (size_t i = 1; i <= it->side; i++)
      for (size_t j = 1; j <= it->side; j++)
        sum += (double)it->x[n * image_of(it->side, it->coarse) +
                             i * row_of(it->side, it->coarse) + j * it->coarse + c] *
               it->down.from[n * image_of(2 * it->side, it->fine) +
                             (2 * i + tap / 4 - 2) * row_of(2 * it->side, it->fine) +
                             (2 * j + tap % 4 - 2) * it->fine + d];
  return sum;
}

// Compares a sample of the outputs.
typedef struct {
  double largest, squares;
  size_t count;
} errors;

static void compare(errors *all, float value, double expected) {
  all->largest = fmax(all->largest, fabs(value - expected));
  all->squares += expected * expected;
  all->count++;
}

// A hash of the numbers: FNV-1a (Fowler, Noll and Vo), by words of 32 bits.
static uint64_t bits_of(const float *values, size_t count) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t k = 0; k < count; k++) {
    uint32_t bits;
    memcpy(&bits, values + k, sizeof bits);
    hash = (hash ^ bits) * 0x100000001b3;
  }
  return hash;
}

static void print(const layer *it, const char *name, double time, double peak, errors all,
                  uint64_t bits) {
  const double operations = 32.0 * it->coarse * it->fine * it->side * it->side * pictures;
  printf("| %s | %zu, %zu at %zux%zu | %.0f | %.0f | %.2f | %.1e | %016" PRIx64 " |\n", name,
         it->coarse, it->fine, it->side, it->side, time / pictures * 1e6, operations / time / 1e9,
         operations / time / peak, all.largest / sqrt(all.squares / all.count), bits);
}

static void measure(size_t side, size_t coarse, size_t fine, int turns, double peak) {
  const size_t columns = (size_t)kernels->columns, rows = (size_t)kernels->rows;
  const size_t panels = (fine + columns - 1) / columns;
  const size_t down_panels = (coarse + columns - 1) / columns;
  const size_t tiles = pictures * side * side / 16, groups = groups_of(tiles);
  // Weights scaled for outputs of size 1 from inputs that have passed a ReLU.
  float *x = map_of(side, coarse, 0), *y = map_of(2 * side, fine, -2);
  float *weights = zeros(coarse * 16 * fine), *sums = zeros(coarse * 16 * fine);
  for (size_t k = 0; k < coarse * 16 * fine; k++) weights[k] = 1.7f * next() / sqrtf(2 * coarse);
  float *up_taps = zeros(16 * panels * coarse * columns);
  float *down_taps = zeros(16 * down_panels * fine * columns);
  bg_pack_up_rows(weights, 0, coarse, fine, 1.0 / 81, coarse, panels, columns, up_taps);
  bg_pack_down(weights, 0, fine, coarse, 1.0 / 81, fine, down_panels, columns, down_taps);
  float *finer = zeros(pictures * image_of(2 * side, fine));
  float *coarser = zeros(pictures * image_of(side, coarse));
  const size_t deeper = coarse > fine ? coarse : fine;
  float *planes = zeros(4 * BG_WIN_PLANES * ((tiles + rows) * deeper + BG_WIN_PAD));

  const size_t x_row = row_of(side, coarse), y_row = row_of(2 * side, fine);
  const size_t x_image = image_of(side, coarse), y_image = image_of(2 * side, fine);
  const size_t up_parts = threads / panels < pictures ? threads / panels : pictures;
  const size_t down_parts = threads / down_panels < groups ? threads / down_panels : groups;
  layer it = {
      .side = side,
      .coarse = coarse,
      .fine = fine,
      .x = x,
      .up = {.images = pictures, .side = side, .depth = coarse, .columns = fine,
             .from = x + x_row + coarse, .from_image = x_image, .from_row = x_row,
             .from_pixel = (ptrdiff_t)coarse, .from_chunk = BG_CHANNEL_UNIT,
             .to = finer + y_row + fine, .to_image = y_image, .to_row = y_row,
             .to_pixel = (ptrdiff_t)fine, .to_chunk = BG_CHANNEL_UNIT, .taps = up_taps,
             .planes = planes, .parts = up_parts ? up_parts : 1},
      .down = {.images = pictures, .side = side, .depth = fine, .columns = coarse, .from = y,
               .from_image = y_image, .from_row = y_row, .to = coarser + x_row + coarse,
               .to_image = x_image, .to_row = x_row, .taps = down_taps, .planes = planes,
               .parts = down_parts ? down_parts : 1},
      .gradient = {.side = side, .rows = coarse, .wanted_rows = coarse, .columns = fine,
                   .coarse = x + x_row + coarse, .coarse_image = x_image, .coarse_row = x_row,
                   .fine = y, .fine_image = y_image, .fine_row = y_row, .gradient = sums}};
  const size_t plane = BG_WIN_SUM * columns + BG_WIN_PAD;
  for (size_t t = 0; t < threads; t++) {
    it.scratch[t] = zeros(bg_scratch_floats(columns));
    it.room[t] = zeros(BG_WIN_PLANES * (coarse / BG_CHANNEL_UNIT *
                                            (BG_WIN_SUM * BG_CHANNEL_UNIT + BG_WIN_PAD) +
                                        plane));
  }

  double times[4] = {INFINITY, INFINITY, INFINITY, INFINITY};
  uint64_t up_bits[2];
  // First with ordinary stores, then past the caches.
  for (it.up.streams = 0; it.up.streams < 2; it.up.streams++) {
    double *time = &times[it.up.streams ? 3 : 0];
    memset(finer, 0, pictures * y_image * sizeof(float));
    for (int turn = 0; turn < turns; turn++) {
      double start = seconds();
      bg_pool_run(pool, groups, up_input, &it);
      bg_pool_run(pool, 4 * panels * it.up.parts, up_output, &it);
      *time = fmin(*time, seconds() - start);
    }
    up_bits[it.up.streams] = bits_of(finer, pictures * y_image);
  }
  for (int turn = 0; turn < turns; turn++) {
    double start = seconds();
    bg_pool_run(pool, 4 * groups, down_input, &it);
    bg_pool_run(pool, down_panels * it.down.parts, down_output, &it);
    times[1] = fmin(times[1], seconds() - start);
  }
  for (int turn = 0; turn < turns; turn++) {
    double start = seconds();
    bg_pool_run(pool, threads, gradient, &it);
    times[2] = fmin(times[2], seconds() - start);
  }

  // The sample contains every place in a tile and every column of a panel.
  errors up = {0}, down = {0}, all_taps = {0};
  for (size_t n = 0; n < pictures; n += 3)
    for (size_t p = 1; p <= 2 * side; p++)
      for (size_t q = 1; q <= 2 * side; q++)
        for (size_t d = (p + q) % 7; d < fine; d += 7)
          compare(&up, finer[n * y_image + p * y_row + q * fine + d],
                  up_at(&it, weights, n, p, q, d));
  for (size_t n = 0; n < pictures; n += 3)
    for (size_t i = 1; i <= side; i++)
      for (size_t j = 1; j <= side; j++)
        for (size_t c = (i + j) % 7; c < coarse; c += 7)
          compare(&down, coarser[n * x_image + i * x_row + j * coarse + c],
                  down_at(&it, weights, n, i, j, c));
  for (size_t k = 0; k < coarse * 16 * fine; k += 61)
    compare(&all_taps, sums[k], gradient_at(&it, k / fine / 16, k / fine % 16, k % fine));
  print(&it, "up", times[0], peak, up, up_bits[0]);
  print(&it, "up, streamed", times[3], peak, up, up_bits[1]);
  print(&it, "down", times[1], peak, down, bits_of(coarser, pictures * x_image));
  print(&it, "gradient", times[2], peak, all_taps, bits_of(sums, coarse * 16 * fine));

  float *const rooms[] = {x,     y,       weights, sums,   up_taps, down_taps,
                          finer, coarser, planes};
  for (size_t k = 0; k < sizeof rooms / sizeof *rooms; k++) free(rooms[k]);
  for (size_t t = 0; t < threads; t++) {
    free(it.scratch[t]);
    free(it.room[t]);
  }
}

int main(int argc, char **argv) {
  const int wanted = argc > 2 ? atoi(argv[2]) : bg_processors();
  const int count = argc > 3 ? atoi(argv[3]) : 4, turns = argc > 4 ? atoi(argv[4]) : 40;
  kernels = argc > 1 ? bg_kernels_named(argv[1]) : 0;
  if (!kernels || wanted < 1 || wanted > most_threads || count < 1 || count > 4096 || turns < 1) {
    fprintf(stderr, "layers: baseline|avx2|avx512|neon, as this processor has it"
                    " [threads [images [turns]]]\n");
    return 64;
  }
  pool = bg_pool_create(wanted);
  if (!pool) abort();
  threads = (size_t)bg_pool_threads(pool);
  pictures = (size_t)count;
  double peak = 0;
  volatile float used = 0;
  for (int turn = 0; turn < turns; turn++) {
    const size_t rounds = 100000;
    const double start = seconds();
    used += kernels->peak(rounds);
    peak = fmax(peak, 2.0 * rounds * BG_PEAK_CHAINS * kernels->lanes / (seconds() - start));
  }
  printf("%s, %zu threads, %zu images; %.0f GFLOP/s per thread in registers\n\n", kernels->name,
         threads, pictures, peak / 1e9);
  printf("| convolution | channels | us per image | GFLOP/s, counted directly |"
         " share of the direct peak | largest error / root mean square | bits |\n"
         "|---|---|---|---|---|---|---|\n");
  measure(4, 512, 256, turns, peak * threads);
  measure(8, 256, 128, turns, peak * threads);
  measure(16, 128, 64, turns, peak * threads);
  bg_pool_destroy(pool);
}
