/* What a rig's numbers give in float64, and whether its kernel gives the same. */
#ifndef TESTS_UNIT_ANSWER_H
#define TESTS_UNIT_ANSWER_H

#include "kernels/reference.h"
#include "rig.h"

/* One row in float64. `loose` is what weights that lie so near the middle of two bfloat16 numbers that float32 may
 * round them the other way can do to o and lse. */
typedef struct answer {
  double o[WIDEST], lse, loose, v_top;
} answer;

/* By the definition of attention. */
static inline void exact_row(const rig *r, int lane, answer *a) {
  const int64_t lo = r->lo[lane], n = r->hi[lane] - lo;
  sr_reference row = {.o = a->o};
  sr_reference_clear(&row, r->value_dim);
  row.slope = r->slope[lane] * M_LN2;
  if (n > 0)
    sr_reference_meet(&row, r->q + (ptrdiff_t)lane * r->head_dim, r->scale * M_LN2, SR_F64, r->k + lo * r->head_dim,
                      r->head_dim, r->head_dim, r->v + lo * r->value_dim, r->value_dim, r->value_dim, n,
                      (double)(lo - r->place[lane]));
  a->lse = sr_reference_finish(&row, r->value_dim);
  a->v_top = row.v_top;
  a->loose = 0;
}

/* A score in log2 units, and how sure it is in float32. */
typedef struct score {
  double s, unsure;
} score;

static inline score score_of(const rig *r, int lane, int64_t j) {
  const double *q = r->q + (ptrdiff_t)lane * r->head_dim, *k = r->k + j * r->head_dim;
  const double bias = r->slope[lane] * (double)(j - r->place[lane]);
  double sum = 0, reach = 0;
  for (int d = 0; d < r->head_dim; d++) sum += q[d] * k[d], reach += fabs(q[d] * k[d]);
  return (score){sum * r->scale + bias, 0x1p-22 * (2 + reach * r->scale + fabs(bias))};
}

/* How much the weight may change, which rounds to p. */
static inline double loose_weight(double weight, double p, double unsure) {
  if (!(weight > 0)) return 0;
  const double spacing = ldexp(1, ilogb(weight) - 7);
  return fabs(fabs(weight - p) - spacing / 2) <= weight * unsure ? spacing : 0;
}

/* With every weight rounded to bfloat16, in the sums of weights and of weighted values alike. A weight is relative to a
 * power of two, whichever it is: that changes no rounding. */
static inline void rounded_row(const rig *r, int lane, answer *a) {
  score scores[MOST_SEGMENTS * SEGMENT];
  double top = -(double)INFINITY, l = 0, loose = 0;
  exact_row(r, lane, a);
  if (r->hi[lane] <= r->lo[lane]) return;
  for (int64_t j = r->lo[lane]; j < r->hi[lane]; j++) scores[j] = score_of(r, lane, j), top = fmax(top, scores[j].s);
  const double e = top == -(double)INFINITY ? 0 : ceil(top);
  for (int d = 0; d < r->value_dim; d++) a->o[d] = 0;
  for (int64_t j = r->lo[lane]; j < r->hi[lane]; j++) {
    const double weight = exp2(scores[j].s - e), p = held(r, weight);
    l += p;
    loose += loose_weight(weight, p, scores[j].unsure);
    for (int d = 0; d < r->value_dim; d++) a->o[d] += p * r->v[j * r->value_dim + d];
  }
  for (int d = 0; d < r->value_dim; d++) a->o[d] /= l;
  a->lse = l == 0 ? (double)NAN : (e + log2(l)) * M_LN2;
  a->loose = l > 0 ? loose / l * (1 + 2 * a->v_top) : 0;
}

static inline double row_off(const rig *r, int lane, const result *got, const answer *want) {
  double worst = off(got->lse[lane], want->lse);
  for (int d = 0; d < r->value_dim; d++)
    worst = fmax(worst, off(got->o[(ptrdiff_t)lane * r->value_dim + d], want->o[d]));
  return worst;
}

/* How far a row is off, beyond what the rounding of weights explains: a weight by up to 2^-9 of it moves o by up to
 * 2^-8 times the largest value, and lse by 2^-9. */
static inline double error_of_row(const rig *r, int lane, const result *got) {
  answer want;
  exact_row(r, lane, &want);
  if (r->kernel->compute != SR_BF16) return row_off(r, lane, got, &want);
  double wide = row_off(r, lane, got, &want) - 0x1p-8 * fmax(1, want.v_top);
  rounded_row(r, lane, &want);
  return fmax(wide, row_off(r, lane, got, &want) - want.loose);
}

/* What the rounding of sums explains on normal input: scores of a few units, sums of up to 1,024 terms. */
static inline double tolerance(sr_dtype compute) {
  return compute == SR_F64 ? 1e-14 : 3e-6;
}

/* Whether the lanes are within the tolerance, and `more`; of large problems, some lanes. Says which one is not. */
static inline bool accurate(const rig *r, double more) {
  static result got;
  const int64_t work = (int64_t)r->keys * (r->head_dim + r->value_dim) * r->kernel->tile;
  const int step = (int)(work / 2000000) | 1;
  run(r, NULL, &got);
  for (int lane = 0; lane < r->kernel->tile; lane += step) {
    const double error = error_of_row(r, lane, &got);
    if (error <= tolerance(r->kernel->compute) + more) continue;
    fprintf(stderr, "%s, %s: head %d, value %d, keys %d, shift %d, lane %d sees %lld to %lld: off by %g\n",
            r->kernel->isa, sr_dtype_name(r->kernel->compute), r->head_dim, r->value_dim, r->keys, r->shift, lane,
            (long long)r->lo[lane], (long long)r->hi[lane], error);
    return false;
  }
  return true;
}

#endif
