#include "convert.h"

#include <math.h>
#include <string.h>

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Exponent and mantissa move to their new places; 2^112 repairs the difference of the biases, for subnormals too. */
static float from_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = (uint32_t)(h & 0x7fff) << 13;
  float magnitude = rest >= 0x0f800000 ? float_of(rest | 0x7f800000) : float_of(rest) * 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &magnitude, sizeof bits);
  return float_of(bits | sign);
}

static float from_bfloat(uint16_t b) {
  return float_of((uint32_t)b << 16);
}

void sr_to_f32(sr_dtype dtype, const void *from, int64_t n, float *to) {
  switch (dtype) {
  case SR_F16:
    for (int64_t i = 0; i < n; i++) to[i] = from_half(((const uint16_t *)from)[i]);
    return;
  case SR_BF16:
    for (int64_t i = 0; i < n; i++) to[i] = from_bfloat(((const uint16_t *)from)[i]);
    return;
  case SR_F32:
    memcpy(to, from, (size_t)n * sizeof *to);
    return;
  case SR_F64:
    for (int64_t i = 0; i < n; i++) to[i] = (float)((const double *)from)[i];
    return;
  default:
    return;
  }
}

void sr_to_f64(sr_dtype dtype, const void *from, int64_t n, double *to) {
  switch (dtype) {
  case SR_F16:
    for (int64_t i = 0; i < n; i++) to[i] = (double)from_half(((const uint16_t *)from)[i]);
    return;
  case SR_BF16:
    for (int64_t i = 0; i < n; i++) to[i] = (double)from_bfloat(((const uint16_t *)from)[i]);
    return;
  case SR_F32:
    for (int64_t i = 0; i < n; i++) to[i] = (double)((const float *)from)[i];
    return;
  case SR_F64:
    memcpy(to, from, (size_t)n * sizeof *to);
    return;
  default:
    return;
  }
}

/* A float rounded to the upper half of its bits. */
static uint16_t upper_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return x == x ? (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16) : 0x7fc0;
}

/* A finite or infinite double as a binary float of 16 bits with `mantissa` explicit bits and exponents from 1 - bias to
 * bias, rounded once. */
static uint16_t to_small(double value, int mantissa, int bias) {
  uint16_t sign = signbit(value) ? 0x8000 : 0;
  double x = fabs(value);
  uint16_t infinity = (uint16_t)((2 * bias + 1) << mantissa);
  if (isinf(x)) return sign | infinity;
  int exponent;
  frexp(x, &exponent); /* x in [2^(exponent - 1), 2^exponent) */
  int unit = (x == 0 || exponent - 1 < 1 - bias ? 1 - bias : exponent - 1) - mantissa;
  double steps = nearbyint(ldexp(x, -unit)); /* below 2^(mantissa + 1), exact but for this rounding */
  uint32_t bits = (uint32_t)steps + (uint32_t)((unit + mantissa + bias - 1) << mantissa);
  return sign | (bits < infinity ? (uint16_t)bits : infinity);
}

static uint16_t to_half(double value) {
  return isnan(value) ? 0x7e00 : to_small(value, 10, 15);
}
static uint16_t to_bfloat(double value) {
  return isnan(value) ? 0x7fc0 : to_small(value, 7, 127);
}

static float to_float(double value) {
  const float x = (float)value;
  return x == x ? x : NAN;
}
static double to_double(double value) {
  return isnan(value) ? (double)NAN : value;
}

void sr_store_row(sr_dtype dtype, void *to, int64_t n, const double *from) {
  switch (dtype) {
  case SR_F16:
    for (int64_t i = 0; i < n; i++) ((uint16_t *)to)[i] = to_half(from[i]);
    return;
  case SR_BF16:
    for (int64_t i = 0; i < n; i++) ((uint16_t *)to)[i] = to_bfloat(from[i]);
    return;
  case SR_F32:
    for (int64_t i = 0; i < n; i++) ((float *)to)[i] = to_float(from[i]);
    return;
  case SR_F64:
    for (int64_t i = 0; i < n; i++) ((double *)to)[i] = to_double(from[i]);
    return;
  default:
    return;
  }
}

void sr_store(sr_dtype dtype, void *to, double value) {
  sr_store_row(dtype, to, 1, &value);
}

void sr_to_bf16(sr_dtype dtype, const void *from, int64_t n, uint16_t *to) {
  switch (dtype) {
  case SR_F16:
    for (int64_t i = 0; i < n; i++) to[i] = upper_half(from_half(((const uint16_t *)from)[i]));
    return;
  case SR_BF16:
    memcpy(to, from, (size_t)n * sizeof *to);
    return;
  case SR_F32:
    for (int64_t i = 0; i < n; i++) to[i] = upper_half(((const float *)from)[i]);
    return;
  case SR_F64:
    sr_store_row(SR_BF16, to, n, from);
    return;
  default:
    return;
  }
}

/* An element is not finite when all bits of its exponent are set. They are counted in integers of their size, for the
 * compiler to vectorise, as many at a time as these hold. */
#define COUNT_NONFINITE(name, integer, exponent)                                                                       \
  static int64_t name(const integer *x, int64_t n) {                                                                   \
    enum { PIECE = 32768 };                                                                                            \
    int64_t count = 0;                                                                                                 \
    for (int64_t from = 0; from < n; from += PIECE) {                                                                  \
      const int64_t to = from + PIECE < n ? from + PIECE : n;                                                          \
      integer found = 0;                                                                                               \
      for (int64_t i = from; i < to; i++) found = (integer)(found + ((x[i] & exponent) == exponent));                  \
      count += (int64_t)found;                                                                                         \
    }                                                                                                                  \
    return count;                                                                                                      \
  }
COUNT_NONFINITE(nonfinite_f16, uint16_t, 0x7c00)
COUNT_NONFINITE(nonfinite_bf16, uint16_t, 0x7f80)
COUNT_NONFINITE(nonfinite_f32, uint32_t, 0x7f800000)
COUNT_NONFINITE(nonfinite_f64, uint64_t, 0x7ff0000000000000)

int64_t sr_count_nonfinite(sr_dtype dtype, const void *from, int64_t n) {
  switch (dtype) {
  case SR_F16:
    return nonfinite_f16(from, n);
  case SR_BF16:
    return nonfinite_bf16(from, n);
  case SR_F32:
    return nonfinite_f32(from, n);
  case SR_F64:
    return nonfinite_f64(from, n);
  default:
    return 0;
  }
}
