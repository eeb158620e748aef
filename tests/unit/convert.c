/* Conversions of element types, exhaustively where there are only 65,536 values. */
#include "base/convert.h"

#include <math.h>
#include <string.h>

#include "suite.h"

/* The value of a small float by its definition. */
static double value_of(uint16_t bits, int mantissa, int bias) {
  int exponent = bits >> mantissa & (2 * bias + 1), fraction = bits & ((1 << mantissa) - 1);
  double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 2 * bias + 1) return fraction ? (double)NAN : sign * (double)INFINITY;
  if (exponent == 0) return sign * ldexp(fraction, 1 - bias - mantissa);
  return sign * ldexp(fraction + (1 << mantissa), exponent - bias - mantissa);
}

static void check_all(sr_dtype dtype, int mantissa, int bias, uint16_t quiet_nan) {
  int wrong = 0;
  for (uint32_t i = 0; i < 65536; i++) {
    uint16_t bits = (uint16_t)i, back;
    double want = value_of(bits, mantissa, bias), as_double;
    float as_float;
    sr_to_f32(dtype, &bits, 1, &as_float);
    sr_to_f64(dtype, &bits, 1, &as_double);
    sr_store(dtype, &back, as_double);
    if (isnan(want)) {
      wrong += !isnan(as_float) || !isnan(as_double) || back != quiet_nan;
    } else {
      wrong += (double)as_float != want || as_double != want || back != bits || !signbit(as_double) != !signbit(want);
    }
    wrong += sr_count_nonfinite(dtype, &bits, 1) != !isfinite(want);
  }
  CU_ASSERT_EQUAL(wrong, 0);
}

static void half_exhaustively(void) {
  check_all(SR_F16, 10, 15, 0x7e00);
}
static void bfloat_exhaustively(void) {
  check_all(SR_BF16, 7, 127, 0x7fc0);
}

/* Between two neighbours: to the nearer, from the middle to the even one; all in one row, and negative ones likewise.
 */
static void check_rounding(sr_dtype dtype, int mantissa, int bias) {
  enum { MOST = 2 * 3 * 32768 };
  static double row[MOST];
  static uint16_t got[MOST], want[MOST];
  int n = 0;
  for (uint32_t i = 0; i + 1 < (uint32_t)(2 * bias + 1) << mantissa; i++) {
    double low = value_of((uint16_t)i, mantissa, bias), high = value_of((uint16_t)(i + 1), mantissa, bias);
    double middle = low + (high - low) / 2;
    const double x[] = {nextafter(middle, low), middle, nextafter(middle, high)};
    const uint16_t bits[] = {(uint16_t)i, (uint16_t)(i % 2 ? i + 1 : i), (uint16_t)(i + 1)};
    for (int part = 0; part < 3; part++, n += 2) {
      row[n] = x[part], row[n + 1] = -x[part];
      want[n] = bits[part], want[n + 1] = bits[part] | 0x8000;
    }
  }
  sr_store_row(dtype, got, n, row);
  CU_ASSERT(memcmp(got, want, (size_t)n * sizeof *want) == 0);
}

static void half_rounds_to_nearest_even(void) {
  check_rounding(SR_F16, 10, 15);
}
static void bfloat_rounds_to_nearest_even(void) {
  check_rounding(SR_BF16, 7, 127);
}

/* Elements of other types become what sr_store makes of them. */
static void check_to_bf16(sr_dtype dtype, const void *from, int64_t n) {
  enum { PIECE = 4096 };
  static uint16_t got[PIECE], want[PIECE];
  static double wide[PIECE];
  const char *at = from;
  for (int64_t done = 0; done < n; done += PIECE, at += PIECE * sr_dtype_size(dtype)) {
    const int64_t piece = n - done < PIECE ? n - done : PIECE;
    sr_to_bf16(dtype, at, piece, got);
    sr_to_f64(dtype, at, piece, wide);
    sr_store_row(SR_BF16, want, piece, wide);
    for (int64_t i = 0; i < piece; i++)
      if (isnan(wide[i]) ? !((got[i] & 0x7fff) > 0x7f80) : got[i] != want[i]) CU_FAIL("bfloat16");
  }
}

/* All halves; of floats those at the borders of rounding, beside them, and some of all sizes; of doubles those that are
 * not to be rounded to a float first. */
static void all_types_round_to_bfloat(void) {
  enum { FLOATS = 8 * 65536 };
  static uint16_t halves[65536];
  static uint32_t floats[FLOATS];
  static double doubles[65536];
  for (uint32_t i = 0; i < 65536; i++) {
    const uint32_t low = i << 16, border[] = {low, low + 1, low + 0x7fff, low + 0x8000, low + 0x8001, low + 0xffff};
    halves[i] = (uint16_t)i;
    memcpy(floats + (size_t)8 * i, border, sizeof border);
    floats[8 * i + 6] = i * 0x9e3779b1u, floats[8 * i + 7] = ~floats[8 * i + 6];
    doubles[i] = ldexp(1 + (double)(i % 128) * 0x1p-7 + 0x1p-8 + (i % 3 ? 0x1p-40 : -0x1p-40), (int)(i / 512) - 64);
  }
  check_to_bf16(SR_F16, halves, 65536);
  check_to_bf16(SR_F32, floats, FLOATS);
  check_to_bf16(SR_F64, doubles, 65536);
}

/* More than the integers of their size count. */
static void many_nonfinite_are_counted(void) {
  enum { MANY = 70000 };
  static const sr_dtype dtypes[] = {SR_F16, SR_BF16, SR_F32, SR_F64};
  static double row[MANY], stored[MANY];
  for (int i = 0; i < MANY; i++) row[i] = i % 2 ? (double)NAN : -(double)INFINITY;
  row[5] = 0, row[MANY - 1] = 1;
  for (int t = 0; t < 4; t++) {
    sr_store_row(dtypes[t], stored, MANY, row);
    CU_ASSERT_EQUAL(sr_count_nonfinite(dtypes[t], stored, MANY), MANY - 2);
  }
}

static void too_large_is_infinite(void) {
  uint16_t h;
  sr_store(SR_F16, &h, 65519.9);
  CU_ASSERT_EQUAL(h, 0x7bff);
  sr_store(SR_F16, &h, 65520);
  CU_ASSERT_EQUAL(h, 0x7c00);
  sr_store(SR_F16, &h, -1e300);
  CU_ASSERT_EQUAL(h, 0xfc00);
  const double most = 0x1.fep127, step = 0x1p120; /* bfloat16's */
  sr_store(SR_BF16, &h, nextafter(most + step / 2, 0));
  CU_ASSERT_EQUAL(h, 0x7f7f);
  sr_store(SR_BF16, &h, most + step / 2);
  CU_ASSERT_EQUAL(h, 0x7f80);
  sr_store(SR_BF16, &h, -1e300);
  CU_ASSERT_EQUAL(h, 0xff80);
}

static void nan_is_canonical(void) {
  uint32_t f;
  uint64_t d;
  sr_store(SR_F32, &f, -(double)NAN);
  sr_store(SR_F64, &d, -(double)NAN);
  CU_ASSERT_EQUAL(f, 0x7fc00000);
  CU_ASSERT_EQUAL(d, 0x7ff8000000000000);
}

int main(void) {
  return run_suite("convert", (const test_case[]){{"float16, all values", half_exhaustively},
                                                  {"bfloat16, all values", bfloat_exhaustively},
                                                  {"float16 rounding", half_rounds_to_nearest_even},
                                                  {"bfloat16 rounding", bfloat_rounds_to_nearest_even},
                                                  {"bfloat16 of all types", all_types_round_to_bfloat},
                                                  {"many that are not finite", many_nonfinite_are_counted},
                                                  {"overflow", too_large_is_infinite},
                                                  {"NaN is canonical", nan_is_canonical},
                                                  {0}});
}
