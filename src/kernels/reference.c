#include "reference.h"

#include <math.h>

#include "convert.h"

void sr_reference_clear(sr_reference *row, int32_t value_dim) {
  double *o = row->o;
  *row = (sr_reference){.top = (double)-INFINITY, .o = o};
  for (int32_t d = 0; d < value_dim; d++) o[d] = 0;
}

void sr_reference_raise(sr_reference *row, double top, int32_t value_dim) {
  if (!(top > row->top)) return;
  double shrink = exp(row->top - top);
  row->l *= shrink;
  for (int32_t d = 0; d < value_dim; d++) row->o[d] *= shrink;
  row->top = top;
}

/* exp(score - top): a score of -inf has no weight, whatever the top. */
static double weight(double score, double top) {
  return score == (double)-INFINITY ? 0 : exp(score - top);
}

double sr_reference_finish(sr_reference *row, int32_t value_dim) {
  if (row->keys == 0) return (double)-INFINITY;
  for (int32_t d = 0; d < value_dim; d++) row->o[d] /= row->l; /* 0 / 0 where every score is -inf */
  return row->l == 0 ? (double)NAN : row->top + log(row->l);
}

void sr_reference_meet(sr_reference *row, const double *q, double scale, sr_dtype dtype, const void *k,
                       int64_t k_stride, int32_t head_dim, const void *v, int64_t v_stride, int32_t value_dim,
                       int64_t n) {
  double kd[SR_WIDEST_HEAD], vd[SR_WIDEST_HEAD];
  int64_t element = (int64_t)sr_dtype_size(dtype);
  for (int64_t j = 0; j < n; j++) {
    sr_to_f64(dtype, (const char *)k + j * k_stride * element, head_dim, kd);
    sr_to_f64(dtype, (const char *)v + j * v_stride * element, value_dim, vd);
    double score = 0, reach = 0;
    for (int32_t d = 0; d < head_dim; d++) {
      score += q[d] * kd[d];
      reach += fabs(q[d] * kd[d]);
    }
    for (int32_t d = 0; d < value_dim; d++)
      if (isfinite(vd[d])) row->v_top = fmax(row->v_top, fabs(vd[d]));
    if (isfinite(reach)) row->reach = fmax(row->reach, reach * fabs(scale));
    row->keys++;
    sr_reference_raise(row, score * scale, value_dim);
    double p = weight(score * scale, row->top);
    row->l += p;
    for (int32_t d = 0; d < value_dim; d++) row->o[d] += p * vd[d];
  }
}
