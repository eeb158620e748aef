#include "convert.h"

#include <math.h>
#include <string.h>

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* Exponent and mantissa move to their new places; 2^112 repairs the difference of the biases, for subnormals too. */
static float from_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = (uint32_t)(h & 0x7fff) << 13;
  float magnitude = rest >= 0x0f800000 ? float_of(rest | 0x7f800000) : float_of(rest) * 0x1p112f;
  return float_of(bits_of(magnitude) | sign);
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
static uint16_t upper_half(uint32_t bits) {
  return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* A float as binary16. Below its normal range sums with 1/2 have the last bit that is wanted. */
static uint16_t half_of(uint32_t bits) {
  const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  const uint32_t normal = (magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
  const uint32_t small = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
  const uint32_t finite = magnitude < 0x38800000 ? small : normal;
  if (magnitude > 0x7f800000) return 0x7e00;
  return (uint16_t)(sign | (magnitude < 0x47800000 ? finite : 0x7c00));
}

/* A double rounded to odd: to the float next to it toward 0, whose last bit is set where that is not exact. Rounding
 * the result to a type that is two bits shorter or more gives what rounding the double would (Boldo and Melquiond, When
 * double rounding is odd, 2005). */
static uint32_t odd_bits(double value) {
  const float nearest = (float)value;
  const uint32_t bits = bits_of(nearest);
  return (bits - (fabs((double)nearest) > fabs(value))) | ((double)nearest != value);
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
    for (int64_t i = 0; i < n; i++) ((uint16_t *)to)[i] = half_of(odd_bits(from[i]));
    return;
  case SR_BF16:
    for (int64_t i = 0; i < n; i++) ((uint16_t *)to)[i] = upper_half(odd_bits(from[i]));
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
    for (int64_t i = 0; i < n; i++) to[i] = upper_half(bits_of(from_half(((const uint16_t *)from)[i])));
    return;
  case SR_BF16:
    memcpy(to, from, (size_t)n * sizeof *to);
    return;
  case SR_F32:
    for (int64_t i = 0; i < n; i++) to[i] = upper_half(bits_of(((const float *)from)[i]));
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
