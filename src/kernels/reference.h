/* Attention by its definition in float64, a row at a time: what every kernel is measured against. */
#ifndef SR_KERNELS_REFERENCE_H
#define SR_KERNELS_REFERENCE_H

#include <seqring/types.h>
#include <stdint.h>

/* The state of one row over the keys it has met: top is the largest score, l and o are sums of exp(score - top) and of
 * exp(score - top) v. reach is the largest finite sum over d of |q_d k_d| * scale and v_top the largest finite |v|,
 * which bound what rounding can do. bias is the sum of exp(score - top) times what slope has added in size. */
typedef struct sr_reference {
  double top, l, bias, reach, v_top;
  double keys;  /* met */
  double slope; /* of the scores, from key to key; 0 after sr_reference_clear */
  double *o;    /* [value_dim] */
} sr_reference;

void sr_reference_clear(sr_reference *row, int32_t value_dim);

/* Raises the largest score to top, when that is larger, so that states over other keys can be added. */
void sr_reference_raise(sr_reference *row, double top, int32_t value_dim);

/* o and lse of a row that has met all it may see: o in place, lse returned. */
double sr_reference_finish(sr_reference *row, int32_t value_dim);

/* Meets n keys: k and v point to the first one's head; consecutive keys are k_stride and v_stride elements apart. q is
 * [head_dim]. place is how many keys the first one lies behind the row's own place; a key's score grows by the slope
 * times how many it does. */
void sr_reference_meet(sr_reference *row, const double *q, double scale, sr_dtype dtype, const void *k,
                       int64_t k_stride, int32_t head_dim, const void *v, int64_t v_stride, int32_t value_dim,
                       int64_t n, double place);

#endif
