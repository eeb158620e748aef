/* The tile and the fold of the instruction set in use (SEQRING_ISA), against the float64 reference. */
#include "kernels/kernel.h"

#include <float.h>
#include <math.h>
#include <seqring/version.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/reference.h"
#include "suite.h"

enum { SEGMENT = 1024, MOST_SEGMENTS = 3 };

/* A tile over some segments, with everything that it needs; element types follow the kernel's compute type. */
typedef struct rig {
  const sr_kernel *kernel;
  int32_t head_dim, value_dim, keys, segments;
  char *q, *k, *v; /* q [head_dim][tile] with scale * log2(e) = log2(e); k, v [segments * SEGMENT][] */
  int64_t lo[SR_MAX_TILE], hi[SR_MAX_TILE];
  bool finite;
  int32_t cut; /* a multiple of the key block */
  void *scratch, *state, *memory;
  sr_partial partial;
  sr_accumulator acc;
} rig;

static size_t element(const rig *r) {
  return sr_dtype_size(r->kernel->compute);
}

static void set(const rig *r, char *array, int64_t i, double x) {
  if (r->kernel->compute == SR_F64)
    ((double *)(void *)array)[i] = x;
  else
    ((float *)(void *)array)[i] = (float)x;
}

static double get(const rig *r, const char *array, int64_t i) {
  return r->kernel->compute == SR_F64 ? ((const double *)(const void *)array)[i]
                                      : (double)((const float *)(const void *)array)[i];
}

static void fill(const rig *r, char *array, int64_t n, double factor, uint64_t *random) {
  for (int64_t i = 0; i < n; i++) set(r, array, i, factor * random_normal(random));
}

static rig make_rig(sr_dtype compute, int32_t head_dim, int32_t value_dim, int32_t keys, uint64_t *random) {
  rig r = {.head_dim = head_dim, .value_dim = value_dim, .keys = keys, .segments = (keys + SEGMENT - 1) / SEGMENT};
  if (sr_kernel_choose(compute, false, &r.kernel) != SR_OK) {
    fprintf(stderr, "%s\n", sr_error_text());
    exit(1);
  }
  r.finite = true;
  r.cut = 512;
  size_t rows = (size_t)r.segments * SEGMENT;
  r.q = sr_alloc((size_t)head_dim * (size_t)r.kernel->tile * element(&r));
  r.k = sr_alloc(rows * (size_t)head_dim * element(&r));
  r.v = sr_alloc(rows * (size_t)value_dim * element(&r));
  r.scratch = sr_alloc(r.kernel->scratch_bytes(head_dim, value_dim));
  r.state = sr_alloc(sr_partial_bytes(r.kernel, value_dim));
  r.memory = sr_alloc(sr_accumulator_bytes(r.kernel, value_dim));
  r.partial = sr_partial_at(r.kernel, r.state);
  r.acc = sr_accumulator_at(r.kernel, value_dim, r.memory);
  memset(r.k, 0, rows * (size_t)head_dim * element(&r));
  memset(r.v, 0, rows * (size_t)value_dim * element(&r));
  fill(&r, r.q, (int64_t)head_dim * r.kernel->tile, 1 / sqrt(head_dim), random);
  fill(&r, r.k, (int64_t)keys * head_dim, 1, random);
  fill(&r, r.v, (int64_t)keys * value_dim, 1, random);
  for (int i = 0; i < r.kernel->tile; i++) r.lo[i] = 0, r.hi[i] = keys;
  return r;
}

static void free_rig(rig *r) {
  sr_free(r->q);
  sr_free(r->k);
  sr_free(r->v);
  sr_free(r->scratch);
  sr_free(r->state);
  sr_free(r->memory);
}

static int32_t clip(int64_t key) {
  return (int32_t)(key < 0 ? 0 : key > SEGMENT ? SEGMENT : key);
}

/* Met in one call, or in two, when `cut` lies within the segment: that must not show. */
static void fold_segment(rig *r, int s) {
  sr_tile t = {.q = r->q,
               .k = r->k + (size_t)s * SEGMENT * (size_t)r->head_dim * element(r),
               .v = r->v + (size_t)s * SEGMENT * (size_t)r->value_dim * element(r),
               .head_dim = r->head_dim,
               .value_dim = r->value_dim,
               .finite = r->finite};
  for (int i = 0; i < r->kernel->tile; i++) {
    t.lo[i] = clip(r->lo[i] - (int64_t)s * SEGMENT);
    t.hi[i] = clip(r->hi[i] - (int64_t)s * SEGMENT);
  }
  if (!sr_tile_extent(r->kernel, &t)) return;
  r->kernel->begin(&r->partial, r->value_dim);
  r->kernel->meet(&t, (sr_keys){0, r->cut}, &r->partial, r->scratch);
  r->kernel->meet(&t, (sr_keys){r->cut, SEGMENT}, &r->partial, r->scratch);
  r->kernel->fold(&r->partial, r->value_dim, &r->acc);
}

/* Folds the segments in the order that `order` gives, and writes [tile][value_dim] and [tile]. */
static void run(rig *r, const int *order, double *o, double *lse) {
  sr_accumulator_clear(r->kernel, r->value_dim, &r->acc);
  for (int i = 0; i < r->segments; i++) fold_segment(r, order ? order[i] : i);
  r->kernel->divide(&r->acc, r->value_dim);
  for (int lane = 0; lane < r->kernel->tile; lane++)
    sr_accumulator_store(r->kernel, r->value_dim, &r->acc, lane, r->hi[lane] > r->lo[lane], SR_F64,
                         o + (ptrdiff_t)lane * r->value_dim, SR_F64, lse + lane);
}

static double reference_lane(const rig *r, int lane, double *o) {
  double q[512];
  sr_reference row = {.o = o};
  for (int d = 0; d < r->head_dim; d++) q[d] = get(r, r->q, (int64_t)d * r->kernel->tile + lane);
  sr_reference_clear(&row, r->value_dim);
  if (r->hi[lane] > r->lo[lane])
    sr_reference_meet(&row, q, M_LN2, r->kernel->compute, r->k + (size_t)(r->lo[lane] * r->head_dim) * element(r),
                      r->head_dim, r->head_dim, r->v + (size_t)(r->lo[lane] * r->value_dim) * element(r), r->value_dim,
                      r->value_dim, r->hi[lane] - r->lo[lane]);
  return sr_reference_finish(&row, r->value_dim);
}

static double off(double a, double b) {
  if (a == b || (isnan(a) && isnan(b))) return 0;
  double d = fabs(a - b) / fmax(1, fabs(b));
  return isnan(d) ? (double)INFINITY : d;
}

/* Largest error over all lanes, relative to max(1, |reference|). */
static double error_of(rig *r) {
  double *o = malloc(sizeof(double) * SR_MAX_TILE * 512), lse[SR_MAX_TILE], want[512], worst = 0;
  run(r, NULL, o, lse);
  for (int lane = 0; lane < r->kernel->tile; lane++) {
    worst = fmax(worst, off(lse[lane], reference_lane(r, lane, want)));
    for (int d = 0; d < r->value_dim; d++) worst = fmax(worst, off(o[lane * r->value_dim + d], want[d]));
  }
  free(o);
  return worst;
}

static const sr_dtype compute_types[] = {SR_F32, SR_F64};

/* What rounding explains on unit-normal input: scores of a few units, sums of up to 1,024 terms. */
static double tolerance(sr_dtype compute) {
  return compute == SR_F64 ? 1e-14 : 3e-6;
}

static void random_ranges(rig *r, uint64_t *random) {
  for (int i = 0; i < r->kernel->tile; i++) {
    int64_t a = random_int(random, -100, r->keys + 100), b = random_int(random, -100, r->keys + 100);
    r->lo[i] = a < b ? a : b;
    r->hi[i] = a < b ? b : a;
    if (r->lo[i] < 0) r->lo[i] = 0;
    if (r->hi[i] > r->keys) r->hi[i] = r->keys;
    if (r->lo[i] >= r->hi[i]) r->lo[i] = r->hi[i] = 0;
  }
}

static void awkward_shapes(void) {
  static const int32_t dims[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 127, 512};
  static const int32_t keys[] = {1, 2, 63, 64, 65, 127, 1000, 1023, 1024, 1025, 2049};
  uint64_t random = 11;
  for (int t = 0; t < 2; t++)
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
      for (size_t j = 0; j < sizeof keys / sizeof *keys; j++) {
        int32_t value_dim = dims[random_int(&random, 0, sizeof dims / sizeof *dims - 1)];
        rig r = make_rig(compute_types[t], dims[i], value_dim, keys[j], &random);
        if (j % 2) random_ranges(&r, &random);
        double error = error_of(&r);
        if (!(error <= tolerance(compute_types[t]))) {
          fprintf(stderr, "%s, head %d, value %d, keys %d: %g\n", r.kernel->isa, dims[i], value_dim, keys[j], error);
          CU_FAIL("error");
        }
        free_rig(&r);
      }
}

static void scores_of_any_size(void) {
  uint64_t random = 12;
  for (int t = 0; t < 2; t++)
    for (double factor = 1e-30; factor < 1e8; factor *= 1e3) {
      rig r = make_rig(compute_types[t], 64, 8, 1500, &random);
      fill(&r, r.k, (int64_t)r.keys * 64, factor, &random);
      double unit = compute_types[t] == SR_F64 ? 0x1p-52 : 0x1p-23;
      CU_ASSERT(error_of(&r) <= tolerance(compute_types[t]) + 64 * factor * unit);
      free_rig(&r);
    }
}

static void equal_keys_give_the_mean(void) {
  uint64_t random = 13;
  double *o = malloc(sizeof(double) * SR_MAX_TILE * 512), lse[SR_MAX_TILE];
  for (int t = 0; t < 2; t++) {
    rig r = make_rig(compute_types[t], 16, 5, 2000, &random);
    for (int64_t j = 1; j < r.keys; j++) memcpy(r.k + (size_t)j * 16 * element(&r), r.k, 16 * element(&r));
    run(&r, NULL, o, lse);
    for (int d = 0; d < 5; d++) {
      double mean = 0;
      for (int64_t j = 0; j < r.keys; j++) mean += get(&r, r.v, j * 5 + d) / r.keys;
      CU_ASSERT(fabs(o[d] - mean) <= (compute_types[t] == SR_F64 ? 1e-15 : 1e-7));
    }
    free_rig(&r);
  }
  free(o);
}

/* What the other lanes of a tile see, and so which blocks are skipped, masked or full, must not reach a lane's bits. */
static void neighbours_do_not_show(void) {
  uint64_t random = 14;
  double *o = malloc(sizeof(double) * SR_MAX_TILE * 512), *again = malloc(sizeof(double) * SR_MAX_TILE * 512);
  double lse[SR_MAX_TILE], lse_again[SR_MAX_TILE];
  for (int t = 0; t < 2; t++)
    for (int n = 0; n < 40; n++) {
      rig r = make_rig(compute_types[t], 24, 10, 2500, &random);
      random_ranges(&r, &random);
      run(&r, NULL, o, lse);
      int lane = (int)random_int(&random, 0, r.kernel->tile - 1);
      int64_t lo = r.lo[lane], hi = r.hi[lane];
      if (n % 2)
        random_ranges(&r, &random);
      else
        for (int i = 0; i < r.kernel->tile; i++) r.lo[i] = lo, r.hi[i] = hi;
      r.lo[lane] = lo, r.hi[lane] = hi;
      run(&r, NULL, again, lse_again);
      CU_ASSERT(memcmp(o + lane * 10, again + lane * 10, 10 * sizeof *o) == 0);
      CU_ASSERT(memcmp(lse + lane, lse_again + lane, sizeof *lse) == 0);
      free_rig(&r);
    }
  free(o);
  free(again);
}

static void order_of_segments_does_not_show(void) {
  static const int orders[][MOST_SEGMENTS] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  uint64_t random = 15;
  double *o = malloc(sizeof(double) * SR_MAX_TILE * 512), *again = malloc(sizeof(double) * SR_MAX_TILE * 512);
  double lse[SR_MAX_TILE], lse_again[SR_MAX_TILE];
  for (int t = 0; t < 2; t++)
    for (int n = 0; n < 16; n++) {
      rig r = make_rig(compute_types[t], 24, 10, 3000, &random);
      if (n % 4 == 3) { /* so far apart that what is added falls out of the range, in one step or in two */
        fill(&r, r.k, (int64_t)r.keys * 24, 150, &random);
        for (int64_t i = 0; i < (int64_t)r.keys * 10; i++)
          set(&r, r.v, i, i / 10 / SEGMENT != n / 4 % 3 ? 0 : t ? 1e300 : 1e30);
      }
      if (n % 4 == 1) fill(&r, r.k, (int64_t)r.keys * 24, 300, &random); /* exponents far apart */
      if (n % 4 == 2) {
        r.finite = false;
        set(&r, r.v, 5 * 10, (double)INFINITY);
        set(&r, r.v, 2700 * 10 + 1, (double)NAN);
        set(&r, r.v, 2800 * 10, -(double)INFINITY);
        set(&r, r.k, 1500 * 24, (double)INFINITY);
      }
      random_ranges(&r, &random);
      run(&r, NULL, o, lse);
      for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        run(&r, orders[i], again, lse_again);
        CU_ASSERT(memcmp(o, again, sizeof *o * 10 * (size_t)r.kernel->tile) == 0);
        CU_ASSERT(memcmp(lse, lse_again, sizeof *lse * (size_t)r.kernel->tile) == 0);
      }
      free_rig(&r);
    }
  free(o);
  free(again);
}

static void hidden_nan_does_not_leak(void) {
  uint64_t random = 16;
  for (int t = 0; t < 2; t++)
    for (int n = 0; n < 20; n++) {
      rig r = make_rig(compute_types[t], 9, 6, 1300, &random);
      double clean = error_of(&r);
      CU_ASSERT(clean <= tolerance(compute_types[t]));
      random_ranges(&r, &random);
      double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
      r.finite = false;
      set(&r, n % 2 ? r.k : r.v, random_int(&random, 0, 1299) * (n % 2 ? 9 : 6), bad[n % 3]);
      CU_ASSERT(error_of(&r) <= tolerance(compute_types[t])); /* the reference looks at visible keys only */
      free_rig(&r);
    }
}

static void special_rows(void) {
  uint64_t random = 17;
  double *o = malloc(sizeof(double) * SR_MAX_TILE * 512), lse[SR_MAX_TILE];
  for (int t = 0; t < 2; t++) {
    rig r = make_rig(compute_types[t], 4, 3, 100, &random);
    r.lo[0] = r.hi[0] = 0;
    run(&r, NULL, o, lse);
    CU_ASSERT(o[0] == 0 && o[1] == 0 && o[2] == 0 && lse[0] == -(double)INFINITY);
    for (int64_t j = 0; j < r.keys; j++)
      set(&r, r.k, j * 4, -(double)INFINITY); /* times q: every score is -inf or +inf */
    r.finite = false;
    run(&r, NULL, o, lse);
    CU_ASSERT(isnan(o[3]) && isnan(lse[1]));
    CU_ASSERT(o[0] == 0 && lse[0] == -(double)INFINITY);
    free_rig(&r);
  }
  free(o);
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
  if (getenv("SEQRING_ISA") && !sr_isa_name()) return 77; /* not on this machine: skipped */
  return run_suite("kernels",
                   (const test_case[]){{"awkward shapes", awkward_shapes},
                                       {"scores of any size", scores_of_any_size},
                                       {"equal keys give the mean", equal_keys_give_the_mean},
                                       {"neighbours do not show", neighbours_do_not_show},
                                       {"the order of segments does not show", order_of_segments_does_not_show},
                                       {"a hidden NaN does not leak", hidden_nan_does_not_leak},
                                       {"special rows", special_rows},
                                       {"an unknown instruction set is refused", unknown_isa_is_refused},
                                       {0}});
}
