/* The state of a tile in memory, and its way to the output. */
#include <math.h>
#include <string.h>

#include "base/convert.h"
#include "base/memory.h"
#include "base/two_sum.h"
#include "kernel.h"

bool sr_tile_extent(const sr_kernel *k, sr_tile *t) {
  sr_keys some = {INT32_MAX, 0}, all = {0, INT32_MAX};
  for (int32_t i = 0; i < k->tile; i++) {
    if (t->lo[i] > all.lo) all.lo = t->lo[i];
    if (t->hi[i] < all.hi) all.hi = t->hi[i];
    if (t->lo[i] >= t->hi[i]) continue;
    if (t->lo[i] < some.lo) some.lo = t->lo[i];
    if (t->hi[i] > some.hi) some.hi = t->hi[i];
  }
  t->some = some;
  t->all = all;
  return some.hi > some.lo;
}

static uint64_t vector_bytes(const sr_kernel *k) {
  return sr_align_up((uint64_t)k->tile * sr_unit_bytes(k));
}

uint64_t sr_partial_bytes(const sr_kernel *k, int32_t value_dim) {
  return 2 * vector_bytes(k) + sr_align_up((uint64_t)k->tile * (uint64_t)value_dim * sr_unit_bytes(k));
}

sr_partial sr_partial_at(const sr_kernel *k, void *memory) {
  char *at = memory;
  return (sr_partial){.e = at, .l = at + vector_bytes(k), .o = at + 2 * vector_bytes(k)};
}

uint64_t sr_accumulator_bytes(const sr_kernel *k, int32_t value_dim) {
  return sr_align_up((uint64_t)k->tile * sizeof(double) * (3 + 2 * (uint64_t)value_dim));
}

sr_accumulator sr_accumulator_at(const sr_kernel *k, int32_t value_dim, void *memory) {
  double *at = memory;
  ptrdiff_t tile = k->tile;
  return (sr_accumulator){.e = at,
                          .l_hi = at + tile,
                          .l_lo = at + 2 * tile,
                          .o_hi = at + 3 * tile,
                          .o_lo = at + (3 + (ptrdiff_t)value_dim) * tile};
}

void sr_accumulator_begin(const sr_kernel *k, const sr_accumulator *acc) {
  for (int32_t i = 0; i < k->tile; i++) {
    acc->e[i] = -(double)INFINITY;
    acc->l_hi[i] = acc->l_lo[i] = 0;
  }
}

/* x 2^n for n <= 0, which may be NaN: then x is special, and stays what it is. */
static double shrink(double x, double n) {
  return n >= -5000 ? ldexp(x, (int)n) : isfinite(x) ? 0 : x;
}

void sr_accumulator_raise(const sr_kernel *k, int32_t value_dim, const sr_accumulator *acc, const double *e) {
  if (sr_accumulator_is_new(acc)) memset(acc->o_hi, 0, 2 * sizeof(double) * (size_t)k->tile * (size_t)value_dim);
  for (ptrdiff_t i = 0; i < k->tile; i++) {
    const double n = acc->e[i] - e[i];
    if (!(n < 0)) continue;
    acc->e[i] = e[i];
    acc->l_hi[i] = shrink(acc->l_hi[i], n);
    acc->l_lo[i] = shrink(acc->l_lo[i], n);
    for (ptrdiff_t at = i; at < (ptrdiff_t)value_dim * k->tile; at += k->tile) {
      acc->o_hi[at] = shrink(acc->o_hi[at], n);
      acc->o_lo[at] = shrink(acc->o_lo[at], n);
    }
  }
}

/* hi + lo grows by another sum of two, but for a rounding of lo. */
static void add_pair(double *hi, double *lo, double other_hi, double other_lo) {
  *lo += other_lo + sr_two_sum(hi, other_hi);
}

void sr_accumulator_add(const sr_kernel *k, int32_t value_dim, const sr_accumulator *acc, const sr_accumulator *other) {
  sr_accumulator_raise(k, value_dim, acc, other->e);
  sr_accumulator_raise(k, value_dim, other, acc->e);
  for (ptrdiff_t i = 0; i < k->tile; i++) add_pair(&acc->l_hi[i], &acc->l_lo[i], other->l_hi[i], other->l_lo[i]);
  for (ptrdiff_t i = 0; i < (ptrdiff_t)value_dim * k->tile; i++)
    add_pair(&acc->o_hi[i], &acc->o_lo[i], other->o_hi[i], other->o_lo[i]);
}

/* The natural logarithm of (hi + lo) 2^e; lo says nothing once hi is not finite. How the sum is split into the two does
 * not show: the part of it that is a power of two joins e. */
static double log_sum(double e, double hi, double lo) {
  if (!isfinite(hi)) return e * M_LN2 + log(hi);
  double sum = hi + lo, rest = lo - (sum - hi);
  int exponent;
  double part = frexp(sum, &exponent);
  if (part < M_SQRT1_2) part *= 2, exponent--;
  return (e + exponent) * M_LN2 + (log(part) + rest / sum);
}

/* By way of doubles, of which there is room here for SR_TURNED rows. */
static __attribute__((noinline)) void small_rows(const sr_kernel *k, int32_t value_dim, const double *o, int32_t n,
                                                 sr_dtype dtype, void *rows) {
  double exact[SR_TURNED * SR_HEAD_DIM_MAX];
  k->row->output_f64(o, k->tile, value_dim, n, exact);
  sr_store_row(dtype, rows, (int64_t)n * value_dim, exact);
}

void sr_accumulator_rows(const sr_kernel *k, int32_t value_dim, const sr_accumulator *acc, int32_t first, int32_t n,
                         sr_dtype dtype, void *rows) {
  const double *o = acc->o_hi + first;
  if (dtype == SR_F32)
    k->row->output_f32(o, k->tile, value_dim, n, rows);
  else if (dtype == SR_F64)
    k->row->output_f64(o, k->tile, value_dim, n, rows);
  else
    small_rows(k, value_dim, o, n, dtype, rows);
}

void sr_accumulator_store(const sr_accumulator *acc, int32_t lane, const void *row, uint64_t bytes, bool sees_keys,
                          void *o, sr_dtype lse_dtype, void *lse) {
  double l = acc->l_hi[lane], nothing = sees_keys ? (double)NAN : (double)-INFINITY;
  sr_store(lse_dtype, lse, l != 0 ? log_sum(acc->e[lane], l, acc->l_lo[lane]) : nothing);
  if (sees_keys)
    memcpy(o, row, bytes);
  else
    memset(o, 0, bytes);
}
