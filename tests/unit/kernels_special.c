/* NaN, infinities and subnormal numbers in the tile of the instruction set in use (SEQRING_ISA). */
#include "answer.h"

static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};

/* NaN with every bit of its payload set. */
static double full_nan(void) {
  const uint64_t bits = 0x7fffffffffffffff;
  double nan;
  memcpy(&nan, &bits, sizeof nan);
  return nan;
}

/* The reference looks at visible keys only, and so do rows. */
static void hidden_nan_does_not_leak(void) {
  uint64_t random = 31;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 40; n++) {
      rig r = make_rig(products[t], 9, 6, 1300, &random);
      random_ranges(&r, n % 4 < 2, &random);
      r.finite = false;
      int64_t j = random_int(&random, 0, r.keys - 1);
      set(&r, n % 2 ? r.k : r.v, j * (n % 2 ? 9 : 6), bad[n % 3]);
      for (int i = 0; i < r.kernel->tile; i++) { /* all rows begin behind the key, or end before it, most at it */
        if (r.lo[i] <= j && j < r.hi[i]) *(i % 2 ? &r.lo[i] : &r.hi[i]) = i % 2 ? j + 1 : j;
        if (r.hi[i] < r.lo[i]) r.hi[i] = r.lo[i];
      }
      CU_ASSERT(accurate(&r, 0));
      free_rig(&r);
    }
}

/* Keys and values that some rows see and others do not; queries. What is NaN, and what is Inf, is as IEEE has it. */
static void planted_anywhere(void) {
  uint64_t random = 32;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 60; n++) {
      rig r = make_rig(products[t], (int32_t)random_int(&random, 1, 70), (int32_t)random_int(&random, 1, 20),
                       (int32_t)random_int(&random, 1, 1300), &random);
      if (n % 4) random_ranges(&r, n % 4 == 1, &random);
      r.finite = false;
      for (int64_t plants = random_int(&random, 1, 4); plants > 0; plants--) {
        const double x = plants == 4 ? full_nan() : bad[plants - 1];
        const int64_t j = random_int(&random, 0, r.keys - 1);
        if (n % 3 == 0) set(&r, r.k, j * r.head_dim + random_int(&random, 0, r.head_dim - 1), x);
        if (n % 3 == 1) set(&r, r.v, j * r.value_dim + random_int(&random, 0, r.value_dim - 1), x);
        if (n % 3 == 2) set(&r, r.q, random_int(&random, 0, r.kernel->tile * r.head_dim - 1), x);
      }
      CU_ASSERT(accurate(&r, 0));
      free_rig(&r);
    }
}

/* Scores of -inf: component 0 of a query is positive, and that of some keys -inf. Such a key has no weight. */
static void scores_of_minus_infinity(void) {
  uint64_t random = 33;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 12; n++) {
      rig r = make_rig(products[t], 5, 4, 1300, &random);
      for (int i = 0; i < r.kernel->tile; i++) r.q[i * 5] = 1;
      for (int64_t j = 0; j < r.keys; j++) /* one in two; the first block, or segment, as a whole; all but one */
        if (n % 4 == 0 ? j % 2 == 0 : n % 4 == 1 ? j < 70 : n % 4 == 2 ? j < SEGMENT : j != 1111)
          r.k[j * 5] = -(double)INFINITY;
      r.finite = false;
      if (n >= 4) random_ranges(&r, n >= 8, &random);
      CU_ASSERT(accurate(&r, 0));
      free_rig(&r);
    }
}

static void rows_without_an_answer(void) {
  uint64_t random = 34;
  static result got;
  for (int t = 0; t < PRODUCTS; t++) {
    rig r = make_rig(products[t], 4, 3, 100, &random);
    r.lo[0] = r.hi[0] = 0;
    run(&r, NULL, &got);
    CU_ASSERT(got.o[0] == 0 && got.o[1] == 0 && got.o[2] == 0 && got.lse[0] == -(double)INFINITY);
    for (int i = 0; i < r.kernel->tile; i++) r.q[i * 4] = i % 2 ? 1 : -1; /* every score is -inf, or +inf */
    for (int64_t j = 0; j < r.keys; j++) r.k[j * 4] = -(double)INFINITY;
    r.finite = false;
    run(&r, NULL, &got);
    CU_ASSERT(isnan(got.o[3]) && isnan(got.lse[1]) && isnan(got.o[6]) && isnan(got.lse[2]));
    CU_ASSERT(got.o[0] == 0 && got.lse[0] == -(double)INFINITY);
    free_rig(&r);
  }
}

/* From -1/2 to 1/2, and exact in 8 bits. */
static double random_part(uint64_t *random) {
  return (double)random_int(random, -64, 64) / 128;
}

/* Of the products' type. */
static double smallest_normal(const rig *r) {
  return r->kernel->compute == SR_F64 ? 0x1p-1022 : 0x1p-126;
}

/* AVX512_BF16 takes subnormal factors for 0, and gives 0 for subnormal products. */
static bool flushes(const rig *r) {
  return r->kernel->pack == 2;
}

/* Keys are subnormal, and queries so large that scores are not. Where the keys count as 0, all scores are 0. */
static void subnormal_keys(bool queries) {
  uint64_t random = 35;
  for (int t = 0; t < PRODUCTS; t++) {
    rig r = make_rig(products[t], 6, 4, 1100, &random);
    const double tiny = smallest_normal(&r), large = 1 / tiny;
    const int64_t rows = r.kernel->tile * 6, keys = r.keys * 6;
    r.scale = 1;
    for (int64_t i = 0; i < rows; i++) set(&r, r.q, i, random_part(&random) * (queries ? tiny : large));
    for (int64_t i = 0; i < keys; i++) set(&r, r.k, i, random_part(&random) * (queries ? large : tiny));
    for (int64_t i = 0; flushes(&r) && i < (queries ? rows : keys); i++)
      if (fabs((queries ? r.q : r.k)[i]) < tiny) (queries ? r.q : r.k)[i] = 0;
    CU_ASSERT(accurate(&r, 0));
    free_rig(&r);
  }
}
static void subnormal_k(void) {
  subnormal_keys(false);
}
static void subnormal_q(void) {
  subnormal_keys(true);
}

/* A mean of subnormal values is off by some of the smallest numbers there are; or is 0 where they are taken for 0. */
static void subnormal_v(void) {
  static result got;
  static answer want;
  uint64_t random = 37;
  for (int t = 0; t < PRODUCTS; t++) {
    rig r = make_rig(products[t], 6, 4, 1100, &random);
    const double tiny = smallest_normal(&r), unit = r.kernel->compute == SR_F64 ? 0x1p-1074 : 0x1p-149;
    for (int64_t i = 0; i < r.keys * 4; i++) set(&r, r.v, i, fabs(random_part(&random)) * tiny);
    run(&r, NULL, &got);
    for (int lane = 0; lane < r.kernel->tile; lane++) {
      exact_row(&r, lane, &want);
      double more = flushes(&r) ? tiny : r.kernel->compute == SR_BF16 ? 0x1p-8 * tiny : 0;
      for (int d = 0; d < 4; d++) CU_ASSERT(fabs(got.o[lane * 4 + d] - want.o[d]) <= r.keys * unit + more);
    }
    free_rig(&r);
  }
}

int main(void) {
  return run_kernel_suite("kernels_special",
                          (const test_case[]){{"a hidden NaN does not leak", hidden_nan_does_not_leak},
                                              {"planted anywhere", planted_anywhere},
                                              {"scores of minus infinity", scores_of_minus_infinity},
                                              {"rows without an answer", rows_without_an_answer},
                                              {"subnormal k", subnormal_k},
                                              {"subnormal q", subnormal_q},
                                              {"subnormal v", subnormal_v},
                                              {0}});
}
