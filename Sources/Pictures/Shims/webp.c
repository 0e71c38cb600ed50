// Decodes WebP files and encodes animations with libwebp, which reports errors by return values.

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "shared.h"

static bg_status refuse(bg_report *report, VP8StatusCode code) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return bg_fail(report, bg_too_large, "no memory to decode it");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return bg_fail(report, bg_unsupported, "it uses a feature that libwebp does not read");
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return bg_fail(report, bg_truncated, "its data ends before the image is complete");
    default:
      return bg_fail(report, bg_damaged, "its data is damaged");
  }
}

bg_status bg_webp_read_header(const uint8_t *bytes, size_t count, bg_webp_header *header,
                              bg_report *report) {
  memset(report, 0, sizeof *report);
  WebPBitstreamFeatures features;
  VP8StatusCode code = WebPGetFeatures(bytes, count, &features);
  if (code != VP8_STATUS_OK) return refuse(report, code);
  if (features.width <= 0 || features.height <= 0)
    return bg_fail(report, bg_damaged, "its header claims no pixels");
  *header = (bg_webp_header){
      .width = (uint32_t)features.width,
      .height = (uint32_t)features.height,
      .has_alpha = features.has_alpha,
      .is_animated = features.has_animation,
  };
  return bg_check_size(header->width, header->height, report);
}

bg_status bg_webp_decode(const uint8_t *bytes, size_t count, const bg_webp_header *header,
                         uint8_t *pixels, size_t pixel_count, bg_report *report) {
  bg_webp_header found;
  bg_status status = bg_webp_read_header(bytes, count, &found, report);
  if (status != bg_ok) return status;
  size_t stride = (size_t)header->width * (header->has_alpha ? 4 : 3);
  if (found.width != header->width || found.height != header->height || found.is_animated ||
      pixel_count != stride * header->height)
    return bg_fail(report, bg_failed, "the buffer for its pixels has the wrong size");

  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config))
    return bg_fail(report, bg_failed, "libwebp is of another version than its header");
  config.output.colorspace = header->has_alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = pixels;
  config.output.u.RGBA.stride = (int)stride;
  config.output.u.RGBA.size = pixel_count;
  VP8StatusCode code = WebPDecode(bytes, count, &config);
  WebPFreeDecBuffer(&config.output);
  return code == VP8_STATUS_OK ? bg_ok : refuse(report, code);
}

bg_status bg_webp_decode_frames(const uint8_t *bytes, size_t count, const bg_webp_header *header,
                                size_t frame_limit, uint8_t *pixels, size_t pixel_count,
                                int32_t *ends, size_t *frame_count, bg_report *report) {
  bg_webp_header found;
  bg_status status = bg_webp_read_header(bytes, count, &found, report);
  if (status != bg_ok) return status;
  size_t frame = (size_t)header->width * header->height * 4;
  if (found.width != header->width || found.height != header->height ||
      frame_limit == 0 || pixel_count != frame * frame_limit)
    return bg_fail(report, bg_failed, "the buffer for its pixels has the wrong size");

  WebPAnimDecoderOptions options;
  if (!WebPAnimDecoderOptionsInit(&options))
    return bg_fail(report, bg_failed, "libwebp is of another version than its header");
  options.color_mode = MODE_RGBA;
  options.use_threads = 0;
  WebPData data = {.bytes = bytes, .size = count};
  WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
  if (!decoder) return bg_fail(report, bg_damaged, "its frames cannot be read");
  WebPAnimInfo info;
  if (!WebPAnimDecoderGetInfo(decoder, &info) || info.canvas_width != header->width ||
      info.canvas_height != header->height || info.frame_count == 0) {
    WebPAnimDecoderDelete(decoder);
    return bg_fail(report, bg_damaged, "its frames do not fit its header");
  }
  *frame_count = info.frame_count;
  for (size_t i = 0; i < frame_limit && i < info.frame_count; i++) {
    uint8_t *canvas;
    int end;
    if (!WebPAnimDecoderGetNext(decoder, &canvas, &end)) {
      status = bg_fail(report, bg_damaged, "frame %zu is damaged or truncated", i + 1);
      break;
    }
    memcpy(pixels + i * frame, canvas, frame);
    ends[i] = end;
  }
  WebPAnimDecoderDelete(decoder);
  return status;
}

struct bg_webp_animation {
  WebPAnimEncoder *encoder;
  WebPConfig config;
  uint32_t width, height;
  int32_t milliseconds, frames;
};

bg_webp_animation *bg_webp_animation_new(uint32_t width, uint32_t height, int32_t milliseconds,
                                         int32_t loops, float quality) {
  WebPAnimEncoderOptions options;
  if (width == 0 || height == 0 || width > WEBP_MAX_DIMENSION || height > WEBP_MAX_DIMENSION ||
      !WebPAnimEncoderOptionsInit(&options))
    return NULL;
  bg_webp_animation *animation = calloc(1, sizeof *animation);
  if (!animation) return NULL;
  options.anim_params.loop_count = loops;
  animation->width = width;
  animation->height = height;
  animation->milliseconds = milliseconds;
  int lossless = quality < 0;
  if (!WebPConfigInit(&animation->config) ||
      (lossless && !WebPConfigLosslessPreset(&animation->config, 6))) {
    free(animation);
    return NULL;
  }
  if (!lossless) {
    animation->config.quality = quality;
    animation->config.use_sharp_yuv = 1;  // else colours bleed at edges, visible in small images
  }
  animation->config.thread_level = 0;  // for the same bytes on every machine
  animation->encoder = WebPAnimEncoderNew((int)width, (int)height, &options);
  if (!animation->encoder) {
    free(animation);
    return NULL;
  }
  return animation;
}

bg_status bg_webp_animation_add(bg_webp_animation *animation, const uint8_t *pixels,
                                size_t pixel_count, bg_report *report) {
  memset(report, 0, sizeof *report);
  size_t stride = (size_t)animation->width * 3;
  if (pixel_count != stride * animation->height)
    return bg_fail(report, bg_failed, "a frame does not have the size of the animation");
  WebPPicture picture;
  if (!WebPPictureInit(&picture))
    return bg_fail(report, bg_failed, "libwebp is of another version than its header");
  picture.width = (int)animation->width;
  picture.height = (int)animation->height;
  picture.use_argb = 1;
  bg_status status = bg_ok;
  int64_t start = (int64_t)animation->frames * animation->milliseconds;
  if (start > 0x7fffffff)
    status = bg_fail(report, bg_failed, "the animation is longer than 24 days");
  else if (!WebPPictureImportRGB(&picture, pixels, (int)stride))
    status = bg_fail(report, bg_failed, "no memory for a frame");
  else if (!WebPAnimEncoderAdd(animation->encoder, &picture, (int)start, &animation->config))
    status = bg_fail(report, bg_failed, "%s", WebPAnimEncoderGetError(animation->encoder));
  else
    animation->frames++;
  WebPPictureFree(&picture);
  return status;
}

bg_status bg_webp_animation_finish(bg_webp_animation *animation, bg_buffer *result,
                                   bg_report *report) {
  memset(report, 0, sizeof *report);
  memset(result, 0, sizeof *result);
  int64_t end = (int64_t)animation->frames * animation->milliseconds;
  if (animation->frames == 0) return bg_fail(report, bg_failed, "the animation has no frames");
  if (end > 0x7fffffff)
    return bg_fail(report, bg_failed, "the animation is longer than 24 days");
  WebPData data;
  WebPDataInit(&data);
  // A null frame determines the duration of the last one.
  if (!WebPAnimEncoderAdd(animation->encoder, NULL, (int)end, NULL) ||
      !WebPAnimEncoderAssemble(animation->encoder, &data))
    return bg_fail(report, bg_failed, "%s", WebPAnimEncoderGetError(animation->encoder));
  size_t capacity = 0;
  int copied = bg_buffer_append(result, &capacity, data.bytes, data.size);
  WebPDataClear(&data);
  if (!copied) return bg_fail(report, bg_failed, "no memory for the WebP file");
  return bg_ok;
}

void bg_webp_animation_free(bg_webp_animation *animation) {
  if (!animation) return;
  WebPAnimEncoderDelete(animation->encoder);
  free(animation);
}
