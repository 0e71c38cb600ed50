// Decodes PNG files with libpng's push reader.

#include <png.h>
#include <string.h>

#include "shared.h"

/// The state of one decoding. It lives one frame above the setjmp, because locals of that frame
/// that change would be undefined after a jump.
typedef struct {
  const bg_png_layout *layout;
  uint8_t *pixels;
  size_t row_bytes;
  bg_report *report;
  bg_status status;
  uint64_t rows;  ///< rows delivered, over all passes
} job;

static void on_error(png_structp png, png_const_charp message) {
  job *job = png_get_error_ptr(png);
  job->status = bg_fail(job->report, bg_damaged, "%s", message);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  job *job = png_get_error_ptr(png);
  if (job->report->complaints++ == 0)
    strncpy(job->report->complaint, message, sizeof job->report->complaint - 1);
}

static void on_info(png_structp png, png_infop info) {
  job *job = png_get_progressive_ptr(png);
  const bg_png_layout *layout = job->layout;
  png_set_expand(png);  // palette, 1/2/4 bits, transparency key
  if (layout->sixteen == bg_round) png_set_scale_16(png);
  if (layout->sixteen == bg_high_byte) png_set_strip_16(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  // The caller has parsed the same header. If the two disagreed, rows would not fit the buffer.
  if (png_get_image_width(png, info) != layout->width ||
      png_get_image_height(png, info) != layout->height ||
      png_get_channels(png, info) != layout->channels ||
      png_get_bit_depth(png, info) != 8 * layout->sample_bytes ||
      png_get_rowbytes(png, info) != job->row_bytes)
    png_error(png, "its header is inconsistent");
}

static void on_row(png_structp png, png_bytep row, png_uint_32 index, int pass) {
  (void)pass;
  job *job = png_get_progressive_ptr(png);
  if (index >= job->layout->height) png_error(png, "it has more rows than its header says");
  job->rows++;
  if (row) png_progressive_combine_row(png, job->pixels + index * job->row_bytes, row);
}

/// Whether libpng has delivered the last row, in the last pass of an interlaced file.
///
/// The push reader silently accepts a zlib stream that ends early.
static int is_whole(png_structp png, png_infop info, const job *job) {
  if (png_get_interlace_type(png, info) == PNG_INTERLACE_NONE)
    return job->rows == job->layout->height;
  return png_get_current_pass_number(png) >= PNG_INTERLACE_ADAM7_PASSES;
}

static void feed(png_structp png, png_infop info, const uint8_t *bytes, const bg_range *parts,
                 size_t part_count) {
  for (size_t i = 0; i < part_count; i++)
    // libpng takes a pointer to non-const input but does not modify it.
    png_process_data(png, info, (png_bytep)(bytes + parts[i].offset), parts[i].length);
}

/// Contains the setjmp, so its own locals do not change after it.
static void attempt(job *job, const uint8_t *bytes, const bg_range *parts, size_t part_count) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    job->status = bg_fail(job->report, bg_failed, "no memory for libpng");
    png_destroy_read_struct(&png, NULL, NULL);
    return;
  }
  if (setjmp(png_jmpbuf(png)) == 0) {
    png_set_user_limits(png, bg_side_limit, bg_side_limit);
    png_set_chunk_malloc_max(png, 1 << 20);
    png_set_chunk_cache_max(png, 16);
    // Some encoders declare a smaller window than they use, and all common decoders accept that.
    png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    png_set_progressive_read_fn(png, job, on_info, on_row, NULL);
    feed(png, info, bytes, parts, part_count);
    if (!is_whole(png, info, job))
      job->status =
          job->report->complaints
              ? bg_fail(job->report, bg_damaged, "its data is broken (libpng: %s)",
                        job->report->complaint)
              : bg_fail(job->report, bg_truncated,
                        "its data ends before its last row (of %u) is complete",
                        job->layout->height);
  }
  png_destroy_read_struct(&png, &info, NULL);
}

bg_status bg_png_decode(const uint8_t *bytes, size_t count, const bg_range *parts,
                        size_t part_count, const bg_png_layout *layout, uint8_t *pixels,
                        size_t pixel_count, bg_report *report) {
  memset(report, 0, sizeof *report);
  bg_status size = bg_check_size(layout->width, layout->height, report);
  if (size != bg_ok) return size;
  for (size_t i = 0; i < part_count; i++)
    if (parts[i].offset > count || parts[i].length > count - parts[i].offset)
      return bg_fail(report, bg_truncated, "a chunk reaches past its end");

  job job = {
      .layout = layout,
      .pixels = pixels,
      .row_bytes = (size_t)layout->width * layout->channels * layout->sample_bytes,
      .report = report,
      .status = bg_ok,
  };
  if (pixel_count != job.row_bytes * layout->height)
    return bg_fail(report, bg_failed, "the buffer for its pixels has the wrong size");
  attempt(&job, bytes, parts, part_count);
  return job.status;
}
