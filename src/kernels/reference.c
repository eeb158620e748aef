#include "reference.h"

#include <math.h>

#include "base/convert.h"

void sr_reference_clear(sr_reference *row, int32_t value_dim) {
  double *o = row->o;
  *row = (sr_reference){.top = (double)-INFINITY, .o = o};
  for (int32_t d = 0; d < value_dim; d++) o[d] = 0;
}

void sr_reference_raise(sr_reference *row, double top, int32_t value_dim) {
  if (!(top > row->top)) return;
  double shrink = exp(row->top - top);
  row->l *= shrink, row->bias *= shrink;
  for (int32_t d = 0; d < value_dim; d++)
    if (!isinf(row->o[d])) row->o[d] *= shrink; /* which is above 0 even where it has left the range */
  row->top = top;
}

/* exp(score - top): a score of -inf has no weight, whatever the top. */
static double weight(double score, double top) {
  return score == (double)-INFINITY ? 0 : exp(score - top);
}

/* The product of a value and its weight p, which is above 0 unless the score is -inf, even where p has left the range.
 */
static double weighted(double p, double score, double v) {
  return isinf(v) && p == 0 && score > (double)-INFINITY ? v : p * v;
}

double sr_reference_finish(sr_reference *row, int32_t value_dim) {
  if (row->keys == 0) return (double)-INFINITY;
  for (int32_t d = 0; d < value_dim; d++) row->o[d] /= row->l; /* 0 / 0 where every score is -inf */
  return row->l == 0 ? (double)NAN : row->top + log(row->l);
}

/* Adds what another state has met, whose largest score may be raised. */
static void add(sr_reference *row, sr_reference *other, int32_t value_dim) {
  sr_reference_raise(row, other->top, value_dim);
  sr_reference_raise(other, row->top, value_dim);
  row->l += other->l, row->bias += other->bias;
  for (int32_t d = 0; d < value_dim; d++) row->o[d] += other->o[d];
  row->reach = fmax(row->reach, other->reach);
  row->v_top = fmax(row->v_top, other->v_top);
  row->keys += other->keys;
}

/* Sums that run side by side, so that each is short: one of up to 512 products rounds worse than the kernels do. */
enum { SUMS = 16 };

static double sum_of(double sum[SUMS]) {
  for (int half = SUMS / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) sum[i] += sum[i + half];
  return sum[0];
}

static void meet_key(sr_reference *row, const double *q, double scale, const double *k, int32_t head_dim,
                     const double *v, int32_t value_dim, double bias) {
  double products[SUMS] = {0}, sizes[SUMS] = {0};
  for (int32_t d = 0; d < head_dim; d++) {
    products[d % SUMS] += q[d] * k[d];
    sizes[d % SUMS] += fabs(q[d] * k[d]);
  }
  double score = sum_of(products), reach = sum_of(sizes);
  for (int32_t d = 0; d < value_dim; d++)
    if (isfinite(v[d])) row->v_top = fmax(row->v_top, fabs(v[d]));
  if (isfinite(reach)) row->reach = fmax(row->reach, reach * fabs(scale));
  row->keys++;
  score = score * scale + bias;
  sr_reference_raise(row, score, value_dim);
  double p = weight(score, row->top);
  row->l += p, row->bias += p * fabs(bias);
  for (int32_t d = 0; d < value_dim; d++) row->o[d] += weighted(p, score, v[d]);
}

/* Sums of many keys are sums of sums of half as many each, so that the rounding error grows with the logarithm of their
 * number (Higham, Accuracy and Stability of Numerical Algorithms, 4.2). */
void sr_reference_meet(sr_reference *row, const double *q, double scale, sr_dtype dtype, const void *k,
                       int64_t k_stride, int32_t head_dim, const void *v, int64_t v_stride, int32_t value_dim,
                       int64_t n, double place) {
  enum { FEW = 256 };
  const int64_t element = (int64_t)sr_dtype_size(dtype), half = n / 2;
  double kd[SR_HEAD_DIM_MAX], vd[SR_HEAD_DIM_MAX];
  if (n > FEW) {
    sr_reference rest = {.o = vd};
    sr_reference_clear(&rest, value_dim);
    rest.slope = row->slope;
    sr_reference_meet(row, q, scale, dtype, k, k_stride, head_dim, v, v_stride, value_dim, half, place);
    sr_reference_meet(&rest, q, scale, dtype, (const char *)k + half * k_stride * element, k_stride, head_dim,
                      (const char *)v + half * v_stride * element, v_stride, value_dim, n - half, place + (double)half);
    add(row, &rest, value_dim);
    return;
  }
  for (int64_t j = 0; j < n; j++) {
    sr_to_f64(dtype, (const char *)k + j * k_stride * element, head_dim, kd);
    sr_to_f64(dtype, (const char *)v + j * v_stride * element, value_dim, vd);
    meet_key(row, q, scale, kd, head_dim, vd, value_dim, row->slope * (place + (double)j));
  }
}
