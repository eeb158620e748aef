/* The error of the tiles' exp2, for the instruction set in use (SEQRING_ISA), which is the one that this was built for.
 *
 * Usage: unit_exp2_ISA [STRIDE]
 *
 * float32: every STRIDE-th number, that is all of them (1) unless sanitizers slow it down. The exact answer is the
 * exp2 of float64, which a sample of numbers holds against that of long double.
 */
#include <float.h>
#include <math.h>
#include <seqring/version.h>
#include <stdlib.h>
#include <string.h>

#include "exp2_lanes.h"
#include "suite.h"

enum { BLOCK = 4096 };

static uint64_t stride = 1;

/* Units in the last place, just above what was measured (src/kernels/exp2.h). Portable: a processor may have no fused
 * multiply-add. */
static const struct bounds {
  const char *isa;
  double f32, f64;
} bounds[] = {{"portable", 1.30, 1.33}, {"avx2", 1.17, 1.05}, {"avx512", 1.02, 1.02}}, *most;

/* Floats in the order of their bits: those from 0 up, then those from -0 down. */
static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* Every step-th float from *next to the last one, up to a block of them; the rest of the block repeats the last. */
static void next_block(uint64_t *next, uint32_t last, uint64_t step, float s[BLOCK]) {
  static uint32_t bits[BLOCK];
  const uint32_t first = (uint32_t)*next;
  for (uint32_t i = 0; i < BLOCK; i++) bits[i] = first + i * (uint32_t)step;
  for (int64_t i = BLOCK - 1; i > 0 && *next + (uint64_t)i * step > last; i--) bits[i] = last;
  memcpy(s, bits, sizeof bits);
  *next += BLOCK * step;
}

/* |got - want| in units of the last place that a float of want's size has. */
static double ulps_f32(float got, double want) {
  uint64_t bits, inverse;
  double units;
  memcpy(&bits, &want, sizeof bits);
  inverse = ((1023 + 1023 + 23ull) << 52) - (bits & 0x7ffull << 52);
  memcpy(&units, &inverse, sizeof units);
  units *= fabs((double)got - want);
  return units >= 0 ? units : (double)INFINITY;
}

/* Largest error over the floats from one to another, in the order of their bits. */
static double worst_f32(float from, float to, float e) {
  static float s[BLOCK], p[BLOCK];
  static double wide[BLOCK], want[BLOCK];
  double worst = 0;
  for (uint64_t next = bits_of(from); next <= bits_of(to);) {
    next_block(&next, bits_of(to), stride, s);
    for (int i = 0; i < BLOCK; i++) wide[i] = (double)s[i];
    lanes_exp2_f32(BLOCK, s, e, p);
    lanes_exp2_f64(BLOCK, wide, (double)e, want);
    for (int i = 0; i < BLOCK; i++) {
      const double ulps = ulps_f32(p[i], want[i]);
      worst = ulps > worst ? ulps : worst;
    }
  }
  return worst;
}

static void at_most(const char *what, double worst, double bound) {
  if (worst <= bound) return;
  fprintf(stderr, "%s: %.5f units in the last place, more than %g\n", what, worst, bound);
  CU_FAIL("error");
}

/* e is at or above s, as in a tile, and the result normal. Between 1/2 and -1/2, which every other s is brought to,
 * there are all numbers. */
static void f32_error(void) {
  const float tiny = 0x1p-26f;
  at_most("float32, s < 0", worst_f32(-tiny, nextafterf(-125.5f, 0), 0), most->f32);
  at_most("float32, s <= 3", worst_f32(tiny, 3, 3), most->f32);
  at_most("float32, s <= 128", worst_f32(3, 128, 128), most->f32);
}

/* Results over the floats from one to another, in the order of their bits, that are not p, bit for bit. */
static int64_t others_f32(uint32_t from, uint32_t to, float e, float wanted) {
  static float s[BLOCK], p[BLOCK];
  int64_t others = 0;
  for (uint64_t next = from; next <= to;) {
    next_block(&next, to, stride, s);
    lanes_exp2_f32(BLOCK, s, e, p);
    for (int i = 0; i < BLOCK; i++) others += bits_of(p[i]) != bits_of(wanted);
  }
  return others;
}

/* 2^s is nearer to 1 than to any other float. */
static void f32_next_to_0(void) {
  CU_ASSERT_EQUAL(others_f32(bits_of(-0.0f), bits_of(-0x1p-26f), 0, 1), 0);
  CU_ASSERT_EQUAL(others_f32(bits_of(0), bits_of(0x1p-26f), 1, 0.5f), 0);
}

static void f32_below_the_range(void) {
  CU_ASSERT_EQUAL(others_f32(bits_of(-125.5f), bits_of(-INFINITY), 0, 0), 0);
  CU_ASSERT_EQUAL(others_f32(bits_of(-INFINITY), bits_of(-INFINITY), -FLT_MAX, 0), 0);
  CU_ASSERT_EQUAL(others_f32(bits_of(-INFINITY), bits_of(-INFINITY), FLT_MAX, 0), 0);
  CU_ASSERT_EQUAL(others_f32(bits_of(0), bits_of(FLT_MAX), INFINITY, 0), 0);
}

static int64_t numbers_f32(uint32_t from, uint32_t to, float e) {
  static float s[BLOCK], p[BLOCK];
  int64_t numbers = 0;
  for (uint64_t next = from; next <= to;) {
    next_block(&next, to, stride, s);
    lanes_exp2_f32(BLOCK, s, e, p);
    for (int i = 0; i < BLOCK; i++) numbers += !isnan(p[i]);
  }
  return numbers;
}

/* NaN of every payload, and infinity as e is then. */
static void f32_nan(void) {
  static const float references[] = {0, 100, -FLT_MAX, FLT_MAX, INFINITY};
  for (int i = 0; i < 5; i++) {
    CU_ASSERT_EQUAL(numbers_f32(0x7f800001, 0x7fffffff, references[i]), 0);
    CU_ASSERT_EQUAL(numbers_f32(0xff800001, 0xffffffff, references[i]), 0);
  }
  CU_ASSERT_EQUAL(numbers_f32(bits_of(INFINITY), bits_of(INFINITY), INFINITY), 0);
}

static const int references[] = {0, 1, -1, 100, -1000, 10240, -1000000};
enum { REFERENCES = sizeof references / sizeof *references };

static void f32_integers(void) {
  static float s[BLOCK], p[BLOCK];
  for (int r = 0; r < REFERENCES; r++) {
    const float e = (float)references[r];
    for (int i = 0; i < BLOCK; i++) s[i] = e - (float)(i % 126);
    lanes_exp2_f32(BLOCK, s, e, p);
    for (int i = 0; i < 126; i++) CU_ASSERT(p[i] == ldexpf(1, -i));
  }
}

/* So far from 0 that there are no fractions but halves. */
static void f32_halves(void) {
  static const float far[] = {0x1p22f + 1, 0x1.8p22f, 0x1p23f - 1, -0x1p22f - 1, -0x1p23f + 17};
  static float s[16], p[16];
  for (int r = 0; r < 5; r++) {
    for (int i = 0; i < 16; i++) s[i] = far[r] - (float)i - 0.5f;
    lanes_exp2_f32(16, s, far[r], p);
    for (int i = 0; i < 16; i++) at_most("float32, halves", ulps_f32(p[i], ldexp(M_SQRT1_2, -i)), most->f32);
  }
}

static void f64_integers(void) {
  static double s[BLOCK], p[BLOCK];
  for (int r = 0; r < REFERENCES; r++) {
    const double e = references[r];
    for (int i = 0; i < BLOCK; i++) s[i] = e - i % 1022;
    lanes_exp2_f64(BLOCK, s, e, p);
    for (int i = 0; i < 1022; i++) CU_ASSERT(p[i] == ldexp(1, -i));
  }
}

/* Results of exp2_near over every step-th float from one to another that are not those of exp2, bit for bit. */
static int64_t unlike_f32(float from, float to, uint64_t step, float e) {
  static float s[BLOCK], p[BLOCK], near[BLOCK];
  int64_t unlike = 0;
  for (uint64_t next = bits_of(from); next <= bits_of(to);) {
    next_block(&next, bits_of(to), step, s);
    lanes_exp2_f32(BLOCK, s, e, p);
    lanes_exp2_near_f32(BLOCK, s, e, near);
    for (int i = 0; i < BLOCK; i++) unlike += bits_of(p[i]) != bits_of(near[i]);
  }
  return unlike;
}

/* All numbers below e = 0, and a sample of those below others. */
static void f32_near(void) {
  if (!lanes_has_near_f32) return;
  static const float integers[] = {0, 1, 48, -1, -48, 125, 1000, -1000, 0x1p22f, -0x1p21f};
  for (int i = 0; i < 10; i++) {
    const float e = integers[i], low = e - 125;
    const uint64_t step = e == 0 ? stride : 61 * stride;
    CU_ASSERT(lanes_all_near_f32(low, e));
    CU_ASSERT(!lanes_all_near_f32(low - 0.5f, e));
    if (low < 0) CU_ASSERT_EQUAL(unlike_f32(e < 0 ? e : -0.0f, low, step, e), 0);
    if (e >= 0) CU_ASSERT_EQUAL(unlike_f32(low > 0 ? low : 0, e, step, e), 0);
  }
  for (uint32_t bits = 0x7f800001; bits < 0x7fffffff; bits += 9973) {
    float s[16], p[16];
    for (int j = 0; j < 16; j++) memcpy(&s[j], &bits, sizeof bits);
    lanes_exp2_near_f32(16, s, 3, p);
    CU_ASSERT(isnan(p[0]) && isnan(p[15]));
  }
  CU_ASSERT(!lanes_all_near_f32(0x1p22f, 0x1p22f + 1));
  CU_ASSERT(!lanes_all_near_f32(-0x1p22f - 1, -0x1p22f));
  CU_ASSERT(!lanes_all_near_f32(-INFINITY, 0) && !lanes_all_near_f32(-INFINITY, -FLT_MAX));
  CU_ASSERT(!lanes_all_near_f32(INFINITY, INFINITY));
}

static double ulps_f64(double got, long double want) {
  const long double ulps = fabsl((long double)got - want) / ldexpl(1, ilogbl(want) - 52);
  return ulps >= 0 ? (double)ulps : (double)INFINITY;
}

/* Largest error over a sample from lo to hi, spread evenly. */
static double worst_f64(double lo, double hi, double e, uint64_t *random) {
  static double s[BLOCK], p[BLOCK];
  double worst = 0;
  for (int block = 0; block < 256; block++) {
    for (int i = 0; i < BLOCK; i++) s[i] = lo + (hi - lo) * ((double)(next_random(random) >> 11) * 0x1p-53);
    lanes_exp2_f64(BLOCK, s, e, p);
    for (int i = 0; i < BLOCK; i++) worst = fmax(worst, ulps_f64(p[i], exp2l((long double)s[i] - (long double)e)));
  }
  return worst;
}

static void f64_error(void) {
  uint64_t random = 41;
  at_most("float64, s > -1/2", worst_f64(-0.5, 0, 0, &random), most->f64);
  at_most("float64, s < 1/2", worst_f64(0, 0.5, 1, &random), most->f64);
  at_most("float64, s next to 0", worst_f64(-0x1p-8, 0, 0, &random), most->f64);
  at_most("float64, s > -1021.5", worst_f64(-1021.5 + 0x1p-40, 0, 0, &random), most->f64);
  at_most("float64, s <= 1e6", worst_f64(1e6 - 1000, 1e6, 1e6, &random), most->f64);
}

static void f64_halves(void) {
  static const double far[] = {0x1p51 + 1, 0x1.8p51, 0x1p52 - 1, -0x1p51 - 1, -0x1p52 + 17};
  static double s[16], p[16];
  for (int r = 0; r < 5; r++) {
    for (int i = 0; i < 16; i++) s[i] = far[r] - i - 0.5;
    lanes_exp2_f64(16, s, far[r], p);
    for (int i = 0; i < 16; i++) at_most("float64, halves", ulps_f64(p[i], sqrtl(0.5L) * ldexpl(1, -i)), most->f64);
  }
}

/* Results of exp2_near over a sample from lo to e that are not those of exp2, bit for bit. */
static int64_t unlike_f64(double lo, double e, uint64_t *random) {
  static double s[BLOCK], p[BLOCK], near[BLOCK];
  int64_t unlike = 0;
  for (int block = 0; block < 64; block++) {
    for (int i = 0; i < BLOCK; i++) s[i] = lo + (e - lo) * ((double)(next_random(random) >> 11) * 0x1p-53);
    s[0] = lo, s[1] = e;
    lanes_exp2_f64(BLOCK, s, e, p);
    lanes_exp2_near_f64(BLOCK, s, e, near);
    for (int i = 0; i < BLOCK; i++) unlike += memcmp(&p[i], &near[i], sizeof p[i]) != 0;
  }
  return unlike;
}

static void f64_near(void) {
  if (!lanes_has_near_f64) return;
  static const double integers[] = {0, 1, 48, -1, -48, 1021, 100000, -100000, 0x1p22, -0x1p21};
  uint64_t random = 43;
  for (int i = 0; i < 10; i++) {
    const double e = integers[i], low = e - 1021;
    CU_ASSERT(lanes_all_near_f64(low, e));
    CU_ASSERT(!lanes_all_near_f64(low - 0.5, e));
    CU_ASSERT_EQUAL(unlike_f64(low, e, &random), 0);
    CU_ASSERT_EQUAL(unlike_f64(e - 1, e, &random), 0);
  }
  double s[16], p[16];
  for (int i = 0; i < 16; i++) s[i] = i % 2 ? (double)NAN : -(double)NAN;
  lanes_exp2_near_f64(16, s, 3, p);
  for (int i = 0; i < 16; i++) CU_ASSERT(isnan(p[i]));
  CU_ASSERT(!lanes_all_near_f64(0x1p22, 0x1p22 + 1));
  CU_ASSERT(!lanes_all_near_f64(-0x1p22 - 1, -0x1p22));
  CU_ASSERT(!lanes_all_near_f64(-(double)INFINITY, 0) && !lanes_all_near_f64(-(double)INFINITY, -DBL_MAX));
  CU_ASSERT(!lanes_all_near_f64((double)INFINITY, (double)INFINITY));
}

/* p of a single s. */
static double one_f64(double x, double e) {
  double s[16], p[16];
  for (int i = 0; i < 16; i++) s[i] = x;
  lanes_exp2_f64(16, s, e, p);
  return p[5];
}

static void f64_special(void) {
  static const double infinity = (double)INFINITY, below[] = {-1021.5, -1022, -1074, -1e5, -1e300, -DBL_MAX};
  for (int i = 0; i < 6; i++) CU_ASSERT(one_f64(below[i], 0) == 0);
  CU_ASSERT(one_f64(-infinity, 0) == 0 && one_f64(-infinity, -DBL_MAX) == 0 && one_f64(-infinity, DBL_MAX) == 0);
  CU_ASSERT(one_f64(0, infinity) == 0 && one_f64(DBL_MAX, infinity) == 0);
  CU_ASSERT(isnan(one_f64((double)NAN, 0)) && isnan(one_f64(-(double)NAN, -DBL_MAX)));
  CU_ASSERT(isnan(one_f64(infinity, infinity)) && isnan(one_f64((double)NAN, infinity)));
}

int main(int argc, char **argv) {
  if (!sr_isa_name()) return 77; /* not on this machine: skipped */
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
    if (!strcmp(sr_isa_name(), bounds[i].isa)) most = &bounds[i];
  if (!most) return 1;
  if (argc > 1) stride = strtoull(argv[1], NULL, 10);
  return run_suite("exp2", (const test_case[]){{"float32: error", f32_error},
                                               {"float32: next to 0", f32_next_to_0},
                                               {"float32: below the range", f32_below_the_range},
                                               {"float32: NaN", f32_nan},
                                               {"float32: integers", f32_integers},
                                               {"float32: halves", f32_halves},
                                               {"float32: near", f32_near},
                                               {"float64: error", f64_error},
                                               {"float64: special", f64_special},
                                               {"float64: integers", f64_integers},
                                               {"float64: halves", f64_halves},
                                               {"float64: near", f64_near},
                                               {0}});
}
