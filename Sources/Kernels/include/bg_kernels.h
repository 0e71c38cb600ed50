// The hot loops of BollyGAN, one table of them for each instruction set.
//
// All maps are float32, channels last: [images, rows, columns, channels]. Loops that walk channels
// take counts that are multiples of BG_CHANNEL_UNIT; the caller pads with zeros. Where a job says how far
// apart chunks of BG_CHANNEL_UNIT channels lie, maps may be [images, chunks, rows, columns, BG_CHANNEL_UNIT] as well.

#ifndef BG_KERNELS_H
#define BG_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// Channel counts of maps inside the engine are rounded up to this, at every level, so that a
// buffer's layout does not depend on the processor.
#define BG_CHANNEL_UNIT 16

// Rows of the left operand of a product are gathered this many floats apart. Constant, so that all
// rows of a tile are reached from one base register; 65 cache lines, an odd number, so that the
// rows do not fall into the same set of the L1 cache.
#define BG_ROW_STRIDE 1040

// Most products of one output that are summed before the sum goes to memory. Part of the sequence
// of roundings, so a constant.
#define BG_DEPTH_BLOCK 1024

// Sums that run side by side where the peak is measured: enough to hide the latency of a multiply
// and an add one behind the other, few enough for 16 registers.
#define BG_PEAK_CHAINS 12

// Rows of the largest tile of any level.
#define BG_MAX_ROWS 16

// Products that are summed in float32 before the sum joins one in float64, where that is asked for.
// Part of the sequence of roundings, so a constant.
#define BG_SHORT_SUM 32

// Sides of a tile of a coarse map, and the planes of products that it is computed from or transformed into.
#define BG_WIN_TILE 4
#define BG_WIN_PLANES 25

// Products of such a plane that are summed before the sum is added to the others. Part of the
// sequence of roundings, so a constant: with sums of 512 the errors are twice as large.
#define BG_WIN_SUM 128

// Tiles whose products are kept until they become outputs.
#define BG_WIN_ROWS 96

// Sides of the largest coarse map of bg_up, and the outputs of a panel's tiles that wait for others:
// a column of one tile, and a row of all tiles.
#define BG_WIN_SIDE 64
#define BG_WIN_EDGE (BG_WIN_TILE + 1 + BG_WIN_SIDE + 1)

// Floats between planes, so that they do not fall into the same sets of a cache.
#define BG_WIN_PAD 16

// Floats of a thread's own memory that bg_up and bg_down want, at a level of `columns`: planes of taps and of
// products, and what waits.
static inline size_t bg_scratch_floats(size_t columns) {
  return BG_WIN_PLANES * ((BG_WIN_SUM + BG_WIN_ROWS) * columns + 2 * BG_WIN_PAD) +
         BG_WIN_EDGE * columns;
}

// Rows of tiles of the last layer that are computed together: 16 tiles, but at least a whole row, and at most the map.
static inline size_t bg_picture_high(size_t side) {
  const size_t across = side / BG_WIN_TILE, high = 16 / across;
  return high < 1 ? 1 : high < across ? high : across;
}

// Rows that the planes of these tiles have room for, whatever the level's groups.
static inline size_t bg_picture_rows(size_t side) {
  return (bg_picture_high(side) * (side / BG_WIN_TILE) + 3) / 4 * 4;
}

// Columns of its products: the channels of four parities, filled up to whole vectors.
static inline size_t bg_picture_columns(size_t channels, size_t lanes) {
  return (4 * channels + lanes - 1) / lanes * lanes;
}

// Floats of a thread's own memory that fast_picture wants.
static inline size_t bg_picture_floats(size_t side, size_t depth, size_t channels, size_t lanes) {
  const size_t columns = bg_picture_columns(channels, lanes);
  return BG_WIN_PLANES * (bg_picture_rows(side) * (depth + columns) + 2 * BG_WIN_PAD) + columns +
         (2 * side + 2) * channels + lanes +
         (bg_picture_high(side) * BG_WIN_TILE + 1) * (side + 1) * columns + lanes;
}

// Where the tile of a product goes, and what is done on the way.
typedef struct {
  float *const *rows;  // `count` rows of the result
  size_t count;        // rows that are wanted, at most the level's `rows`
  size_t columns;      // floats of a row that are wanted, at most the level's `columns`
  const float *bias;   // `columns` addends the sum starts from; null: zeros
  int accumulate;      // the sum starts from what stands in the rows (instead of the bias)
  int rectify;         // max(sum, 0) + slope * min(sum, 0) is stored
  float slope;         // 0: ReLU
} bg_tile;

// `up` from a coarse map to a fine one (kernel 4, stride 2, padding 1) by fast convolution.
typedef struct {
  size_t images;
  size_t side;             // of the coarse map, a multiple of BG_WIN_TILE, at most BG_WIN_SIDE
  size_t depth;            // channels of the coarse map, padded
  size_t columns;          // channels of the fine map, padded
  const float *from;       // pixel (0, 0) of the first coarse map
  ptrdiff_t from_image, from_row, from_pixel, from_chunk;
  float *to;               // pixel (0, 0) of the first fine map
  ptrdiff_t to_image, to_row, to_pixel, to_chunk;
  const float *taps;       // [4 parities][panels][depth][2][2][the level's columns]
  const float *bias;       // a fine channel's addend; null: none
  float slope;             // outputs below 0 are multiplied by it: 0 for ReLU, 1 for none
  float *planes;           // room for the transformed inputs
  size_t parts;            // that the images are cut into
  int streams;             // whole panels go past the caches, in whole cache lines: `to` and all of its strides are
                           // of 64 bytes
} bg_up;

// `down` from a fine map to a coarse one (kernel 4, stride 2, padding 1) by fast convolution.
typedef struct {
  size_t images;
  size_t side;             // of the coarse map, a multiple of BG_WIN_TILE
  size_t depth;            // channels of the fine map, padded
  size_t columns;          // channels of the coarse map, padded
  const float *from;       // pixel (-1, -1) of the first fine map, in a margin of zeros
  ptrdiff_t from_image, from_row;
  float *to;               // pixel (0, 0) of the first coarse map
  ptrdiff_t to_image, to_row;
  const float *taps;       // [panels][4 parities][depth][2][2][the level's columns]
  float *planes;           // room for the transformed inputs
  size_t parts;            // that the tiles are cut into
} bg_down;

// The gradient of the weights between a coarse and a fine map, from at most BG_WIN_SUM tiles.
typedef struct {
  size_t side;             // of the coarse map, a multiple of BG_WIN_TILE
  size_t rows;             // channels of the coarse map, padded
  size_t wanted_rows;      // of these, in `gradient`
  size_t columns;          // channels of the fine map, padded
  const float *coarse;     // pixel (0, 0) of the first coarse map
  ptrdiff_t coarse_image, coarse_row;
  const float *fine;       // pixel (-1, -1) of the first fine map, in a margin of zeros
  ptrdiff_t fine_image, fine_row;
  size_t first, tiles;     // of all images' tiles, row by row
  float *gradient;         // [wanted_rows][4][4][columns]
  int accumulates;         // adds to what stands there
} bg_gradient;

// The last layer: from a coarse map to a picture of few channels (kernel 4, stride 2, padding 1),
// behind tanh unless `linear`. Exactly one of `bytes`, `planar` and `map` is given.
typedef struct {
  size_t side;             // of the coarse map; for `fast_picture` a multiple of BG_WIN_TILE
  size_t depth;            // its channels, padded
  size_t channels;         // of the picture
  const float *from;       // pixel (0, 0) of the first coarse map
  ptrdiff_t from_image, from_row, from_pixel, from_chunk;
  const float *weights;    // [depth][4][4][channels], for `picture`
  const float *planes;     // [25][depth][bg_picture_columns], for `fast_picture`
  const float *bias;       // [channels]
  uint8_t *bytes;          // [images][2 side][2 side][channels], 0...255
  float *planar;           // [images][channels][2 side][2 side]
  float *map;              // pixel (0, 0) of the first picture, channels last
  ptrdiff_t map_image, map_row;
  int linear;
  size_t parts;            // that each picture is cut into
} bg_picture;

// Adam's constants for one update (Kingma and Ba 2015, arXiv:1412.6980), in PyTorch's order.
typedef struct {
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float step_size;             // rate / (1 - beta1^t)
  float root_of_correction2;   // sqrt(1 - beta2^t)
  float epsilon;
} bg_adam;

typedef struct bg_kernels {
  const char *name;
  int lanes;    // floats in a vector
  int rows;     // of a product tile
  int columns;  // of a product tile
  int row_step; // groups of tiles in bg_up have a multiple of it
  int few;      // tiles up to which bg_up works in groups of row_step
  int fused;    // whether a * b + c is rounded once

  // tile[p][d] = start + sum over k of rows[p * BG_ROW_STRIDE + k] * panel[k * columns + d]. Of
  // `rows` as many are read as are wanted, rounded up to `row_step`.
  void (*multiply_rows)(size_t depth, const float *rows, const float *panel, const bg_tile *tile);

  // The same, with less rounding: sums of BG_SHORT_SUM products in float32, added up in float64.
  // Nothing is rectified, and a whole tile of rows is read, however few are wanted.
  void (*multiply_rows_float64)(size_t depth, const float *rows, const float *panel,
                               const bg_tile *tile);

  // tile[p][d] = start + sum over k of left[k * rows + p] * right[k * columns + d]
  void (*multiply_panels)(size_t depth, const float *left, const float *right,
                          const bg_tile *tile);

  // Fast `up`: all tasks of `up_input`, one for each group of tiles, then all of `up_output`, 4 * panels *
  // parts. Groups are as many as of `row_step` tiles up to `few` of them in all, as of `rows` tiles beyond.
  // `scratch` is a thread's own.
  void (*up_input)(const bg_up *job, size_t task);
  void (*up_output)(const bg_up *job, size_t task, float *scratch);

  // Fast `down`: all tasks of `down_input`, 4 for each group of tiles, then all of `down_output`,
  // panels * parts.
  void (*down_input)(const bg_down *job, size_t task);
  void (*down_output)(const bg_down *job, size_t task, float *scratch);

  // The gradient of the weights, in blocks: the planes of a chunk of BG_CHANNEL_UNIT coarse channels,
  // [BG_WIN_PLANES][tiles][BG_CHANNEL_UNIT], those of a panel of the level's columns (of 4 parities of
  // the fine channels), [BG_WIN_PLANES][tiles][columns], and what both make of the gradient. Planes
  // are BG_WIN_PAD floats longer. `scratch`: BG_WIN_PLANES * (BG_CHANNEL_UNIT * columns + BG_WIN_PAD)
  // floats.
  void (*gradient_coarse)(const bg_gradient *job, size_t chunk, float *planes);
  void (*gradient_fine)(const bg_gradient *job, size_t panel, float *planes);
  void (*gradient_output)(const bg_gradient *job, size_t chunk, const float *left, size_t panel,
                          const float *right, float *scratch);

  // Tasks 0..<images * parts of a picture layer: each pixel with all taps, summed as in the definition, or as a fast
  // convolution, with half as many products.
  void (*picture)(const bg_picture *job, size_t task, float *scratch);
  void (*fast_picture)(const bg_picture *job, size_t task, float *scratch);

  // out[p][c] = act(z) with z = (in[p][c] - mean[c]) * scale[c] + shift[c]
  // and act(z) = z > 0 ? z : slope * z
  void (*normalise)(size_t pixels, size_t channels, const float *in, const float *mean,
                    const float *scale, const float *shift, float slope, float *out);

  // sum[c] += in[p][c] over the pixels
  void (*channel_sums)(size_t pixels, size_t channels, const float *in, float *sum);

  // sum[c] += (in[p][c] - mean[c])^2 over the pixels
  void (*channel_deviations)(size_t pixels, size_t channels, const float *in, const float *mean,
                             float *sum);

  // With dz = gradient * act'(z), z and act as above:
  // sum[c] += dz, product[c] += dz * (in - mean[c]) over the pixels
  void (*norm_gradient_sums)(size_t pixels, size_t channels, const float *in, const float *gradient,
                             const float *mean, const float *scale, const float *shift, float slope,
                             float *sum, float *product);

  // out = a[c] * dz + b[c] * (in - mean[c]) + c0[c], dz as above; `out` may be `gradient`
  void (*norm_gradient_apply)(size_t pixels, size_t channels, const float *in,
                              const float *gradient, const float *mean, const float *scale,
                              const float *shift, float slope, const float *a, const float *b,
                              const float *c0, float *out);

  // out = tanh(in); in and out may be the same
  void (*tanh)(size_t count, const float *in, float *out);

  // out = gradient * (1 - y * y) with y = tanh(x) as given
  void (*tanh_gradient)(size_t count, const float *y, const float *gradient, float *out);

  // One update of `count` weights. Returns whether all weights and moments are finite afterwards.
  int (*adam)(size_t count, const float *gradient, float *first, float *second, float *weight,
               const bg_adam *constants);

  // `rounds` of 2 * lanes * BG_PEAK_CHAINS operations in registers alone: what the processor could
  // do if memory were no matter. Returns a number that depends on all of them.
  float (*peak)(size_t rounds);
} bg_kernels;

// The table of a level by name ("baseline", "avx2", "avx512", "neon"), or null where this build or
// this processor does not have it.
const bg_kernels *bg_kernels_named(const char *name);

// Copies floats [first, first + depth) of each row into rows BG_ROW_STRIDE apart. A row is runs of
// `length` floats, run s of row p at map + row_offsets[p] + s * segment_stride.
void bg_gather_rows(float *block, const float *map, const ptrdiff_t *row_offsets, size_t rows,
                    size_t length, ptrdiff_t segment_stride, size_t first, size_t depth);

// Floats of such rows as a panel: panel[p * columns + j] = row p's float first + j; zeros from the
// row's end (`segments` runs) to `columns`.
void bg_gather_panel(float *panel, const float *map, const ptrdiff_t *row_offsets, size_t rows,
                     size_t segments, size_t length, ptrdiff_t segment_stride, size_t first,
                     size_t columns);

// The transpose of a row-major matrix as a panel: panel[k * columns + j] = matrix[j * stride + k] for
// j < rows, 0 for the rest of the columns.
void bg_transpose_panel(float *panel, const float *matrix, size_t stride, size_t rows, size_t depth,
                        size_t columns);

// Channels first..<last of a kernel [depth][outputs][4][4], from the first of them on, as the taps of
// bg_up, each times its output's `scale`; whatever the taps have beside is left alone.
void bg_pack_up(const float *kernel, size_t first, size_t last, size_t outputs, const double *scale,
                size_t depth, size_t panels, size_t columns, float *taps);

// The same of weights [depth][4][4][stride], all times `scale`.
void bg_pack_up_rows(const float *weights, size_t first, size_t last, size_t stride, double scale,
                     size_t depth, size_t panels, size_t columns, float *taps);

// Fine channels first..<last, whose number is a multiple of 4, of weights [coarse channels][4][4][depth] as the taps of
// bg_down, all times `scale`.
void bg_pack_down(const float *weights, size_t first, size_t last, size_t coarse_channels,
                  double scale, size_t depth, size_t panels, size_t columns, float *taps);

// A kernel [inputs][channels][4][4], each channel times its `scale`, as the planes of fast_picture.
void bg_pack_picture(const float *kernel, size_t inputs, size_t channels, const double *scale,
                     size_t depth, size_t columns, float *planes);

// The processors that this process may use, at least 1.
int bg_processors(void);

// A pool of threads for tasks of microseconds: waiting threads spin a little before they sleep.
typedef struct bg_pool bg_pool;

// Threads in all, the caller's included; null where the system gives none.
bg_pool *bg_pool_create(int threads);
void bg_pool_destroy(bg_pool *pool);
int bg_pool_threads(const bg_pool *pool);

// Calls body(context, task, thread) once for each task below `tasks`, in any order, on the pool's
// threads and the caller's; returns when all have ended. Callers on different threads take turns.
void bg_pool_run(bg_pool *pool, size_t tasks,
                 void (*body)(void *context, size_t task, int thread), void *context);

#endif
