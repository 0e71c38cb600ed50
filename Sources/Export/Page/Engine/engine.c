// Draws images with the loops of Sources/Kernels, one at a time: a page asks for single images, and
// the maps of one image stay in the cache.

#include "engine.h"

#include <string.h>

#include "bg_kernels.h"

extern const bg_kernels bg_kernels_wasm;

enum { MAX_MAPS = 7 };  // images of 4 << 6 = 256 pixels a side come from 6 hidden maps

static struct {
  size_t latent, channels, maps, side;
  size_t widths[MAX_MAPS];  // channels of the hidden maps, and those rounded up
  size_t depths[MAX_MAPS];
  float slope;
  float *first;             // [latent][16 pixels of padded channels], in the order of the first map
  float *first_bias;
  float *taps[MAX_MAPS];    // of layer 1, 2, ...
  float *bias[MAX_MAPS];
  size_t panels[MAX_MAPS];
  float *last, *last_bias;
  float *in[MAX_MAPS];      // hidden maps, in chunks of channels
  float *planes, *scratch;
  double *scales;           // an output channel's factor, with that of the transforms
  float *kernels;           // an input channel's kernels in float32, while weights are packed
  uint8_t *bytes, *pixels;
} net;

static size_t rounded_up(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

static size_t side_of(size_t map) { return (size_t)4 << map; }

// Floats between two chunks of channels of a map.
static size_t chunk_stride(size_t map) { return side_of(map) * side_of(map) * BG_CHANNEL_UNIT; }

static size_t largest(size_t a, size_t b) { return a > b ? a : b; }

int bg_open(size_t latent, size_t channels, float slope, const size_t *widths, size_t maps) {
  const bg_kernels *const kernels = &bg_kernels_wasm;
  const size_t columns = (size_t)kernels->columns, lanes = (size_t)kernels->lanes;
  if (latent < 1 || latent > 1024 || maps < 2 || maps > MAX_MAPS - 1) return 1;
  if (channels != 1 && channels != 3) return 1;
  for (size_t map = 0; map < maps; map++)
    if (widths[map] < 1 || widths[map] > 16384) return 1;
  memset(&net, 0, sizeof net);
  net.latent = latent;
  net.channels = channels;
  net.maps = maps;
  net.slope = slope;
  net.side = side_of(maps);
  size_t planes = 0;
  for (size_t map = 0; map < maps; map++) {
    net.widths[map] = widths[map];
    net.depths[map] = rounded_up(widths[map], BG_CHANNEL_UNIT);
    const size_t side = side_of(map);
    if (!(net.in[map] = bg_room(side * side * net.depths[map] * sizeof(float)))) return 2;
    if (map == 0) continue;
    const size_t before = net.depths[map - 1];
    net.panels[map] = (net.depths[map] + columns - 1) / columns;
    net.taps[map] = bg_room(16 * net.panels[map] * before * columns * sizeof(float));
    net.bias[map] = bg_room(net.panels[map] * columns * sizeof(float));
    if (!net.taps[map] || !net.bias[map]) return 2;
    const size_t across = side / 2 / BG_WIN_TILE;
    const size_t rows = rounded_up(across * across, (size_t)kernels->rows);
    planes = largest(planes, BG_WIN_PLANES * (rows * before + BG_WIN_PAD));
  }
  const size_t depth = net.depths[maps - 1], side = side_of(maps - 1);
  const size_t picture = bg_picture_columns(channels, lanes);
  const size_t scratch =
      largest(bg_scratch_floats(columns), bg_picture_floats(side, depth, channels, lanes));
  net.first = bg_room(latent * 16 * net.depths[0] * sizeof(float));
  net.first_bias = bg_room(16 * net.depths[0] * sizeof(float));
  net.last = bg_room(BG_WIN_PLANES * depth * picture * sizeof(float));
  net.last_bias = bg_room(channels * sizeof(float));
  net.planes = bg_room(planes * sizeof(float));
  net.scratch = bg_room(scratch * sizeof(float));
  size_t widest = channels;
  for (size_t map = 0; map < maps; map++) widest = largest(widest, widths[map]);
  net.kernels = bg_room(widest * 16 * sizeof(float));
  net.scales = bg_room(widest * sizeof(double));
  net.bytes = bg_room(net.side * net.side * channels);
  net.pixels = bg_room(net.side * net.side * 4);
  return net.first && net.first_bias && net.last && net.last_bias && net.planes && net.scratch &&
                 net.kernels && net.scales &&
                 net.bytes && net.pixels
             ? 0
             : 2;
}

// An IEEE 754 half as a float: exponent and fraction move into place, and one multiplication by
// 2^112 corrects the exponent's bias, subnormal numbers included.
static float widened(uint16_t half) {
  union { uint32_t bits; float value; } word = {(uint32_t)(half & 0x7fff) << 13};
  word.value *= 0x1p112f;
  if ((half & 0x7c00) == 0x7c00) word.bits |= 0x7f800000;
  word.bits |= (uint32_t)(half & 0x8000) << 16;
  return word.value;
}

// One input channel's kernels, [outputs][4][4], in float32. Half-precision ones go through a buffer
// that is as large as the largest layer needs.
static const float *channel_of(const void *weights, int half, size_t channel, size_t count,
                               float *buffer) {
  if (!half) return (const float *)weights + channel * count;
  const uint16_t *from = (const uint16_t *)weights + channel * count;
  for (size_t i = 0; i < count; i++) buffer[i] = widened(from[i]);
  return buffer;
}

// Where a channel of a pixel of the first map is stored.
static size_t place_in_first(size_t channel, size_t pixel) {
  return channel / BG_CHANNEL_UNIT * chunk_stride(0) + pixel * BG_CHANNEL_UNIT +
         channel % BG_CHANNEL_UNIT;
}

void bg_layer(size_t index, const void *weights, int half, const double *scale,
              const float *shift) {
  const bg_kernels *const kernels = &bg_kernels_wasm;
  const size_t columns = (size_t)kernels->columns, lanes = (size_t)kernels->lanes;
  const size_t inputs = index ? net.widths[index - 1] : net.latent;
  const size_t outputs = index < net.maps ? net.widths[index] : net.channels;
  float *const buffer = net.kernels;
  if (index == net.maps) {
    // All channels together, for the transforms of the last layer are sums over taps only.
    const size_t depth = net.depths[net.maps - 1], wide = bg_picture_columns(net.channels, lanes);
    for (size_t q = 0; q < BG_WIN_PLANES * depth * wide; q++) net.last[q] = 0;
    float *const all = net.in[net.maps - 1];  // [inputs][channels][4][4] fits a map of 4x4 or more
    for (size_t c = 0; c < inputs; c++)
      memcpy(all + c * outputs * 16, channel_of(weights, half, c, outputs * 16, buffer),
             outputs * 16 * sizeof(float));
    bg_pack_picture(all, inputs, outputs, scale, depth, wide, net.last);
    memcpy(net.last_bias, shift, outputs * sizeof(float));
    return;
  }
  // F(4x4, 2x2) wants taps divided by 9 in each dimension.
  for (size_t d = 0; d < outputs; d++) net.scales[d] = scale[d] * (1.0 / 81);
  for (size_t c = 0; c < inputs; c++) {
    const float *const kernel = channel_of(weights, half, c, outputs * 16, buffer);
    if (index == 0) {
      float *const to = net.first + c * 16 * net.depths[0];
      for (size_t d = 0; d < outputs; d++)
        for (size_t pixel = 0; pixel < 16; pixel++)
          to[place_in_first(d, pixel)] = (float)((double)kernel[d * 16 + pixel] * scale[d]);
    } else {
      bg_pack_up(kernel, c, c + 1, outputs, net.scales, net.depths[index - 1], net.panels[index],
                 columns, net.taps[index]);
    }
  }
  if (index == 0)
    for (size_t d = 0; d < outputs; d++)
      for (size_t pixel = 0; pixel < 16; pixel++)
        net.first_bias[place_in_first(d, pixel)] = shift[d];
  else
    memcpy(net.bias[index], shift, outputs * sizeof(float));
}

typedef float four __attribute__((ext_vector_type(4)));

// From the latent to the first map: a product of one row, summed in the order of the latent.
static void draw_first(const float *latent) {
  const size_t count = 16 * net.depths[0] / 4;
  const four *const bias = (const four *)net.first_bias;
  four *const out = (four *)net.in[0];
  for (size_t i = 0; i < count; i += 4) {
    four sum[4] = {bias[i], bias[i + 1], bias[i + 2], bias[i + 3]};
    for (size_t c = 0; c < net.latent; c++) {
      const four *const row = (const four *)net.first + c * count + i;
      for (int k = 0; k < 4; k++) sum[k] += latent[c] * row[k];
    }
    for (int k = 0; k < 4; k++) {
      const four below = sum[k] < 0 ? sum[k] : 0;
      out[i + k] = (sum[k] > 0 ? sum[k] : 0) + net.slope * below;
    }
  }
}

const uint8_t *bg_draw(const float *latents) {
  const bg_kernels *const kernels = &bg_kernels_wasm;
  draw_first(latents);
  for (size_t map = 1; map < net.maps; map++) {
    const size_t from = side_of(map - 1), to = side_of(map);
    const size_t across = from / BG_WIN_TILE, tiles = across * across;
    const int is_small = tiles <= (size_t)kernels->small_job_tiles;
    const size_t rows = (size_t)(is_small ? kernels->row_step : kernels->rows);
    const bg_up job = {
        .images = 1,
        .side = from,
        .depth = net.depths[map - 1],
        .columns = net.depths[map],
        .from = net.in[map - 1],
        .from_row = (ptrdiff_t)(from * BG_CHANNEL_UNIT),
        .from_pixel = BG_CHANNEL_UNIT,
        .from_chunk = (ptrdiff_t)chunk_stride(map - 1),
        .to = net.in[map],
        .to_row = (ptrdiff_t)(to * BG_CHANNEL_UNIT),
        .to_pixel = BG_CHANNEL_UNIT,
        .to_chunk = (ptrdiff_t)chunk_stride(map),
        .taps = net.taps[map],
        .bias = net.bias[map],
        .slope = net.slope,
        .planes = net.planes,
        .parts = 1,
    };
    for (size_t task = 0; task < (tiles + rows - 1) / rows; task++) kernels->up_input(&job, task);
    for (size_t task = 0; task < 4 * net.panels[map]; task++)
      kernels->up_output(&job, task, net.scratch);
  }
  const size_t map = net.maps - 1, side = side_of(map);
  const bg_picture job = {
      .side = side,
      .depth = net.depths[map],
      .channels = net.channels,
      .from = net.in[map],
      .from_row = (ptrdiff_t)(side * BG_CHANNEL_UNIT),
      .from_pixel = BG_CHANNEL_UNIT,
      .from_chunk = (ptrdiff_t)chunk_stride(map),
      .planes = net.last,
      .bias = net.last_bias,
      .bytes = net.bytes,
      .parts = 1,
  };
  kernels->fast_picture(&job, 0, net.scratch);
  const size_t channels = net.channels;
  for (size_t i = 0; i < net.side * net.side; i++) {
    const uint8_t *const pixel = net.bytes + i * channels;
    uint8_t *const out = net.pixels + i * 4;
    out[0] = pixel[0];
    out[1] = pixel[channels > 1 ? 1 : 0];
    out[2] = pixel[channels > 1 ? 2 : 0];
    out[3] = 255;
  }
  return net.pixels;
}
