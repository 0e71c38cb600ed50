// The hot loops of BollyGAN: a table of functions for each instruction set, and a pool of threads.
//
// Conventions, unless stated otherwise:
//
//   numbers    float32; strides, offsets and sizes count floats
//   maps       channels last: [images, rows, columns, channels]; where a job has a stride between
//              chunks, also [images, chunks, rows, columns, BG_CHANNEL_UNIT]
//   channels   padded with zeros to a multiple of BG_CHANNEL_UNIT
//   coarse     the map of side s that a layer reads (`up`) or writes (`down`)
//   fine       the layer's other map, of side 2 s
//   parity     a fine row of parity r, 0 or 1, sees rows r and r + 2 of the 4x4 taps. Fine rows -1,
//              1, 3, ... have parity 0, fine rows 0, 2, 4, ... parity 1. Columns likewise; a pair
//              of parities is numbered 2 * row parity + column parity
//   tile       BG_WIN_TILE x BG_WIN_TILE coarse pixels, numbered through all images, row by row
//   plane      one of the BG_WIN_PLANES transformed values of a tile, for all tiles and channels
//   panel      as many columns of a product's right operand as a register tile has
//   task       a part of a job; tasks of one kind may run in any order, on any threads
//
// A job is const for the kernels: they write only through its pointers.

#ifndef BG_KERNELS_H
#define BG_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// MARK: constants

// Channel counts are rounded up to this at every level, so that the layout of a buffer does not
// depend on the processor. 16 floats are a cache line, and the widest vector.
#define BG_CHANNEL_UNIT 16

// Rows of a product's left operand are gathered this many floats apart. A constant, so that one
// base register reaches all rows of a tile; 65 cache lines, an odd number, so that the rows do not
// compete for the same set of the L1 cache.
#define BG_ROW_STRIDE 1040

// The most products of one output that are summed before the sum is stored. A constant, because it
// is part of the sequence of roundings. A row of this depth fits BG_ROW_STRIDE.
#define BG_DEPTH_BLOCK 1024

// Independent chains of multiply-adds in the measurement of the peak: enough to hide the latency of
// a multiplication and the addition after it, few enough for 16 registers.
#define BG_PEAK_CHAINS 12

// Rows of the largest register tile of any level, rounded up.
#define BG_MAX_ROWS 16

// Products that are summed in float32 before the sum is added to one in float64, where that is
// asked for. A constant, because it is part of the sequence of roundings.
#define BG_SHORT_SUM 32

// Side of a tile of a coarse map, and the planes that it is transformed to or computed from: 5 x 5.
#define BG_WIN_TILE 4
#define BG_WIN_PLANES 25

// Products of a plane that are summed before the sum is added to the others. A constant, because it
// is part of the sequence of roundings: sums of 512 double the error.
#define BG_WIN_SUM 128

// Tiles whose products are stored before they are transformed to outputs.
#define BG_WIN_ROWS 96

// Side of the largest coarse map of bg_up, and the outputs of a panel's tiles that wait for the
// next tiles: a column of 5 of one tile, and a row of 4 * across + 1 of all tiles in a row.
#define BG_WIN_SIDE 64
#define BG_WIN_EDGE (BG_WIN_TILE + 1 + BG_WIN_SIDE + 1)

// Floats between planes, so that planes do not compete for the same sets of a cache.
#define BG_WIN_PAD 16

// MARK: scratch memory

// Floats of scratch memory that a thread needs for up_output and down_output, at a level whose
// register tile has `columns` columns: planes of weights and of products, and the waiting outputs.
static inline size_t bg_scratch_floats(size_t columns) {
  return BG_WIN_PLANES * ((BG_WIN_SUM + BG_WIN_ROWS) * columns + 2 * BG_WIN_PAD) +
         BG_WIN_EDGE * columns;
}

// Rows of tiles of the last layer that are computed together: 16 tiles, but at least one row and at
// most the whole map of `side` coarse pixels.
static inline size_t bg_picture_high(size_t side) {
  const size_t across = side / BG_WIN_TILE, high = 16 / across;
  return high < 1 ? 1 : high < across ? high : across;
}

// Rows that the planes of those tiles have room for, at every level: whole steps of 4 rows.
static inline size_t bg_picture_rows(size_t side) {
  return (bg_picture_high(side) * (side / BG_WIN_TILE) + 3) / 4 * 4;
}

// Columns of the last layer's products: the channels of four parities, padded to whole vectors.
static inline size_t bg_picture_columns(size_t channels, size_t lanes) {
  return (4 * channels + lanes - 1) / lanes * lanes;
}

// Floats of scratch memory that a thread needs for fast_picture, in the order in which it uses
// them: planes of inputs and of products, the bias, a row of the image, and sums.
static inline size_t bg_picture_floats(size_t side, size_t depth, size_t channels, size_t lanes) {
  const size_t columns = bg_picture_columns(channels, lanes);
  return BG_WIN_PLANES * (bg_picture_rows(side) * (depth + columns) + 2 * BG_WIN_PAD) + columns +
         (2 * side + 2) * channels + lanes +
         (bg_picture_high(side) * BG_WIN_TILE + 1) * (side + 1) * columns + lanes;
}

// MARK: jobs

// Where the register tile of a product goes, and what happens to it on the way.
typedef struct {
  float *const *rows;  // `count` rows of the result
  size_t count;        // rows that are wanted, at most the level's `rows`
  size_t columns;      // floats of a row that are wanted, at most the level's `columns`
  const float *bias;   // `columns` floats that the sums start from; null: zeros
  int accumulate;      // the sums start from the contents of the rows, instead of the bias
  int rectify;         // max(sum, 0) + slope * min(sum, 0) is stored instead of the sum
  float slope;         // 0: ReLU
} bg_tile;

// `up`, a transposed convolution from a coarse map to a fine one (kernel 4, stride 2, padding 1),
// as a fast convolution.
typedef struct {
  size_t images;
  size_t side;           // of the coarse map: a multiple of BG_WIN_TILE, at most BG_WIN_SIDE
  size_t depth;          // channels of the coarse map, padded
  size_t columns;        // channels of the fine map, padded
  const float *from;     // pixel (0, 0) of the first coarse map
  ptrdiff_t from_image;  // strides of the coarse maps
  ptrdiff_t from_row;
  ptrdiff_t from_pixel;
  ptrdiff_t from_chunk;
  float *to;             // pixel (0, 0) of the first fine map
  ptrdiff_t to_image;    // strides of the fine maps
  ptrdiff_t to_row;
  ptrdiff_t to_pixel;
  ptrdiff_t to_chunk;
  const float *taps;     // [4 parities][panels][depth][2][2][the level's columns], by bg_pack_up
  const float *bias;     // [panels * the level's columns], added to the fine channels; null: none
  float slope;           // factor of outputs below 0: 0 is ReLU, 1 is none
  float *planes;         // room for the transformed inputs of all tiles
  size_t parts;          // ranges of images that each panel's work is cut into
  int streams;           // whole panels are stored past the caches, for which `to` and all of its
                         // strides are multiples of 64 bytes
} bg_up;

// `down`, a convolution from a fine map to a coarse one (kernel 4, stride 2, padding 1), as a fast
// convolution.
typedef struct {
  size_t images;
  size_t side;           // of the coarse map: a multiple of BG_WIN_TILE
  size_t depth;          // channels of the fine map, padded
  size_t columns;        // channels of the coarse map, padded
  const float *from;     // pixel (-1, -1) of the first fine map, which has a margin of zeros
  ptrdiff_t from_image;  // strides of the fine maps
  ptrdiff_t from_row;
  float *to;             // pixel (0, 0) of the first coarse map
  ptrdiff_t to_image;    // strides of the coarse maps
  ptrdiff_t to_row;
  const float *taps;     // [panels][4 parities][depth][2][2][the level's columns], by bg_pack_down
  float *planes;         // room for the transformed inputs of all tiles
  size_t parts;          // ranges of tiles that each panel's work is cut into
} bg_down;

// The gradient of the weights between a coarse and a fine map, over at most BG_WIN_SUM tiles.
typedef struct {
  size_t side;             // of the coarse map: a multiple of BG_WIN_TILE
  size_t rows;             // channels of the coarse map, padded
  size_t wanted_rows;      // channels of the coarse map that `gradient` has
  size_t columns;          // channels of the fine map, padded
  const float *coarse;     // pixel (0, 0) of the first coarse map
  ptrdiff_t coarse_image;  // strides of the coarse maps
  ptrdiff_t coarse_row;
  const float *fine;       // pixel (-1, -1) of the first fine map, which has a margin of zeros
  ptrdiff_t fine_image;    // strides of the fine maps
  ptrdiff_t fine_row;
  size_t first;            // first tile, counted through all images
  size_t tiles;            // number of tiles
  float *gradient;         // [wanted_rows][4][4][columns]
  int accumulates;         // adds to `gradient` instead of overwriting it
} bg_gradient;

// The last layer of a generator: `up` from a coarse map to an image of few channels, with bias and,
// unless `linear`, tanh. Exactly one of `bytes`, `planar` and `map` is not null.
typedef struct {
  size_t side;           // of the coarse map; for `fast_picture` a multiple of BG_WIN_TILE
  size_t depth;          // channels of the coarse map, padded
  size_t channels;       // of the image, not padded
  const float *from;     // pixel (0, 0) of the first coarse map
  ptrdiff_t from_image;  // strides of the coarse maps
  ptrdiff_t from_row;
  ptrdiff_t from_pixel;
  ptrdiff_t from_chunk;
  const float *weights;  // `direct_picture`: [depth][4][4][channels]
  const float *planes;   // `fast_picture`: [25][depth][bg_picture_columns], by bg_pack_picture
  const float *bias;     // [channels]
  uint8_t *bytes;        // [images][2 side][2 side][channels], 0...255
  float *planar;         // [images][channels][2 side][2 side], -1...1
  float *map;            // pixel (0, 0) of the first image, channels last
  ptrdiff_t map_image;   // strides of `map`
  ptrdiff_t map_row;
  int linear;            // without tanh
  size_t parts;          // ranges of rows that each image is cut into
} bg_picture;

// Adam's constants for update t (Kingma and Ba 2015, arXiv:1412.6980), as PyTorch computes them.
typedef struct {
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float step_size;            // learning rate / (1 - beta1^t)
  float root_of_correction2;  // sqrt(1 - beta2^t)
  float epsilon;
} bg_adam;

// MARK: kernels

// The functions of one instruction set, and the sizes that callers need to lay out memory for them.
//
// Swift treats the table as safe and sendable: it never changes, and its functions, which take
// pointers, stay unsafe to call.
typedef struct __attribute__((swift_attr("@safe"), swift_attr("@Sendable"))) bg_kernels {
  const char *name;     // as bg_kernels_named takes it
  int lanes;            // floats in a vector
  int rows;             // of a register tile
  int columns;          // of a register tile: a whole number of vectors
  int row_step;         // smaller tiles have a multiple of this many rows
  int small_job_tiles;  // bg_up and bg_down jobs of at most this many tiles work in groups of
                        // `row_step` tiles, larger ones in groups of `rows`
  int fused;            // whether a * b + c is rounded once

  // Multiplies a tile of rows by a panel.
  //
  //   tile[p][d] = start + sum over k of rows[p * BG_ROW_STRIDE + k] * panel[k * columns + d]
  //
  // Reads tile->count rows, rounded up to a multiple of `row_step`, or a single one.
  void (*multiply_rows)(size_t depth, const float *rows, const float *panel, const bg_tile *tile);

  // The same with smaller rounding errors: sums of BG_SHORT_SUM products in float32 are added up in
  // float64. `rectify` is ignored, and `rows` rows are read however few are wanted.
  void (*multiply_rows_float64)(size_t depth, const float *rows, const float *panel,
                               const bg_tile *tile);

  // Multiplies two panels, [depth][rows] and [depth][columns].
  //
  //   tile[p][d] = start + sum over k of left[k * rows + p] * right[k * columns + d]
  void (*multiply_panels)(size_t depth, const float *left, const float *right,
                          const bg_tile *tile);

  // Fast `up`. First all tasks of up_input, one for each group of tiles; groups have `row_step`
  // tiles if the job has at most `small_job_tiles` of them, else `rows`. Then all tasks of
  // up_output: 4 * panels * parts. `scratch`: bg_scratch_floats(columns) floats of the thread's
  // own.
  void (*up_input)(const bg_up *job, size_t task);
  void (*up_output)(const bg_up *job, size_t task, float *scratch);

  // Fast `down`. First all tasks of down_input, 4 for each group of tiles, then all tasks of
  // down_output: panels * parts. `scratch` as above.
  void (*down_input)(const bg_down *job, size_t task);
  void (*down_output)(const bg_down *job, size_t task, float *scratch);

  // The gradient of the weights, in blocks. gradient_coarse transforms a chunk of BG_CHANNEL_UNIT
  // coarse channels to [BG_WIN_PLANES][tiles][BG_CHANNEL_UNIT]; gradient_fine transforms a panel of
  // fine channels (those of four parities follow one another) to [BG_WIN_PLANES][tiles][columns];
  // planes are BG_WIN_PAD floats apart. gradient_output computes the gradient from both. `scratch`:
  // BG_WIN_PLANES * (BG_CHANNEL_UNIT * columns + BG_WIN_PAD) floats.
  void (*gradient_coarse)(const bg_gradient *job, size_t chunk, float *planes);
  void (*gradient_fine)(const bg_gradient *job, size_t panel, float *planes);
  void (*gradient_output)(const bg_gradient *job, size_t chunk, const float *left, size_t panel,
                          const float *right, float *scratch);

  // The last layer, tasks 0..<images * parts. direct_picture sums as in the definition, with
  // weights as training keeps them; fast_picture needs half as many products, and transformed
  // weights. `scratch`: for fast_picture bg_picture_floats, for direct_picture (side + rows) *
  // depth + 2 * side * channels + 2 * (side + 2 + rows) * 16 * channels floats.
  void (*direct_picture)(const bg_picture *job, size_t task, float *scratch);
  void (*fast_picture)(const bg_picture *job, size_t task, float *scratch);

  // Batch normalisation with a rectifier, over [pixels][channels]:
  //
  //   out[p][c] = act(z)   with z = (in[p][c] - mean[c]) * scale[c] + shift[c]
  //                        and  act(z) = z > 0 ? z : slope * z
  void (*normalise)(size_t pixels, size_t channels, const float *in, const float *mean,
                    const float *scale, const float *shift, float slope, float *out);

  // Adds to the sum of each channel: sum[c] += in[p][c] over the pixels.
  void (*channel_sums)(size_t pixels, size_t channels, const float *in, float *sum);

  // Adds to the squared deviations of each channel: sum[c] += (in[p][c] - mean[c])^2.
  void (*channel_deviations)(size_t pixels, size_t channels, const float *in, const float *mean,
                             float *sum);

  // Adds to the two sums that the gradient of `normalise` needs. With z and act as above and dz =
  // gradient * act'(z):
  //
  //   sum[c] += dz   and   product[c] += dz * (in[p][c] - mean[c])   over the pixels
  void (*norm_gradient_sums)(size_t pixels, size_t channels, const float *in, const float *gradient,
                             const float *mean, const float *scale, const float *shift, float slope,
                             float *sum, float *product);

  // The gradient of `normalise`, with dz as above; `out` may be `gradient`:
  //
  //   out[p][c] = a[c] * dz + b[c] * (in[p][c] - mean[c]) + addend[c]
  void (*norm_gradient_apply)(size_t pixels, size_t channels, const float *in,
                              const float *gradient, const float *mean, const float *scale,
                              const float *shift, float slope, const float *a, const float *b,
                              const float *addend, float *out);

  // out = tanh(in), within 2 ulp; `out` may be `in`.
  void (*tanh)(size_t count, const float *in, float *out);

  // out = gradient * (1 - y * y), for y = tanh(x).
  void (*tanh_gradient)(size_t count, const float *y, const float *gradient, float *out);

  // One Adam update of `count` weights and their two moments. Returns whether all of them are
  // finite afterwards.
  int (*adam)(size_t count, const float *gradient, float *first, float *second, float *weight,
               const bg_adam *constants);

  // Computes 2 * lanes * BG_PEAK_CHAINS operations, `rounds` times, in registers alone: what the
  // processor could do if memory were free. The result depends on all of them.
  float (*peak)(size_t rounds);
} bg_kernels;

// The table of a level by name ("baseline", "avx2", "avx512", "neon"), or null if this build or
// this processor does not have it.
const bg_kernels *bg_kernels_named(const char *name);

// MARK: operands

// Gathers rows for multiply_rows. A row consists of runs of `length` floats: run s of row p begins
// at map + row_offsets[p] + s * segment_stride. Floats [first, first + depth) of each of `rows`
// rows are copied, to rows BG_ROW_STRIDE apart.
void bg_gather_rows(float *block, const float *map, const ptrdiff_t *row_offsets, size_t rows,
                    size_t length, ptrdiff_t segment_stride, size_t first, size_t depth);

// Gathers such rows, of `segments` runs each, as a panel: panel[p * columns + j] is row p's float
// first + j, or zero beyond the end of the row.
void bg_gather_panel(float *panel, const float *map, const ptrdiff_t *row_offsets, size_t rows,
                     size_t segments, size_t length, ptrdiff_t segment_stride, size_t first,
                     size_t columns);

// Transposes a row-major matrix [rows][depth], rows `stride` apart, to a panel: panel[k * columns +
// j] is matrix[j * stride + k] for j < rows, else zero.
void bg_transpose_panel(float *panel, const float *matrix, size_t stride, size_t rows, size_t depth,
                        size_t columns);

// Packs coarse channels [first, last) of a kernel [depth][outputs][4][4] as taps of bg_up, each
// times its output's scale[output]. `kernel` points to channel `first`. Columns of `taps` beyond
// `outputs` are not written.
void bg_pack_up(const float *kernel, size_t first, size_t last, size_t outputs, const double *scale,
                size_t depth, size_t panels, size_t columns, float *taps);

// Packs coarse channels [first, last) of weights [depth][4][4][stride] as taps of bg_up, all times
// `scale`. `weights` points to channel 0.
void bg_pack_up_rows(const float *weights, size_t first, size_t last, size_t stride, double scale,
                     size_t depth, size_t panels, size_t columns, float *taps);

// Packs fine channels [first, last) of weights [coarse_channels][4][4][depth] as taps of bg_down,
// all times `scale`. `last - first` is a multiple of 4; `weights` points to channel 0.
void bg_pack_down(const float *weights, size_t first, size_t last, size_t coarse_channels,
                  double scale, size_t depth, size_t panels, size_t columns, float *taps);

// Transforms a kernel [inputs][channels][4][4], each channel times scale[channel], to the planes of
// fast_picture. Inputs from `inputs` to `depth` and columns beyond 4 * channels are not written.
void bg_pack_picture(const float *kernel, size_t inputs, size_t channels, const double *scale,
                     size_t depth, size_t columns, float *planes);

// MARK: threads

// The number of processors that this process may use, at least 1.
int bg_processors(void);

// A pool of threads for tasks of microseconds: idle threads spin for a while before they sleep.
typedef struct bg_pool bg_pool;

// Creates a pool of `threads` threads, the caller's included, or of fewer if the system refuses
// some. Returns null if `threads` is below 1 or memory is exhausted.
bg_pool *bg_pool_create(int threads);

// Ends the threads of a pool and frees it. No round may be running. Null is allowed.
void bg_pool_destroy(bg_pool *pool);

// The number of threads of a pool, the caller's included.
int bg_pool_threads(const bg_pool *pool);

// Calls body(context, task, thread) once for each task < tasks, in any order, on the pool's threads
// and the caller's, and returns when all calls have. `thread` is below bg_pool_threads and differs
// between calls that run at the same time. Callers on different threads take turns.
void bg_pool_run(bg_pool *pool, size_t tasks,
                 void (*body)(void *context, size_t task, int thread), void *context);

#endif
