#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "shared.h"

/// What the callbacks of one encoding share. It lives a frame above the setjmp: what changes in
/// that frame itself would be undefined after a jump.
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
  // libpng warns of text that it drops or cuts; then the file would not say what was asked.
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

/// What is to be written, bundled for the function that holds the setjmp.
typedef struct {
  const uint8_t *pixels;
  uint32_t width, height, channels;
  const char *texts;
  size_t texts_length, text_count;
  bg_png_effort effort;
} order;

static void write_picture(png_structp png, png_infop info, const order *order) {
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // libpng's own is a million
  png_set_IHDR(png, info, order->width, order->height, 8,
               order->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, order->effort.level);
  png_set_compression_strategy(png, order->effort.strategy);
  static const int bits[] = {PNG_FILTER_NONE, PNG_FILTER_SUB, PNG_FILTER_UP, PNG_FILTER_AVG,
                             PNG_FILTER_PAETH};
  int filters = 0;
  for (int i = 0; i < 5; i++)
    if (order->effort.filters >> i & 1) filters |= bits[i];
  png_set_filter(png, PNG_FILTER_TYPE_BASE, filters);
  // One IDAT chunk per 64 KiB rather than 8: fewer headers and fewer trips through on_write.
  png_set_compression_buffer_size(png, 1 << 16);
  write_texts(png, info, order->texts, order->texts_length, order->text_count);
  png_write_info(png, info);
  for (uint32_t y = 0; y < order->height; y++)
    png_write_row(png, order->pixels + (size_t)y * order->width * order->channels);
  png_write_end(png, info);
}

/// Holds the setjmp; its own locals do not change after it.
static void attempt(job *job, const order *order) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    job->status = bg_fail(job->report, bg_failed, "no memory for libpng");
    png_destroy_write_struct(&png, NULL);
    return;
  }
  if (setjmp(png_jmpbuf(png)) == 0) {
    png_set_write_fn(png, job, on_write, on_flush);
    write_picture(png, info, order);
  }
  png_destroy_write_struct(&png, &info);
}

bg_status bg_png_encode(const uint8_t *pixels, size_t pixel_count, uint32_t width,
                        uint32_t height, uint32_t channels, const char *texts,
                        size_t texts_length, size_t text_count, bg_png_effort effort,
                        bg_buffer *result, bg_report *report) {
  memset(report, 0, sizeof *report);
  memset(result, 0, sizeof *result);
  if ((channels != 1 && channels != 3) || width == 0 || height == 0 ||
      width > PNG_UINT_31_MAX || height > PNG_UINT_31_MAX ||
      pixel_count % ((size_t)width * channels) != 0 ||
      pixel_count / ((size_t)width * channels) != height)
    return bg_fail(report, bg_failed, "%u x %u pixels of %u channels cannot be a PNG file", width,
                   height, channels);
  job job = {.report = report, .status = bg_ok};
  order order = {
      .pixels = pixels,
      .width = width,
      .height = height,
      .channels = channels,
      .texts = texts,
      .texts_length = texts_length,
      .text_count = text_count,
      .effort = effort,
  };
  attempt(&job, &order);
  if (job.status == bg_ok)
    *result = job.buffer;
  else
    bg_buffer_free(&job.buffer);
  return job.status;
}
