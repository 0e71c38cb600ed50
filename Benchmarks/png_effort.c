// Measures how long libpng takes to encode a grid of 64 images, and the size of the file, for each
// level and strategy of zlib and each filter of PNG. The settings in
// Sources/Pictures/PNGEncoding.swift were chosen from these figures.
//
//   clang -O2 -ISources/Pictures/Shims/include Benchmarks/png_effort.c \
//     Sources/Pictures/Shims/png_write.c Sources/Pictures/Shims/shared.c -lpng16 -o png_effort
//   ./png_effort < grid.rgb
//
// grid.rgb: 530 x 530 x 3 samples (`bollygan-infer --format rgb`). Prints the shortest of 21 turns.

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bg_pictures.h"

enum { side = 530, turns = 21 };

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(void) {
  static uint8_t pixels[side * side * 3];
  if (fread(pixels, 1, sizeof pixels, stdin) != sizeof pixels) {
    fprintf(stderr, "png_effort: needs %zu bytes on standard input\n", sizeof pixels);
    return 65;
  }
  static const char *const strategies[] = {"default", "filtered", "huffman", "rle"};
  static const struct {
    const char *name;
    int bits;
  } filters[] = {{"none", 1}, {"sub", 2}, {"up", 4}, {"average", 8}, {"paeth", 16}, {"all", 31}};
  printf("| level | strategy | filter | ms | bytes |\n|---|---|---|---|---|\n");
  for (int level = 0; level <= 9; level++) {
    if (level > 3 && level != 6 && level != 9) continue;
    for (int strategy = 0; strategy < 4; strategy++) {
      // Level 0 stores. Huffman and RLE do not search for matches, so levels above 1 change
      // nothing.
      if ((level == 0 && strategy != 0) || (level > 1 && strategy > 1)) continue;
      for (int f = 0; f < 6; f++) {
        if (level == 0 && f != 0) continue;
        double times[turns];
        size_t bytes = 0;
        for (int turn = 0; turn < turns; turn++) {
          bg_png_effort effort = {level, strategy, filters[f].bits};
          bg_buffer file;
          bg_report report;
          double start = milliseconds();
          bg_png_writer *writer = bg_png_begin(side, side, 3, "", 0, 0, effort, &report);
          if (!writer || bg_png_add(writer, pixels, sizeof pixels, &report) != bg_ok ||
              bg_png_finish(writer, &file, &report) != bg_ok)
            abort();
          bg_png_free(writer);
          times[turn] = milliseconds() - start;
          bytes = file.count;
          bg_buffer_free(&file);
        }
        qsort(times, turns, sizeof *times, by_value);
        printf("| %d | %s | %s | %.1f | %zu |\n", level, strategies[strategy], filters[f].name,
               times[0], bytes);
      }
    }
  }
}
