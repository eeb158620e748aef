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
                                                  {"overflow", too_large_is_infinite},
                                                  {"NaN is canonical", nan_is_canonical},
                                                  {0}});
}
