// Plain functions around libpng, libjpeg-turbo and libwebp.
//
// libpng and libjpeg report errors by longjmp. A jump must not cross a Swift frame, whose objects
// would never be released. So every call to these libraries happens inside one of the functions
// below, which contains the setjmp, frees what the library allocated, and returns a status and a
// sentence. No callback reaches Swift, no function opens a file, and no library type is exposed.

#ifndef BG_PICTURES_H
#define BG_PICTURES_H

#include <stddef.h>
#include <stdint.h>

/// The result of a call. Every error comes with a sentence in the bg_report.
typedef enum {
  bg_ok = 0,
  bg_truncated,    ///< the file ends before the image is complete
  bg_damaged,      ///< the file is inconsistent
  bg_unsupported,  ///< the file uses a variant of the format that is not supported
  bg_too_large,    ///< the image exceeds a limit on size, memory or scans
  bg_failed,       ///< memory ran out, or the arguments are invalid
} bg_status;

/// The messages of a library during one call.
typedef struct {
  /// Why the call failed. NUL-terminated, empty after success.
  char reason[200];
  /// The number of warnings that do not affect the image, such as junk between segments.
  long complaints;
  /// The first of these warnings.
  char complaint[200];
  /// Whether the file ends before its end marker, but after all of its data.
  int no_end;
} bg_report;

/// A range of the input.
typedef struct {
  size_t offset;
  size_t length;
} bg_range;

// PNG --------------------------------------------------------------------------------------

/// How to convert 16-bit samples v: to v/257 rounded, to their high byte, or not at all.
typedef enum { bg_round, bg_high_byte, bg_keep } bg_sixteen;

/// The layout of decoded rows that the caller expects.
typedef struct {
  uint32_t width, height;
  /// The samples per pixel after palettes and transparent colours are expanded: 1 to 4.
  uint32_t channels;
  /// 1, or 2 (big-endian) if `sixteen` is bg_keep.
  uint32_t sample_bytes;
  bg_sixteen sixteen;
} bg_png_layout;

/// Decodes a PNG file whose chunks the caller has checked.
///
/// `parts` are the ranges of `bytes` that libpng is to see: the signature and chunks, in order.
/// `pixels` has width * channels * sample_bytes * height bytes, complete only after bg_ok.
bg_status bg_png_decode(const uint8_t *bytes, size_t count, const bg_range *parts,
                        size_t part_count, const bg_png_layout *layout, uint8_t *pixels,
                        size_t pixel_count, bg_report *report);

/// A file made by an encoder, freed by bg_buffer_free.
typedef struct {
  uint8_t *bytes;
  size_t count;
} bg_buffer;

void bg_buffer_free(bg_buffer *buffer);

/// The compression settings of zlib and libpng.
typedef struct {
  int level;     ///< 0 (stored) to 9
  int strategy;  ///< zlib's Z_DEFAULT_STRATEGY 0, Z_FILTERED 1, Z_HUFFMAN_ONLY 2, Z_RLE 3
  int filters;   ///< bits of none 1, sub 2, up 4, average 8, paeth 16
} bg_png_effort;

/// An encoder of an 8-bit PNG file, gray (1 channel) or RGB (3).
typedef struct bg_png_writer bg_png_writer;

/// Starts a file.
///
/// `texts` holds `text_count` pairs of a keyword and a UTF-8 text, each NUL-terminated. They become
/// uncompressed iTXt chunks before the image data. Returns NULL and a report on failure.
bg_png_writer *bg_png_begin(uint32_t width, uint32_t height, uint32_t channels, const char *texts,
                            size_t texts_length, size_t text_count, bg_png_effort effort,
                            bg_report *report);

/// Appends whole rows.
bg_status bg_png_add(bg_png_writer *writer, const uint8_t *pixels, size_t pixel_count,
                     bg_report *report);

/// Completes the file after all rows were added.
bg_status bg_png_finish(bg_png_writer *writer, bg_buffer *result, bg_report *report);

void bg_png_free(bg_png_writer *writer);

// JPEG -------------------------------------------------------------------------------------

/// The header of a JPEG file.
typedef struct {
  uint32_t width, height;
  /// The samples per pixel in the file: 1, 3 or 4.
  uint32_t components;
  /// Whether there is an Adobe marker, which means that CMYK is stored inverted.
  int adobe;
} bg_jpeg_header;

/// Reads the header and checks it against the limits.
bg_status bg_jpeg_read_header(const uint8_t *bytes, size_t count, bg_jpeg_header *header,
                              bg_report *report);

/// Decodes to gray (1 component) or RGB (3 and 4).
///
/// `inverted` means that a 4-component file stores 255 minus the ink. `pixels` has
/// width * height * (components == 1 ? 1 : 3) bytes, complete only after bg_ok.
bg_status bg_jpeg_decode(const uint8_t *bytes, size_t count, int inverted, uint8_t *pixels,
                         size_t pixel_count, bg_report *report);

// WebP -------------------------------------------------------------------------------------

/// The header of a WebP file.
typedef struct {
  uint32_t width, height;
  int has_alpha, is_animated;
} bg_webp_header;

/// Reads the header and checks it against the limits.
bg_status bg_webp_read_header(const uint8_t *bytes, size_t count, bg_webp_header *header,
                              bg_report *report);

/// Decodes a still image to RGB, or to RGBA if the header has alpha.
bg_status bg_webp_decode(const uint8_t *bytes, size_t count, const bg_webp_header *header,
                         uint8_t *pixels, size_t pixel_count, bg_report *report);

/// Decodes the first `frame_limit` frames of an animation to RGBA, one after another.
///
/// `ends` receives the time in milliseconds at which each frame ends, `frame_count` the number of
/// frames in the file.
bg_status bg_webp_decode_frames(const uint8_t *bytes, size_t count, const bg_webp_header *header,
                                size_t frame_limit, uint8_t *pixels, size_t pixel_count,
                                int32_t *ends, size_t *frame_count, bg_report *report);

/// An encoder of an animation.
typedef struct bg_webp_animation bg_webp_animation;

/// Starts an animation. Returns NULL if memory runs out or a side exceeds the limit of WebP.
///
/// A negative `quality` means lossless, otherwise it is 0 to 100. With 0 `loops` the animation
/// repeats for ever.
bg_webp_animation *bg_webp_animation_new(uint32_t width, uint32_t height, int32_t milliseconds,
                                         int32_t loops, float quality);

/// Appends an RGB frame.
bg_status bg_webp_animation_add(bg_webp_animation *animation, const uint8_t *pixels,
                                size_t pixel_count, bg_report *report);

/// Completes the file. Nothing can be added afterwards.
bg_status bg_webp_animation_finish(bg_webp_animation *animation, bg_buffer *result,
                                   bg_report *report);

void bg_webp_animation_free(bg_webp_animation *animation);

#endif
