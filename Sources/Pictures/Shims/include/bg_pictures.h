// The picture libraries behind plain functions.
//
// libpng and libjpeg report errors by longjmp. A jump must not cross a Swift frame (nothing there
// would be released), so every call of theirs is made inside one of these functions, which holds
// the setjmp, frees what the library took, and returns a status with a sentence. No callback
// reaches Swift, nothing here opens a file, and no type of the libraries shows.

#ifndef BG_PICTURES_H
#define BG_PICTURES_H

#include <stddef.h>
#include <stdint.h>

/// How a call ended; anything but bg_ok comes with a sentence in the bg_report.
typedef enum {
  bg_ok = 0,
  bg_truncated,    ///< the file ends before the picture does
  bg_damaged,      ///< the file contradicts itself
  bg_unsupported,  ///< a kind of picture that is not read here
  bg_too_large,    ///< beyond a limit on size, memory or scans
  bg_failed,       ///< memory gave out, or an encoder refused
} bg_status;

/// What a library had to say.
typedef struct {
  /// Why the call failed; NUL-terminated, empty after success.
  char reason[200];
  /// Complaints that leave the picture whole (junk between segments and the like).
  long complaints;
  /// The first of them.
  char complaint[200];
  /// The input ran out where only the end marker was still to come.
  int no_end;
} bg_report;

/// Stretch of the input.
typedef struct {
  size_t offset;
  size_t length;
} bg_range;

// PNG --------------------------------------------------------------------------------------

/// What becomes of 16-bit samples: v/257 rounded, their high byte, or themselves.
typedef enum { bg_round, bg_high_byte, bg_keep } bg_sixteen;

/// What the caller expects the decoded rows to be.
typedef struct {
  uint32_t width, height;
  /// Samples a pixel after palettes and transparency keys are resolved: 1 to 4.
  uint32_t channels;
  /// 1, or 2 (big-endian) where `sixteen` is bg_keep.
  uint32_t sample_bytes;
  bg_sixteen sixteen;
} bg_png_layout;

/// Decodes a PNG whose chunks the caller has walked.
///
/// `parts` are the signature and the chunks to be seen by libpng, in order, inside `bytes`.
/// `pixels` holds width * channels * sample_bytes * height bytes and is whole after bg_ok only.
bg_status bg_png_decode(const uint8_t *bytes, size_t count, const bg_range *parts,
                        size_t part_count, const bg_png_layout *layout, uint8_t *pixels,
                        size_t pixel_count, bg_report *report);

/// A block of memory made by an encoder; freed by bg_buffer_free.
typedef struct {
  uint8_t *bytes;
  size_t count;
} bg_buffer;

void bg_buffer_free(bg_buffer *buffer);

/// zlib's and libpng's dials.
typedef struct {
  int level;     ///< 0 (stored) to 9
  int strategy;  ///< zlib's Z_DEFAULT_STRATEGY 0, Z_FILTERED 1, Z_HUFFMAN_ONLY 2, Z_RLE 3
  int filters;   ///< bits of none 1, sub 2, up 4, average 8, paeth 16
} bg_png_effort;

/// An 8-bit PNG file in the making, gray (1 channel) or RGB (3).
typedef struct bg_png_writer bg_png_writer;

/// Begins a file.
///
/// `texts` holds `text_count` pairs of NUL-terminated keyword and UTF-8 text, written as
/// uncompressed iTXt chunks before the picture. Null, with a report, where that cannot be.
bg_png_writer *bg_png_begin(uint32_t width, uint32_t height, uint32_t channels, const char *texts,
                            size_t texts_length, size_t text_count, bg_png_effort effort,
                            bg_report *report);

/// Appends whole rows.
bg_status bg_png_add(bg_png_writer *writer, const uint8_t *pixels, size_t pixel_count,
                     bg_report *report);

/// The file, when all rows are there.
bg_status bg_png_finish(bg_png_writer *writer, bg_buffer *result, bg_report *report);

void bg_png_free(bg_png_writer *writer);

// JPEG -------------------------------------------------------------------------------------

/// What a JPEG's header says.
typedef struct {
  uint32_t width, height;
  /// Samples a pixel in the file: 1, 3 or 4.
  uint32_t components;
  /// An Adobe marker is there, whose CMYK is stored inverted.
  int adobe;
} bg_jpeg_header;

/// Reads the header; refuses what the limits refuse.
bg_status bg_jpeg_read_header(const uint8_t *bytes, size_t count, bg_jpeg_header *header,
                              bg_report *report);

/// Decodes to gray (1 component) or RGB (3 and 4).
///
/// `inverted` says that a 4-component file holds 255 minus the ink. `pixels` holds
/// width * height * (components == 1 ? 1 : 3) bytes and is whole after bg_ok only.
bg_status bg_jpeg_decode(const uint8_t *bytes, size_t count, int inverted, uint8_t *pixels,
                         size_t pixel_count, bg_report *report);

// WebP -------------------------------------------------------------------------------------

/// What a WebP's header says.
typedef struct {
  uint32_t width, height;
  int has_alpha, is_animated;
} bg_webp_header;

/// Reads the header; refuses what the limits refuse.
bg_status bg_webp_read_header(const uint8_t *bytes, size_t count, bg_webp_header *header,
                              bg_report *report);

/// Decodes a still to RGB, or to RGBA where the header says so.
bg_status bg_webp_decode(const uint8_t *bytes, size_t count, const bg_webp_header *header,
                         uint8_t *pixels, size_t pixel_count, bg_report *report);

/// Decodes up to `frame_limit` whole frames of an animation to RGBA, one after the other, with
/// the time in milliseconds at which each ends; says how many there were in `frame_count`.
bg_status bg_webp_decode_frames(const uint8_t *bytes, size_t count, const bg_webp_header *header,
                                size_t frame_limit, uint8_t *pixels, size_t pixel_count,
                                int32_t *ends, size_t *frame_count, bg_report *report);

/// An animation in the making.
typedef struct bg_webp_animation bg_webp_animation;

/// NULL where memory gives out or a side is beyond what WebP can hold. `quality` below 0 means
/// lossless, else 0 to 100; `loops` 0 means for ever.
bg_webp_animation *bg_webp_animation_new(uint32_t width, uint32_t height, int32_t milliseconds,
                                         int32_t loops, float quality);

/// Appends a frame of RGB.
bg_status bg_webp_animation_add(bg_webp_animation *animation, const uint8_t *pixels,
                                size_t pixel_count, bg_report *report);

/// Puts the file together; nothing can be added after.
bg_status bg_webp_animation_finish(bg_webp_animation *animation, bg_buffer *result,
                                   bg_report *report);

void bg_webp_animation_free(bg_webp_animation *animation);

#endif
