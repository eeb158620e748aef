/* The state of a tile in memory, and its way to the output. Compiled without contraction. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "convert.h"
#include "kernel.h"

uint64_t sr_scratch_bytes(const sr_kernel *k, int32_t value_dim) {
  uint64_t row = sr_align_up((uint64_t)k->tile * sr_dtype_size(k->compute));
  return row * ((uint64_t)k->key_block + 2 + (uint64_t)value_dim);
}

sr_partial sr_scratch_at(const sr_kernel *k, void *memory) {
  uint64_t element = (uint64_t)k->tile * sr_dtype_size(k->compute), row = sr_align_up(element);
  char *at = memory;
  sr_partial p = {.scores = at};
  at += row * (uint64_t)k->key_block;
  p.e = at;
  p.l = at + row;
  p.o = at + 2 * row;
  return p;
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

void sr_accumulator_clear(const sr_kernel *k, int32_t value_dim, const sr_accumulator *acc) {
  memset(acc->l_hi, 0, sizeof(double) * (size_t)k->tile * (2 + 2 * (size_t)value_dim));
  for (int32_t i = 0; i < k->tile; i++) acc->e[i] = -DBL_MAX;
}

/* A sum of two doubles with |lo| at most half a unit in the last place of hi. */
typedef struct pair {
  double hi, lo;
} pair;

/* Of an accumulator: lo says nothing once hi is not finite. */
static pair normal(double hi, double lo) {
  if (!isfinite(hi)) return (pair){hi, 0};
  double sum = hi + lo;
  return (pair){sum, lo - (sum - hi)};
}

/* a / b to a little more than double precision, then rounded: quotient, remainder, correction. Float32 needs no more
 * than the quotient. */
static double divide(pair a, pair b) {
  double q = a.hi / b.hi;
  double rest = fma(-q, b.hi, a.hi) + (a.lo - q * b.lo);
  return isfinite(q) && isfinite(rest) ? q + rest / b.hi : q;
}

void sr_accumulator_finish(const sr_kernel *k, int32_t value_dim, const sr_accumulator *acc, int32_t lane,
                           bool sees_keys, sr_dtype out_dtype, void *o, sr_dtype lse_dtype, void *lse) {
  pair l = normal(acc->l_hi[lane], acc->l_lo[lane]);
  double nothing = sees_keys ? (double)NAN : 0; /* the output where l is 0 */
  double log_sum = sees_keys ? (double)NAN : (double)-INFINITY;
  if (l.hi != 0) log_sum = acc->e[lane] * M_LN2 + (log(l.hi) + l.lo / l.hi);
  sr_store(lse_dtype, lse, 0, log_sum);
  for (int32_t d = 0; d < value_dim; d++) {
    pair sum = normal(acc->o_hi[(ptrdiff_t)d * k->tile + lane], acc->o_lo[(ptrdiff_t)d * k->tile + lane]);
    double quotient = k->compute == SR_F64 ? divide(sum, l) : sum.hi / l.hi;
    sr_store(out_dtype, o, d, l.hi != 0 ? quotient : nothing);
  }
}
