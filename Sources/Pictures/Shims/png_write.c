// Encodes PNG files with libpng, row by row.

#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "shared.h"

/// The state of one encoding. It lives outside the frames with a setjmp, because locals of such a
/// frame that change would be undefined after a jump.
typedef struct {
  bg_buffer buffer;
  size_t capacity;
  bg_report *report;
  bg_status status;
} job;

static void on_error(png_structp png, png_const_charp message) {
  job *job = png_get_error_ptr(png);
  job->status = bg_fail(job->report, bg_failed, "%s", message);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  // libpng only warns when it drops or cuts text, but the file would then differ from the request.
  on_error(png, message);
}

static void on_write(png_structp png, png_bytep bytes, size_t count) {
  job *job = png_get_io_ptr(png);
  if (!bg_buffer_append(&job->buffer, &job->capacity, bytes, count))
    png_error(png, "no memory for the PNG file");
}

static void on_flush(png_structp png) { (void)png; }

static void write_texts(png_structp png, png_infop info, const char *texts, size_t texts_length,
                        size_t text_count) {
  const char *rest = texts, *end = texts + texts_length;
  for (size_t i = 0; i < text_count; i++) {
    const char *keyword = rest;
    rest = rest < end ? memchr(rest, 0, (size_t)(end - rest)) : NULL;
    const char *text = rest ? rest + 1 : NULL;
    rest = text && text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;
    if (!rest) png_error(png, "its texts are not terminated");
    png_text chunk = {
        .compression = PNG_ITXT_COMPRESSION_NONE,
        .key = (png_charp)keyword,
        .text = (png_charp)text,
        .itxt_length = (size_t)(rest - text),
        .lang = "",
        .lang_key = "",
    };
    png_set_text(png, info, &chunk, 1);
    rest++;
  }
}

static void begin(png_structp png, png_infop info, uint32_t width, uint32_t height,
                  uint32_t channels, bg_png_effort effort) {
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the default is a million
  png_set_IHDR(png, info, width, height, 8,
               channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, effort.level);
  png_set_compression_strategy(png, effort.strategy);
  static const int bits[] = {PNG_FILTER_NONE, PNG_FILTER_SUB, PNG_FILTER_UP, PNG_FILTER_AVG,
                             PNG_FILTER_PAETH};
  int filters = 0;
  for (int i = 0; i < 5; i++)
    if (effort.filters >> i & 1) filters |= bits[i];
  png_set_filter(png, PNG_FILTER_TYPE_BASE, filters);
  // One IDAT chunk per 64 KiB rather than 8 means fewer headers and fewer calls of on_write.
  png_set_compression_buffer_size(png, 1 << 16);
}

struct bg_png_writer {
  job job;
  png_structp png;
  png_infop info;
  size_t row_bytes, rows_left;
};

bg_png_writer *bg_png_begin(uint32_t width, uint32_t height, uint32_t channels, const char *texts,
                            size_t texts_length, size_t text_count, bg_png_effort effort,
                            bg_report *report) {
  memset(report, 0, sizeof *report);
  if ((channels != 1 && channels != 3) || width == 0 || height == 0 ||
      width > PNG_UINT_31_MAX || height > PNG_UINT_31_MAX) {
    bg_fail(report, bg_failed, "%u x %u pixels of %u channels cannot be a PNG file", width, height,
            channels);
    return NULL;
  }
  bg_png_writer *writer = calloc(1, sizeof *writer);
  if (writer) {
    writer->job = (job){.report = report, .status = bg_ok};
    writer->row_bytes = (size_t)width * channels;
    writer->rows_left = height;
    writer->png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer->job, on_error, on_warning);
    writer->info = writer->png ? png_create_info_struct(writer->png) : NULL;
  }
  if (!writer || !writer->info) {
    bg_fail(report, bg_failed, "no memory for libpng");
    bg_png_free(writer);
    return NULL;
  }
  if (setjmp(png_jmpbuf(writer->png)) == 0) {
    png_set_write_fn(writer->png, &writer->job, on_write, on_flush);
    begin(writer->png, writer->info, width, height, channels, effort);
    write_texts(writer->png, writer->info, texts, texts_length, text_count);
    png_write_info(writer->png, writer->info);
    return writer;
  }
  bg_png_free(writer);
  return NULL;
}

bg_status bg_png_add(bg_png_writer *writer, const uint8_t *pixels, size_t pixel_count,
                     bg_report *report) {
  memset(report, 0, sizeof *report);
  if (writer->job.status != bg_ok)
    return bg_fail(report, writer->job.status, "the PNG file has failed before");
  if (pixel_count % writer->row_bytes != 0 || pixel_count / writer->row_bytes > writer->rows_left)
    return bg_fail(report, bg_failed, "%zu samples are not rows of the PNG file", pixel_count);
  writer->job.report = report;
  if (setjmp(png_jmpbuf(writer->png)) == 0)
    for (; pixel_count; pixel_count -= writer->row_bytes, pixels += writer->row_bytes) {
      png_write_row(writer->png, pixels);
      writer->rows_left--;
    }
  return writer->job.status;
}

bg_status bg_png_finish(bg_png_writer *writer, bg_buffer *result, bg_report *report) {
  memset(report, 0, sizeof *report);
  memset(result, 0, sizeof *result);
  if (writer->job.status != bg_ok)
    return bg_fail(report, writer->job.status, "the PNG file has failed before");
  if (writer->rows_left)
    return bg_fail(report, bg_failed, "%zu rows of the PNG file are missing", writer->rows_left);
  writer->job.report = report;
  if (setjmp(png_jmpbuf(writer->png)) == 0) {
    png_write_end(writer->png, writer->info);
    *result = writer->job.buffer;
    writer->job.buffer = (bg_buffer){0};
  }
  return writer->job.status;
}

void bg_png_free(bg_png_writer *writer) {
  if (!writer) return;
  png_destroy_write_struct(&writer->png, &writer->info);
  bg_buffer_free(&writer->job.buffer);
  free(writer);
}
