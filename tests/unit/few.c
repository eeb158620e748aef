/* The kernel for a few queries of the instruction set in use (SEQRING_ISA), against the float64 reference. */
#include <math.h>
#include <seqring/version.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/convert.h"
#include "kernels/kernel.h"
#include "kernels/reference.h"
#include "suite.h"

enum { SEGMENT = 1024, WIDEST = SR_HEAD_DIM_MAX, KV_HEADS = 3, MOST_ROWS = 16 };

/* Some queries of KV heads `head` to `head + heads - 1`; keys and values are of `dtype`, in memory that ends with the
 * last of them. */
typedef struct few_rig {
  const sr_kernel *kernel;
  sr_dtype dtype;
  int32_t head, heads, rows, keys, head_dim, value_dim;
  double *q; /* [heads][rows][head_dim], in log2 units, of numbers that the products' type holds */
  char *k, *v;
  double scale; /* of scores; 1 where queries carry it */
  sr_keys sees[MOST_ROWS];
  double slope[KV_HEADS * MOST_ROWS], place[MOST_ROWS]; /* all 0 unless has_slopes */
  bool has_slopes;
} few_rig;

/* Types of products, and of keys and values. */
typedef struct few_types {
  sr_dtype products, tensors;
} few_types;

static const few_types types[] = {
    {SR_F32, SR_F16}, {SR_F32, SR_BF16}, {SR_F32, SR_F32}, {SR_F64, SR_F64}, {SR_BF16, SR_BF16}};
enum { TYPES = sizeof types / sizeof *types };

typedef struct few_result {
  double o[KV_HEADS * MOST_ROWS * WIDEST], lse[KV_HEADS * MOST_ROWS];
  bool finite;
} few_result;

static char *normal_tensor(sr_dtype dtype, int64_t n, uint64_t *random) {
  char *tensor = malloc((size_t)n * sr_dtype_size(dtype));
  for (int64_t i = 0; i < n; i++) sr_store(dtype, tensor + (size_t)i * sr_dtype_size(dtype), random_normal(random));
  return tensor;
}

static double held(sr_dtype products, double x) {
  char number[sizeof x];
  sr_store(products, number, x);
  sr_to_f64(products, number, 1, &x);
  return x;
}

static few_rig make_few(few_types type, int32_t rows, int32_t keys, int32_t head_dim, int32_t value_dim,
                        uint64_t *random) {
  const sr_dtype dtype = type.tensors;
  few_rig r = {.dtype = dtype, .head = (int32_t)random_int(random, 0, KV_HEADS - 1), .rows = rows, .keys = keys};
  r.heads = (int32_t)random_int(random, 1, KV_HEADS - r.head);
  r.head_dim = head_dim, r.value_dim = value_dim;
  r.scale = type.products == SR_BF16 ? 0.7 : 1;
  if (sr_kernel_choose(type.products, true, &r.kernel) != SR_OK) {
    fprintf(stderr, "%s\n", sr_error_text());
    exit(1);
  }
  r.q = malloc(sizeof(double) * (size_t)(r.heads * rows * head_dim));
  for (int i = 0; i < r.heads * rows * head_dim; i++) r.q[i] = held(type.products, random_normal(random) / sqrt(head_dim));
  r.k = normal_tensor(dtype, (int64_t)keys * KV_HEADS * head_dim, random);
  r.v = normal_tensor(dtype, (int64_t)keys * KV_HEADS * value_dim, random);
  for (int i = 0; i < rows; i++) r.sees[i] = (sr_keys){0, keys};
  return r;
}

static void free_few(few_rig *r) {
  free(r->q), free(r->k), free(r->v);
}

/* Scores fall with the distance from a row's place, by up to 1/100 from key to key. */
static void give_slopes(few_rig *r, uint64_t *random) {
  r->has_slopes = true;
  for (int i = 0; i < r->heads * r->rows; i++) r->slope[i] = -(double)random_int(random, 0, 100) / 1e4;
  for (int i = 0; i < r->rows; i++) r->place[i] = (double)random_int(random, -10, r->keys + 10);
}

/* Element d of a key's, or value's, row of the rig's head number `head`. */
static char *element_of(const few_rig *r, char *tensor, int64_t key, int32_t head, int64_t width, int64_t d) {
  return tensor + (size_t)((key * KV_HEADS + r->head + head) * width + d) * sr_dtype_size(r->dtype);
}

static void *packed_queries(const few_rig *r) {
  const uint64_t bytes = sr_row_bytes(r->head_dim, sr_unit_bytes(r->kernel));
  const int32_t rows = r->heads * r->rows;
  char *q = sr_alloc(bytes * (uint64_t)rows);
  memset(q, 0, bytes * (uint64_t)rows);
  for (int i = 0; i < rows; i++)
    sr_store_row(r->kernel->sums, q + bytes * (uint64_t)i, r->head_dim, r->q + (ptrdiff_t)i * r->head_dim);
  return q;
}

static sr_few few_of(const few_rig *r, const void *q) {
  return (sr_few){.q = q,
                  .k = element_of(r, r->k, 0, 0, r->head_dim, 0),
                  .v = element_of(r, r->v, 0, 0, r->value_dim, 0),
                  .dtype = r->dtype,
                  .k_stride = KV_HEADS * r->head_dim,
                  .v_stride = KV_HEADS * r->value_dim,
                  .scale = r->scale,
                  .heads = r->heads,
                  .rows = r->rows,
                  .keys = r->keys,
                  .head_dim = r->head_dim,
                  .value_dim = r->value_dim,
                  .sees = r->sees,
                  .slope = r->has_slopes ? r->slope : NULL,
                  .place = r->place};
}

static void store_row(const few_rig *r, const sr_partial *partial, int32_t row, few_result *result) {
  char *memory = sr_alloc(sr_accumulator_bytes(r->kernel, r->value_dim));
  sr_accumulator acc = sr_accumulator_at(r->kernel, r->value_dim, memory);
  const sr_keys sees = r->sees[row % r->rows];
  double o[WIDEST];
  sr_accumulator_begin(r->kernel, &acc);
  r->kernel->fold(partial, 1, r->value_dim, &acc);
  r->kernel->divide(&acc, r->value_dim);
  sr_accumulator_rows(r->kernel, r->value_dim, &acc, 0, 1, SR_F64, o);
  sr_accumulator_store(&acc, 0, o, sizeof *o * (uint64_t)r->value_dim, sees.hi > sees.lo,
                       result->o + (ptrdiff_t)row * r->value_dim, SR_F64, &result->lse[row]);
  sr_free(memory);
}

static void run_few(const few_rig *r, few_result *result) {
  const uint64_t state = sr_partial_bytes(r->kernel, r->value_dim);
  const int32_t rows = r->heads * r->rows;
  char *states = sr_alloc(state * (uint64_t)rows);
  void *q = packed_queries(r);
  void *scratch = sr_alloc(r->kernel->few_scratch_bytes(r->heads, r->rows, r->head_dim, r->value_dim));
  sr_partial partial[KV_HEADS * MOST_ROWS];
  const sr_few few = few_of(r, q);
  for (int i = 0; i < rows; i++) {
    partial[i] = sr_partial_at(r->kernel, states + state * (uint64_t)i);
    r->kernel->begin(&partial[i], r->value_dim, NULL);
  }
  result->finite = true;
  for (int32_t key = 0; key < r->keys; key += r->kernel->key_block)
    result->finite &= r->kernel->meet_few(&few, key, partial, scratch);
  for (int i = 0; i < rows; i++) store_row(r, &partial[i], i, result);
  sr_free(states), sr_free(q), sr_free(scratch);
}

/* Largest error over all rows, relative to max(1, |reference|), beyond what the rounding of weights explains: one by up
 * to 2^-9 of it moves o by up to 2^-8 times the largest value, and lse by 2^-9. */
static double error_of_few(const few_rig *r, const few_result *got) {
  const double rounded = r->kernel->compute == SR_BF16 ? 0x1p-8 : 0;
  double worst = 0, o[WIDEST];
  for (int i = 0; i < r->heads * r->rows; i++) {
    const int32_t head = i / r->rows, lo = r->sees[i % r->rows].lo, n = r->sees[i % r->rows].hi - lo;
    sr_reference row = {.o = o};
    sr_reference_clear(&row, r->value_dim);
    row.slope = r->slope[i] * M_LN2;
    if (n > 0)
      sr_reference_meet(&row, r->q + (ptrdiff_t)i * r->head_dim, r->scale * M_LN2, r->dtype,
                        element_of(r, r->k, lo, head, r->head_dim, 0), KV_HEADS * r->head_dim, r->head_dim,
                        element_of(r, r->v, lo, head, r->value_dim, 0), KV_HEADS * r->value_dim, r->value_dim, n,
                        lo - r->place[i % r->rows]);
    const double may = rounded * fmax(1, row.v_top);
    worst = fmax(worst, off(got->lse[i], sr_reference_finish(&row, r->value_dim)) - may);
    for (int d = 0; d < r->value_dim; d++) worst = fmax(worst, off(got->o[i * r->value_dim + d], o[d]) - may);
  }
  return worst;
}

static double tolerance(few_types type) {
  return type.products == SR_F64 ? 1e-14 : 3e-6;
}

static void random_ranges(few_rig *r, uint64_t *random) {
  for (int i = 0; i < r->rows; i++) {
    int32_t a = (int32_t)random_int(random, 0, r->keys), b = (int32_t)random_int(random, 0, r->keys);
    r->sees[i] = (sr_keys){a < b ? a : b, a < b ? b : a};
  }
}

static void any_shape(void) {
  static const int32_t widths[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 48, 64, 65, 80, 127, 128, 512};
  static const int32_t keys[] = {1, 2, 15, 16, 17, 63, 64, 65, 127, 1000, 1023, 1024};
  static few_result got;
  uint64_t random = 31;
  for (int t = 0; t < TYPES; t++)
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
      for (int32_t rows = 1; rows <= MOST_ROWS; rows += rows < 6 ? 1 : 5) {
        int32_t value_dim = widths[random_int(&random, 0, sizeof widths / sizeof *widths - 1)];
        few_rig r = make_few(types[t], rows, keys[random_int(&random, 0, 11)], widths[i], value_dim, &random);
        if (rows % 2) random_ranges(&r, &random);
        if (i % 3 == 0) give_slopes(&r, &random);
        run_few(&r, &got);
        double error = error_of_few(&r, &got);
        if (!(error <= tolerance(types[t])) || !got.finite) {
          fprintf(stderr, "%s, %s of %s, %d heads, %d rows, %d keys, head %d, value %d: %g\n", r.kernel->isa,
                  sr_dtype_name(types[t].products), sr_dtype_name(r.dtype), r.heads, rows, r.keys, r.head_dim, value_dim,
                  error);
          CU_FAIL("error");
        }
        free_few(&r);
      }
}

/* A row's bits are the same alone, and among other heads and rows that see other keys. */
static void neighbours_do_not_show(void) {
  static few_result all, alone;
  uint64_t random = 32;
  for (int t = 0; t < TYPES; t++)
    for (int n = 0; n < 20; n++) {
      few_rig r = make_few(types[t], (int32_t)random_int(&random, 2, MOST_ROWS), 700, n % 2 ? 64 : 20, 24, &random);
      random_ranges(&r, &random);
      if (n % 4 < 2) give_slopes(&r, &random);
      run_few(&r, &all);
      const int head = (int)random_int(&random, 0, r.heads - 1), row = (int)random_int(&random, 0, r.rows - 1);
      const ptrdiff_t at = head * r.rows + row;
      few_rig one = r;
      one.head += head;
      one.heads = one.rows = 1;
      one.q = r.q + at * r.head_dim;
      one.sees[0] = r.sees[row];
      one.slope[0] = r.slope[at], one.place[0] = r.place[row];
      run_few(&one, &alone);
      CU_ASSERT(memcmp(all.o + at * 24, alone.o, 24 * sizeof(double)) == 0);
      CU_ASSERT(memcmp(&all.lse[at], &alone.lse[0], sizeof(double)) == 0);
      free_few(&r);
    }
}

/* What a row sees of them has the effect that arithmetic gives it, and what it does not see has none. */
static void special_keys_and_values(void) {
  static few_result got;
  const double special[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  uint64_t random = 33;
  for (int t = 0; t < TYPES; t++)
    for (int n = 0; n < 30; n++) {
      few_rig r = make_few(types[t], 5, 300, 32, 16, &random);
      const int32_t key = (int32_t)random_int(&random, 0, 299);
      char *tensor = n % 2 ? r.k : r.v;
      random_ranges(&r, &random);
      const int32_t head = (int32_t)random_int(&random, 0, r.heads - 1);
      sr_store(r.dtype, element_of(&r, tensor, key, head, n % 2 ? 32 : 16, random_int(&random, 0, 15)), special[n % 3]);
      run_few(&r, &got);
      bool seen = false;
      for (int i = 0; i < r.rows; i++) seen |= r.sees[i].lo <= key && key < r.sees[i].hi;
      CU_ASSERT(error_of_few(&r, &got) <= tolerance(types[t]));
      if (n % 2) CU_ASSERT_EQUAL(got.finite, !seen); /* values are told by the sums */
      free_few(&r);
    }
}

/* Elements as bfloat16, each rounded once: some lie a little above the middle of two such numbers. */
static char *rounded_tensor(sr_dtype dtype, char *tensor, int64_t n, uint64_t *random) {
  char *rounded = malloc((size_t)n * sizeof(uint16_t));
  for (int64_t i = 0; i < n; i++) {
    char *element = tensor + (size_t)i * sr_dtype_size(dtype);
    double x;
    if (i % 2) sr_store(dtype, element, 1 + (double)(2 * random_int(random, 0, 63) + 1) * 0x1p-8 + 0x1p-30);
    sr_to_f64(dtype, element, 1, &x);
    sr_store(SR_BF16, rounded + (size_t)i * sizeof(uint16_t), x);
  }
  return rounded;
}

/* Products of bfloat16 are those of keys and values that come rounded. */
static void keys_and_values_are_rounded_once(void) {
  static const sr_dtype tensors[] = {SR_F16, SR_F32, SR_F64};
  static few_result got, want;
  uint64_t random = 34;
  for (int t = 0; t < 3; t++)
    for (int n = 0; n < 10; n++) {
      few_rig r = make_few((few_types){SR_BF16, tensors[t]}, 3, 200, n % 2 ? 64 : 20, 24, &random), rounded = r;
      rounded.dtype = SR_BF16;
      rounded.k = rounded_tensor(r.dtype, r.k, (int64_t)r.keys * KV_HEADS * r.head_dim, &random);
      rounded.v = rounded_tensor(r.dtype, r.v, (int64_t)r.keys * KV_HEADS * r.value_dim, &random);
      run_few(&r, &got);
      run_few(&rounded, &want);
      const size_t rows = (size_t)(r.heads * r.rows);
      CU_ASSERT(memcmp(got.o, want.o, rows * 24 * sizeof(double)) == 0);
      CU_ASSERT(memcmp(got.lse, want.lse, rows * sizeof(double)) == 0);
      free(rounded.k), free(rounded.v);
      free_few(&r);
    }
}

int main(void) {
  if (getenv("SEQRING_ISA") && !sr_isa_name()) return 77; /* not on this machine: skipped */
  return run_suite("few", (const test_case[]){{"any shape", any_shape},
                                              {"neighbours do not show", neighbours_do_not_show},
                                              {"special keys and values", special_keys_and_values},
                                              {"keys and values are rounded once", keys_and_values_are_rounded_once},
                                              {0}});
}
