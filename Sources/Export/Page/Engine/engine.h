// The generator for web pages, compiled to WebAssembly: the same loops as in the commands, without
// threads and without a C library.
//
// A page opens the engine once, hands over one layer after another, then draws. All pointers are
// offsets into the module's memory; the page copies numbers there and reads results from there.

#ifndef BG_ENGINE_H
#define BG_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#define BG_EXPORT(name) __attribute__((export_name(#name)))

// Memory of that many bytes at a multiple of 64, or null if the limit is reached. Never freed.
BG_EXPORT(room) void *bg_room(size_t bytes);

// Describes a generator: its latent size, channels of the image, slope of the hidden activations
// (0 for ReLU), and the channels of its `maps` hidden maps, from 4x4 on, each of twice the side of
// the one before. Images have 2^(maps + 2) pixels a side.
//
// Returns 0, or 1 where the shape is not supported, or 2 where memory is short.
BG_EXPORT(open) int bg_open(size_t latent, size_t channels, float slope, const size_t *widths,
                            size_t maps);

// Packs the weights of layer `index`, [inputs][outputs][4][4], in float16 if `half` is set and in
// float32 otherwise. An output channel is multiplied by its `scale`, then `shift` is added. The
// weights are not needed afterwards.
BG_EXPORT(layer) void bg_layer(size_t index, const void *weights, int half, const double *scale,
                               const float *shift);

// Draws an image from `latent` numbers: [side][side][4] bytes, red, green, blue, 255. The result is
// overwritten by the next call.
BG_EXPORT(draw) const uint8_t *bg_draw(const float *latents);

// The latents of torch.manual_seed(seed); torch.randn(count, size, 1, 1), on a processor with AVX2.
BG_EXPORT(torch_latents) void bg_torch_latents(int64_t seed, size_t numbers, float *out);

// The latent of numpy.random.RandomState(seed).randn(1, size), rounded to float32.
BG_EXPORT(numpy_latent) void bg_numpy_latent(uint32_t seed, size_t size, float *out);

#endif
