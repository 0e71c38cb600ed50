// Decodes JPEG files with libjpeg-turbo.

// jpeglib.h needs size_t and FILE declared before it.
#include <stddef.h>
#include <stdio.h>
// This comment keeps the formatter from sorting jpeglib.h above them.
#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <string.h>

#include "shared.h"

enum {
  scan_limit = 100,          // each scan of a progressive file may touch every pixel
  memory_limit = 256 << 20,  // bytes; the coefficients of 2^25 progressive RGB pixels take 192 MiB
};

/// The state of one decoding. It lives one frame above the setjmp, because locals of that frame
/// that change would be undefined after a jump.
typedef struct {
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  struct jpeg_decompress_struct jpeg;
  jmp_buf escape;
  bg_report *report;
  bg_status status;
  int ran_out;  ///< libjpeg asked for more than the file holds
} job;

// Errors and warnings

static void leave(job *job, bg_status status) {
  job->status = status;
  longjmp(job->escape, 1);
}

static void on_error(j_common_ptr jpeg) {
  job *job = jpeg->client_data;
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  bg_status status = bg_damaged;
  switch (jpeg->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE:
    case JERR_IMAGE_TOO_BIG:
      status = bg_too_large;
      break;
    case JERR_SOF_UNSUPPORTED:
    case JERR_NOT_COMPILED:
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
      status = bg_unsupported;
      break;
    default:
      if (job->ran_out) status = bg_truncated;
  }
  bg_fail(job->report, status, "%s", message);
  leave(job, status);
}

/// Whether a warning of libjpeg leaves all pixels as they were encoded. After any other warning,
/// libjpeg makes up pixels and reports success.
static int is_harmless(int code) {
  switch (code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
      return 1;
    default:
      return 0;
  }
}

static void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;  // tracing
  job *job = jpeg->client_data;
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  if (!is_harmless(jpeg->err->msg_code)) {
    bg_status status = job->ran_out ? bg_truncated : bg_damaged;
    bg_fail(job->report, status, "%s", message);
    leave(job, status);
  }
  if (job->report->complaints++ == 0)
    strncpy(job->report->complaint, message, sizeof job->report->complaint - 1);
}

static void on_output(j_common_ptr jpeg) { (void)jpeg; }

static void on_progress(j_common_ptr jpeg) {
  job *job = jpeg->client_data;
  if (jpeg->is_decompressor && job->jpeg.input_scan_number > scan_limit)
    leave(job, bg_fail(job->report, bg_too_large, "it has more than %d scans", scan_limit));
}

// Input from memory

static void on_init(j_decompress_ptr jpeg) { (void)jpeg; }

static boolean on_fill(j_decompress_ptr jpeg) {
  // Supply an end marker in place of the missing data. `decode` finds out later what was missing.
  static const JOCTET end[2] = {0xff, JPEG_EOI};
  job *job = jpeg->client_data;
  job->ran_out = 1;
  jpeg->src->next_input_byte = end;
  jpeg->src->bytes_in_buffer = sizeof end;
  return TRUE;
}

static void on_skip(j_decompress_ptr jpeg, long count) {
  if (count <= 0) return;
  if ((unsigned long)count > jpeg->src->bytes_in_buffer) {
    on_fill(jpeg);
    return;
  }
  jpeg->src->next_input_byte += count;
  jpeg->src->bytes_in_buffer -= (size_t)count;
}

// Decoding

static void open_input(job *job, const uint8_t *bytes, size_t count) {
  struct jpeg_decompress_struct *jpeg = &job->jpeg;
  jpeg_create_decompress(jpeg);
  jpeg->client_data = job;
  jpeg->mem->max_memory_to_use = memory_limit;
  job->progress.progress_monitor = on_progress;
  jpeg->progress = &job->progress;
  job->source = (struct jpeg_source_mgr){
      .next_input_byte = bytes,
      .bytes_in_buffer = count,
      .init_source = on_init,
      .fill_input_buffer = on_fill,
      .skip_input_data = on_skip,
      .resync_to_restart = jpeg_resync_to_restart,
      .term_source = on_init,
  };
  jpeg->src = &job->source;
  jpeg_read_header(jpeg, TRUE);

  bg_status size = bg_check_size(jpeg->image_width, jpeg->image_height, job->report);
  if (size != bg_ok) leave(job, size);
  if (jpeg->data_precision != 8)
    leave(job, bg_fail(job->report, bg_unsupported, "it has %d bits a sample; 8 are read",
                       jpeg->data_precision));
  if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4)
    leave(job, bg_fail(job->report, bg_unsupported, "it has %d components; 1, 3 and 4 are read",
                       jpeg->num_components));
  // Check the size before memory is allocated: a Huffman code has at least one bit, so a file has
  // at least one bit per block. (A block covers 8 to 32 pixels on each axis.)
  uint64_t across = (jpeg->image_width + 8 * jpeg->max_h_samp_factor - 1) /
                    (8 * (uint64_t)jpeg->max_h_samp_factor);
  uint64_t down = (jpeg->image_height + 8 * jpeg->max_v_samp_factor - 1) /
                  (8 * (uint64_t)jpeg->max_v_samp_factor);
  if (!jpeg->arith_code && across * down > 8 * (uint64_t)count)
    leave(job, bg_fail(job->report, bg_truncated,
                       "its header claims %u x %u pixels, more than %zu bytes can hold",
                       jpeg->image_width, jpeg->image_height, count));
}

/// a·b/255, rounded, for a and b up to 255.
static uint32_t times255(uint32_t a, uint32_t b) {
  uint32_t product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// Converts a row of CMYK to RGB without a colour profile: white minus the inks.
static void row_from_cmyk(const uint8_t *inks, int inverted, uint8_t *row, uint32_t width) {
  for (uint32_t x = 0; x < width; x++, inks += 4, row += 3) {
    uint32_t flip = inverted ? 255 : 0;
    uint32_t light = 255 - (inks[3] ^ flip);  // 255 - v is v with all bits flipped
    for (int c = 0; c < 3; c++) row[c] = (uint8_t)(light - times255(inks[c] ^ flip, light));
  }
}

/// Whether a file that ended early contains all rows nevertheless.
static int only_end_is_missing(j_decompress_ptr jpeg) {
  if (jpeg->arith_code) return 0;  // the arithmetic decoder reads zeros for ever
  if (!jpeg_has_multiple_scans(jpeg)) return 1;  // missing data would have caused a warning
  if (!jpeg->progressive_mode || !jpeg->coef_bits) return 0;
  for (int c = 0; c < jpeg->num_components; c++)
    for (int k = 0; k < DCTSIZE2; k++)
      if (jpeg->coef_bits[c][k] != 0) return 0;
  return 1;
}

static void decode(job *job, int inverted, uint8_t *pixels) {
  j_decompress_ptr jpeg = &job->jpeg;
  uint32_t width = jpeg->image_width, height = jpeg->image_height;
  int components = jpeg->num_components;
  jpeg->out_color_space =
      components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_start_decompress(jpeg);
  if (jpeg->output_width != width || jpeg->output_height != height ||
      jpeg->output_components != components)
    leave(job, bg_fail(job->report, bg_damaged, "its header is inconsistent"));

  JSAMPARRAY inks = NULL;
  if (components == 4)
    inks = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, width * 4, 1);
  size_t stride = (size_t)width * (components == 1 ? 1 : 3);
  for (uint32_t y = 0; y < height; y++) {
    JSAMPROW row = inks ? inks[0] : pixels + y * stride;
    if (jpeg_read_scanlines(jpeg, &row, 1) != 1)
      leave(job, bg_fail(job->report, bg_truncated, "its data ends before row %u of %u", y + 1,
                         height));
    if (inks) row_from_cmyk(inks[0], inverted, pixels + y * stride, width);
  }
  if (job->ran_out) {
    if (!only_end_is_missing(jpeg))
      leave(job, bg_fail(job->report, bg_truncated, "its data ends before its last scan"));
    job->report->no_end = 1;
  }
}

/// Contains the setjmp, so its own locals do not change. Only the header is read if `pixels` is
/// NULL.
static void attempt(job *job, const uint8_t *bytes, size_t count, bg_jpeg_header *header,
                    int inverted, uint8_t *pixels, size_t pixel_count) {
  memset(job->report, 0, sizeof *job->report);
  job->jpeg.err = jpeg_std_error(&job->errors);
  job->jpeg.client_data = job;
  job->errors.error_exit = on_error;
  job->errors.emit_message = on_message;
  job->errors.output_message = on_output;
  if (setjmp(job->escape) == 0) {
    open_input(job, bytes, count);
    j_decompress_ptr jpeg = &job->jpeg;
    size_t channels = jpeg->num_components == 1 ? 1 : 3;
    *header = (bg_jpeg_header){
        .width = jpeg->image_width,
        .height = jpeg->image_height,
        .components = (uint32_t)jpeg->num_components,
        .adobe = jpeg->saw_Adobe_marker,
    };
    if (pixels) {
      if (pixel_count != (size_t)jpeg->image_width * jpeg->image_height * channels)
        leave(job, bg_fail(job->report, bg_failed, "the buffer for its pixels has the wrong size"));
      decode(job, inverted, pixels);
    }
  }
  jpeg_destroy_decompress(&job->jpeg);
}

bg_status bg_jpeg_read_header(const uint8_t *bytes, size_t count, bg_jpeg_header *header,
                              bg_report *report) {
  job job = {.report = report, .status = bg_ok};
  attempt(&job, bytes, count, header, 0, NULL, 0);
  return job.status;
}

bg_status bg_jpeg_decode(const uint8_t *bytes, size_t count, int inverted, uint8_t *pixels,
                         size_t pixel_count, bg_report *report) {
  job job = {.report = report, .status = bg_ok};
  bg_jpeg_header header;
  attempt(&job, bytes, count, &header, inverted, pixels, pixel_count);
  return job.status;
}
