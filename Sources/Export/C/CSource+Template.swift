/// The text of the header. Its bytes are part of the format: the same generator gives the same
/// file.
extension CSource {
  /// C99 with `@NAME@`, `@NAME_UP@` and other placeholders, filled in by `template(_:_:values:)`.
  static let source = """
    /* A generator of faces, @SIDE@x@SIDE@ @KIND@, in plain C99: no library, no allocation, no state.
     * Written by bollygan-export @VERSION@; the weights are in @DATA@, float32, little-endian.
     *
     *   float weights[@NAME_UP@_WEIGHTS]   the contents of that file
     *   float latent[@NAME_UP@_LATENT]     independent standard normal numbers
     *   float scratch[@NAME_UP@_SCRATCH]   any contents
     *   float image[@NAME_UP@_CHANNELS * @NAME_UP@_SIDE * @NAME_UP@_SIDE]
     *                                      channel by channel, row by row, -1 (dark) to 1 (light)
     *
     *   @NAME@_draw(weights, latent, scratch, image);
     *
     * As a program of its own, seed in, picture out:
     *
     *   cc -std=c99 -O3 -D@NAME_UP@_MAIN -x c THIS_FILE -o draw && ./draw @DATA@ 42 > face.pnm
     */
    #ifndef @NAME_UP@_H
    #define @NAME_UP@_H

    enum {
      @NAME_UP@_LATENT = @LATENT@,
      @NAME_UP@_CHANNELS = @CHANNELS@,
      @NAME_UP@_SIDE = @SIDE@,
      @NAME_UP@_WEIGHTS = @WEIGHTS@,
      @NAME_UP@_SCRATCH = @SCRATCH@
    };

    /* y[d][u][v] = bias[d] + sum over c of z[c] * w[c][d][u][v], 4x4 */
    static inline void @NAME@_project(const float *w, const float *bias, int inputs, int outputs,
                                      const float *z, float *y) {
      int c, k;
      for (k = 0; k < 16 * outputs; k++) y[k] = bias[k / 16];
      for (c = 0; c < inputs; c++)
        for (k = 0; k < 16 * outputs; k++) y[k] += z[c] * w[(long)c * 16 * outputs + k];
    }

    /* y[d][2i+u-1][2j+v-1] = bias[d] + sum of x[c][i][j] * w[c][d][u][v]: transposed convolution, stride 2,
     * padding 1. Each output of parity (r, s) sees 2x2 of the 4x4 taps, so the four parities are planes of
     * the input's size, one after the other. */
    static inline void @NAME@_double(const float *w, const float *bias, int inputs, int outputs, int side,
                                     const float *x, float *y, float *plane) {
      int d, r, s, c, e, f, i, j;
      for (d = 0; d < outputs; d++)
        for (r = 0; r < 2; r++)
          for (s = 0; s < 2; s++) {
            for (i = 0; i < side * side; i++) plane[i] = bias[d];
            for (c = 0; c < inputs; c++)
              for (e = 0; e < 2; e++)
                for (f = 0; f < 2; f++) {
                  /* The tap (u, v) that reads row i + di and column j + dj. */
                  const int u = r ? 2 - 2 * e : 1 + 2 * e, di = r ? e : -e;
                  const int v = s ? 2 - 2 * f : 1 + 2 * f, dj = s ? f : -f;
                  const float tap = w[(((long)c * outputs + d) * 4 + u) * 4 + v];
                  const int first = dj < 0 ? 1 : 0, last = dj > 0 ? side - 1 : side;
                  for (i = di < 0 ? 1 : 0; i < (di > 0 ? side - 1 : side); i++) {
                    const float *in = x + ((long)c * side + i + di) * side + dj;
                    float *out = plane + (long)i * side;
                    for (j = first; j < last; j++) out[j] += tap * in[j];
                  }
                }
            for (i = 0; i < side; i++)
              for (j = 0; j < side; j++)
                y[((long)d * 2 * side + 2 * i + r) * 2 * side + 2 * j + s] = plane[i * side + j];
          }
    }

    static inline void @NAME@_rectify(int count, float *x) {
      int k;
      for (k = 0; k < count; k++)
        if (x[k] < 0) x[k] *= @SLOPE@;
    }

    /* (1 - exp(-2x)) / (1 + exp(-2x)): a 1024th of the exponent by its series, squared ten times. */
    static inline float @NAME@_tanh(float x) {
      const double size = x < 0 ? -(double)x : x;
      double t, e;
      int k;
      if (!(size < 10)) return x > 0 ? 1.0f : x < 0 ? -1.0f : x;
      t = -2 * size / 1024;
      e = 1 + t * (1 + t / 2 * (1 + t / 3 * (1 + t / 4 * (1 + t / 5))));
      for (k = 0; k < 10; k++) e *= e;
      t = (1 - e) / (1 + e);
      return (float)(x < 0 ? -t : t);
    }

    static inline void @NAME@_draw(const float *weights, const float *latent, float *scratch,
                                   float *image) {
      float *a = scratch, *b = scratch + @MAP@, *plane = scratch + 2 * @MAP@;
      int k;
      (void)b;
      @CALLS@
      for (k = 0; k < @NAME_UP@_CHANNELS * @NAME_UP@_SIDE * @NAME_UP@_SIDE; k++)
        image[k] = @NAME@_tanh(image[k]);
    }

    #ifdef @NAME_UP@_MAIN

    #include <stdio.h>
    #include <stdlib.h>

    static float weights[@NAME_UP@_WEIGHTS], latent[@NAME_UP@_LATENT], scratch[@NAME_UP@_SCRATCH];
    static float image[@NAME_UP@_CHANNELS * @NAME_UP@_SIDE * @NAME_UP@_SIDE];

    int main(int count, char **arguments) {
      unsigned long state = count > 2 ? strtoul(arguments[2], 0, 10) : 0;
      FILE *file = count > 1 ? fopen(arguments[1], "rb") : 0;
      int k, n;
      if (!file || fread(weights, sizeof *weights, @NAME_UP@_WEIGHTS, file) != @NAME_UP@_WEIGHTS) {
        fprintf(stderr, "usage: %s FILE_OF_WEIGHTS [SEED] > face.pnm\\n", arguments[0]);
        return 1;
      }
      fclose(file);
      /* Twelve uniform numbers add up to nearly a normal one; Numerical Recipes' generator for them. */
      for (k = 0; k < @NAME_UP@_LATENT; k++) {
        latent[k] = -6;
        for (n = 0; n < 12; n++) {
          state = (state * 1664525 + 1013904223) & 0xffffffff;
          latent[k] += (float)(state >> 8) / 16777216;
        }
      }
      @NAME@_draw(weights, latent, scratch, image);
      printf("@MAGIC@ %d %d 255\\n", @NAME_UP@_SIDE, @NAME_UP@_SIDE);
      for (k = 0; k < @NAME_UP@_SIDE * @NAME_UP@_SIDE; k++)
        for (n = 0; n < @NAME_UP@_CHANNELS; n++)
          putchar((int)(image[n * @NAME_UP@_SIDE * @NAME_UP@_SIDE + k] * 127.5f + 128 < 255
                            ? image[n * @NAME_UP@_SIDE * @NAME_UP@_SIDE + k] * 127.5f + 128
                            : 255));
      return ferror(stdout) || fflush(stdout) ? 1 : 0;
    }

    #endif
    #endif

    """
}
