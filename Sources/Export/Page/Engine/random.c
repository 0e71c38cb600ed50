// The random numbers of PyTorch and NumPy, bit for bit, as Sources/Model draws them (its files name
// the sources): MT19937, torch's vectorised Box-Muller with AVX2's fused multiply-adds, and NumPy's
// polar method.

#include <stddef.h>
#include <stdint.h>

#include "engine.h"

enum { WORDS = 624, SHIFT = 397 };

static uint32_t words[WORDS];
static size_t next_word;
static double cached;
static int has_cached;

static void seed_words(uint32_t seed) {
  words[0] = seed;
  for (uint32_t i = 1; i < WORDS; i++)
    words[i] = 1812433253u * (words[i - 1] ^ words[i - 1] >> 30) + i;
  next_word = WORDS;
  has_cached = 0;
}

static uint32_t next32(void) {
  if (next_word == WORDS) {
    for (size_t i = 0; i < WORDS; i++) {
      const uint32_t a = words[i], b = words[(i + 1) % WORDS];
      const uint32_t joined = (a & 0x80000000u) | (b & 0x7fffffffu);
      const uint32_t twisted = joined >> 1 ^ (b & 1 ? 0x9908b0dfu : 0);
      words[i] = words[(i + SHIFT) % WORDS] ^ twisted;
    }
    next_word = 0;
  }
  uint32_t y = words[next_word++];
  y ^= y >> 11;
  y ^= y << 7 & 0x9d2c5680u;
  y ^= y << 15 & 0xefc60000u;
  return y ^ y >> 18;
}

static double root(double x) { return __builtin_sqrt(x); }

// a * b + c, rounded once. The product is exact in double; the sum is rounded to odd, so that
// rounding it to float gives what rounding the exact sum would (Boldo and Melquiond 2008,
// doi:10.1109/TC.2007.70819).
static float fused(float a, float b, float c) {
  const double product = (double)a * b, addend = c, sum = product + addend;
  const double back = sum - product;
  const double error = (product - (sum - back)) + (addend - back);
  union { double value; uint64_t bits; } odd = {sum};
  if (error != 0 && !(odd.bits & 1)) odd.bits += (error > 0) == (sum > 0) ? 1 : -1;
  return (float)odd.value;
}

// Cephes' logf and sincosf, every a * b + c fused, as PyTorch's AVX2 build computes them.
static float log32(float x) {
  union { float value; int32_t bits; } word = {x};
  float e = (float)((word.bits >> 23) - 126);
  word.bits = (word.bits & 0x007fffff) | 0x3f000000;
  float m = word.value;
  const int small = m < 0.707106781186547524f;
  if (small) e -= 1;
  m = m - 1 + (small ? m : 0);
  const float z = m * m;
  static const float terms[] = {-1.1514610310e-1f, 1.1676998740e-1f,  -1.2420140846e-1f,
                                1.4249322787e-1f,  -1.6668057665e-1f, 2.0000714765e-1f,
                                -2.4999993993e-1f, 3.3333331174e-1f};
  float y = 7.0376836292e-2f;
  for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) y = fused(y, m, terms[i]);
  y *= m;
  y = fused(y, z, e * -2.12194440e-4f);
  y = fused(-z, 0.5f, y);
  return fused(e, 0.693359375f, m + y);
}

static void sincos32(float angle, float *sine, float *cosine) {
  const int32_t j = ((int32_t)(angle * 1.27323954473516f) + 1) & ~1;
  const float turns = (float)j;
  float x = fused(turns, -0.78515625f, angle);
  x = fused(turns, -2.4187564849853515625e-4f, x);
  x = fused(turns, -3.77489497744594108e-8f, x);
  const float z = x * x;
  float a = 2.443315711809948e-5f;
  a = fused(a, z, -1.388731625493765e-3f);
  a = fused(a, z, 4.166664568298827e-2f);
  a *= z;
  a = fused(a, z, -(z * 0.5f)) + 1;
  float b = -1.9515295891e-4f;
  b = fused(b, z, 8.3321608736e-3f);
  b = fused(b, z, -1.6666654611e-1f);
  b = fused(b * z, x, x);
  const int swapped = j & 2;
  *sine = swapped ? a : b;
  *cosine = swapped ? b : a;
  if (j & 4) *sine = -*sine;
  if (!((j - 2) & 4)) *cosine = -*cosine;
}

static float uniform32(void) { return (float)(next32() & 0xffffff) * 0x1p-24f; }

static void box_muller(float *values) {
  for (size_t i = 0; i < 8; i++) {
    float sine, cosine;
    const float radius = __builtin_sqrtf(-2 * log32(1 - values[i]));
    sincos32(6.283185307179586f * values[i + 8], &sine, &cosine);
    values[i] = radius * cosine;
    values[i + 8] = radius * sine;
  }
}

// ln x of a normal number, to a few units of 2^-53: x = m 2^e with m near 1, and
// ln m = 2 atanh(f) with f = (m - 1) / (m + 1), |f| < 0.172.
static double log64(double x) {
  union { double value; uint64_t bits; } word = {x};
  int64_t e = (int64_t)(word.bits >> 52) - 1022;
  word.bits = (word.bits & 0x000fffffffffffffu) | 0x3fe0000000000000u;
  double m = word.value;  // 0.5 to 1
  if (m < 0.70710678118654752) {
    m *= 2;
    e -= 1;
  }
  const double f = (m - 1) / (m + 1), z = f * f;
  double sum = 0;
  for (int k = 23; k >= 3; k -= 2) sum = (sum + 1.0 / k) * z;
  // The first term exactly: 2 f = (m - 1) - f (m - 1).
  const double g = m - 1, tail = 2 * f * sum - f * g;
  // ln 2 in two parts; the product of the larger one with e is exact.
  return (double)e * 0x1.62e42fefap-1 + (g + (tail + (double)e * 0x1.cf79abc9e3b39p-40));
}

// NumPy's legacy_gauss: Marsaglia's polar method.
static double numpy_normal(void) {
  if (has_cached) {
    has_cached = 0;
    return cached;
  }
  double x[2], square;
  do {
    for (int i = 0; i < 2; i++) {
      const double high = next32() >> 5, low = next32() >> 6;
      x[i] = 2 * ((high * 0x1p26 + low) * 0x1p-53) - 1;
    }
    square = x[0] * x[0] + x[1] * x[1];
  } while (square >= 1 || square == 0);
  const double f = root(-2 * log64(square) / square);
  cached = f * x[0];
  has_cached = 1;
  return f * x[1];
}

void bg_torch_latents(int64_t seed, size_t numbers, float *out) {
  seed_words((uint32_t)seed);
  for (size_t i = 0; i < numbers; i++) out[i] = uniform32();
  for (size_t i = 0; i + 16 <= numbers; i += 16) box_muller(out + i);
  if (numbers % 16 && numbers >= 16) {
    // Torch draws the last 16 numbers once more.
    for (size_t i = numbers - 16; i < numbers; i++) out[i] = uniform32();
    box_muller(out + numbers - 16);
  }
}

void bg_numpy_latent(uint32_t seed, size_t size, float *out) {
  seed_words(seed);
  for (size_t i = 0; i < size; i++) out[i] = (float)numpy_normal();
}
