/* What must not change a bit of what the tile and the fold of the instruction set in use (SEQRING_ISA) give. */
#include <float.h>

#include "rig.h"

/* What the other lanes of a tile see, and so which blocks are skipped, masked or full, must not reach a lane's bits. */
static void neighbours_do_not_show(void) {
  static result alone, again;
  uint64_t random = 21;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 40; n++) {
      rig r = make_rig(products[t], 24, 10, 2500, &random);
      if (n % 5 == 0) random_slopes(&r, &random);
      random_ranges(&r, n % 4 < 2, &random);
      run(&r, NULL, &alone);
      int lane = (int)random_int(&random, 0, r.kernel->tile - 1);
      int64_t lo = r.lo[lane], hi = r.hi[lane];
      if (n % 2)
        random_ranges(&r, n % 4 < 2, &random);
      else
        for (int i = 0; i < r.kernel->tile; i++) r.lo[i] = lo, r.hi[i] = hi;
      r.lo[lane] = lo, r.hi[lane] = hi;
      run(&r, NULL, &again);
      CU_ASSERT(same_lane(&r, lane, &alone, &again));
      free_rig(&r);
    }
}

/* Neither what a neighbour is: here its query is NaN or Inf. */
static void special_neighbours_do_not_show(void) {
  static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  static result alone, again;
  uint64_t random = 22;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 12; n++) {
      rig r = make_rig(products[t], 13, 6, 1100, &random);
      if (n % 2) random_ranges(&r, true, &random);
      run(&r, NULL, &alone);
      int lane = (int)random_int(&random, 0, r.kernel->tile - 1);
      set(&r, r.q, lane * 13 + random_int(&random, 0, 12), bad[n % 3]);
      run(&r, NULL, &again);
      for (int i = 0; i < r.kernel->tile; i++) CU_ASSERT(i == lane || same_lane(&r, i, &alone, &again));
      free_rig(&r);
    }
}

/* Nor a segment of which only neighbours see keys: with small scores there, and those that the lane sees so far below
 * that doubles could not hold them beside these. */
static void unseen_segments_do_not_show(void) {
  static const double far[] = {100, 1152, 4096};
  static result alone, again;
  uint64_t random = 28;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 3; n++) {
      rig r = make_rig(products[t], 8, 5, 2 * SEGMENT, &random);
      r.scale = 1;
      fill(&r, r.k, (int64_t)r.keys * 8, 0.25, &random);
      for (int64_t j = 0; j < SEGMENT; j++) set(&r, r.k, j * 8, -far[n]);
      for (int i = 0; i < r.kernel->tile; i++) set(&r, r.q, i * 8, 1), r.hi[i] = SEGMENT;
      run(&r, NULL, &alone);
      for (int i = 1; i < r.kernel->tile; i += 2) r.lo[i] = i % 4 == 1 ? SEGMENT : 0, r.hi[i] = 2 * SEGMENT;
      run(&r, NULL, &again);
      for (int i = 0; i < r.kernel->tile; i += 2) CU_ASSERT(isfinite(alone.lse[i]) && same_lane(&r, i, &alone, &again));
      free_rig(&r);
    }
}

/* Nor whether the size of its scores is known, though products with some values leave the normal range. */
static void bounds_of_neighbours_do_not_show(void) {
  static result alone, again;
  uint64_t random = 29;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 20; n++) {
      rig r = make_rig(products[t], 24, 10, 1100, &random);
      fill(&r, r.k, (int64_t)r.keys * 24, 4, &random);
      for (int64_t i = 0; i < (int64_t)r.keys * 10; i++)
        if (i % 10) set(&r, r.v, i, ldexp(random_normal(&random), products[t] == SR_F64 ? -1020 : -125));
      if (n % 2) random_ranges(&r, true, &random);
      run(&r, NULL, &alone);
      const int lane = (int)random_int(&random, 0, r.kernel->tile - 1);
      for (int i = 0; i < r.kernel->tile; i++) r.bounded[i] = i == lane;
      run(&r, NULL, &again);
      CU_ASSERT(same_lane(&r, lane, &alone, &again));
      free_rig(&r);
    }
}

/* Scores so far from 0 that they have no fractions but halves; those of bfloat16 have none. */
static void fill_halves(rig *r, uint64_t *random) {
  const double far = r->kernel->compute == SR_F64 ? 0x1p51 : 0x1p22;
  for (int64_t i = 0; i < (int64_t)r->kernel->tile * r->head_dim; i++) set(r, r->q, i, i % r->head_dim == 0);
  for (int64_t j = 0; j < r->keys; j++)
    set(r, r->k, j * r->head_dim, far + (double)(j / SEGMENT * 3 + random_int(random, 0, 4)) / 2);
}

/* Nor whether two are folded together, be they the first ones or not. */
static void order_of_segments_does_not_show(void) {
  static const int orders[][MOST_SEGMENTS] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  static result ascending, other;
  uint64_t random = 23;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 16; n++) {
      rig r = make_rig(products[t], 24, 10, 3000, &random);
      if (n % 4 == 3) { /* so far apart that what is added falls out of the range, in one step or in two */
        fill(&r, r.k, (int64_t)r.keys * 24, 150, &random);
        for (int64_t i = 0; i < (int64_t)r.keys * 10; i++)
          set(&r, r.v, i, i / 10 / SEGMENT != n / 4 % 3 ? 0 : products[t] == SR_F64 ? 1e300 : 1e30);
      }
      if (n % 4 == 1) fill(&r, r.k, (int64_t)r.keys * 24, 300, &random); /* exponents far apart */
      if (n % 8 == 4) fill_halves(&r, &random);
      if (n % 4 == 2) {
        r.finite = false;
        set(&r, r.v, 5 * 10, (double)INFINITY);
        set(&r, r.v, 2700 * 10 + 1, (double)NAN);
        set(&r, r.v, 2800 * 10, -(double)INFINITY);
        set(&r, r.k, 1500 * 24, (double)INFINITY);
      }
      random_ranges(&r, false, &random);
      run(&r, NULL, &ascending);
      for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        run(&r, orders[i], &other);
        CU_ASSERT(same_lanes(&r, &ascending, &other));
      }
      for (r.alone = 0; r.alone < 2; r.alone++) {
        run(&r, NULL, &other);
        CU_ASSERT(same_lanes(&r, &ascending, &other));
      }
      free_rig(&r);
    }
}

/* Where memory lies, where a segment is cut between two calls, and whether values are taken for ones that may be NaN.
 */
static void the_way_does_not_show(void) {
  static result plain, other;
  uint64_t random = 24;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 30; n++) {
      rig r = make_rig(products[t], (int32_t)random_int(&random, 1, 140), (int32_t)random_int(&random, 1, 40),
                       (int32_t)random_int(&random, 1, 1500), &random);
      random_ranges(&r, n % 2, &random);
      run(&r, NULL, &plain);
      r.shift = 1;
      run(&r, NULL, &other);
      CU_ASSERT(same_lanes(&r, &plain, &other));
      r.cut = (int32_t)random_int(&random, 0, SEGMENT / r.kernel->key_block) * r.kernel->key_block;
      run(&r, NULL, &other);
      CU_ASSERT(same_lanes(&r, &plain, &other));
      r.finite = false;
      run(&r, NULL, &other);
      CU_ASSERT(same_lanes(&r, &plain, &other));
      free_rig(&r);
    }
}

/* Whether the size of scores is known beforehand, of no lane or of some. */
static void bounds_do_not_show(void) {
  static const double factor[] = {1, 3, 30};
  static result plain, other;
  uint64_t random = 27;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 60; n++) {
      const int32_t width = (int32_t)random_int(&random, 1, 140), keys = (int32_t)random_int(&random, 1, 1500);
      rig r = make_rig(products[t], width, 9, keys, &random);
      fill(&r, r.k, (int64_t)r.keys * r.head_dim, factor[n % 3], &random);
      if (n % 2) random_ranges(&r, n % 4 == 1, &random);
      run(&r, NULL, &plain);
      for (int i = 0; i < r.kernel->tile; i++) r.bounded[i] = n % 5 > 1 && random_int(&random, 0, 1);
      run(&r, NULL, &other);
      CU_ASSERT(same_lanes(&r, &plain, &other));
      free_rig(&r);
    }
}

/* That AVX2's and AVX-512's tiles begin with the bound of a row whose scores are small, and the portable ones do not.
 */
static void bounds_are_used(void) {
  static const double known[] = {0, 3.5, 32, 33, (double)INFINITY, (double)NAN};
  const char *isa = sr_isa_name();
  const sr_kernel *kernel;
  CU_ASSERT_FATAL(sr_kernel_choose(SR_F32, false, &kernel) == SR_OK);
  double bound[SR_MAX_TILE];
  for (int i = 0; i < kernel->tile; i++) bound[i] = known[i % 6];
  void *memory = sr_alloc(sr_partial_bytes(kernel, 4));
  const sr_partial partial = sr_partial_at(kernel, memory);
  kernel->begin(&partial, 4, bound);
  for (int i = 0; i < kernel->tile; i++) {
    const bool used = strncmp(isa, "avx", 3) == 0 && bound[i] <= 32;
    CU_ASSERT(((const float *)partial.e)[i] == (used ? (float)ceil(bound[i]) : -FLT_MAX));
  }
  sr_free(memory);
}

/* An accumulator that holds what `segments` segments from the first one on give, none where that is 0. */
static sr_accumulator accumulate(const rig *r, packed *p, char *memory, int first, int segments) {
  p->acc = sr_accumulator_at(r->kernel, r->value_dim, memory);
  memset(memory, 0xff, sr_accumulator_bytes(r->kernel, r->value_dim));
  sr_accumulator_begin(r->kernel, &p->acc);
  for (int i = 0; i < segments; i++) fold_segment(r, p, first + i);
  return p->acc;
}

/* Accumulators of some segments, of all and of none are added: it must not show that they were several, nor what memory
 * held before. */
static void sums_of_accumulators_do_not_show(void) {
  static const int parts[][3] = {{0, 2, 0}, {2, 0, 0}, {1, 1, 0}, {0, 1, 1}, {0, 0, 2}, {1, 0, 1}};
  uint64_t random = 26;
  static result whole, sum;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 24; n++) {
      rig r = make_rig(products[t], 7, 5, 2048, &random);
      if (n % 2) random_ranges(&r, n % 4 == 1, &random);
      run(&r, NULL, &whole);
      const int *part = parts[n % 6];
      char *memory[3];
      sr_accumulator acc[3];
      packed p;
      open_packed(&r, &p);
      for (int i = 0, first = 0; i < 3; first += part[i++]) {
        memory[i] = sr_alloc(sr_accumulator_bytes(r.kernel, r.value_dim));
        acc[i] = accumulate(&r, &p, memory[i], first, part[i]);
      }
      for (int i = 1; i < 3; i++) sr_accumulator_add(r.kernel, r.value_dim, &acc[0], &acc[i]);
      take(&r, &acc[0], &sum);
      CU_ASSERT(same_lanes(&r, &whole, &sum));
      for (int i = 0; i < 3; i++) sr_free(memory[i]);
      close_packed(&p);
      free_rig(&r);
    }
}

static void unknown_isa_is_refused(void) {
  const char *was = getenv("SEQRING_ISA");
  char *kept = was ? strdup(was) : NULL;
  const sr_kernel *kernel;
  setenv("SEQRING_ISA", "mmx", 1);
  CU_ASSERT_EQUAL(sr_kernel_choose(SR_F32, false, &kernel), SR_ERR_ARGUMENT);
  CU_ASSERT(strstr(sr_error_text(), "mmx") != NULL);
  CU_ASSERT_PTR_NULL(sr_isa_name());
  unsetenv("SEQRING_ISA");
  CU_ASSERT_PTR_NOT_NULL(sr_isa_name());
  if (kept) setenv("SEQRING_ISA", kept, 1);
  free(kept);
}

int main(void) {
  return run_kernel_suite("kernels_bits",
                          (const test_case[]){{"neighbours do not show", neighbours_do_not_show},
                                              {"special neighbours do not show", special_neighbours_do_not_show},
                                              {"unseen segments do not show", unseen_segments_do_not_show},
                                              {"bounds of neighbours do not show", bounds_of_neighbours_do_not_show},
                                              {"the order of segments does not show", order_of_segments_does_not_show},
                                              {"the way does not show", the_way_does_not_show},
                                              {"bounds do not show", bounds_do_not_show},
                                              {"bounds are used", bounds_are_used},
                                              {"sums of accumulators do not show", sums_of_accumulators_do_not_show},
                                              {"an unknown instruction set is refused", unknown_isa_is_refused},
                                              {0}});
}
