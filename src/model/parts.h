/* The parts of a layer that are no products, on rows of tokens. */
#ifndef SR_MODEL_PARTS_H
#define SR_MODEL_PARTS_H

#include "description.h"

/* A normalisation: x / rms(x) * weight, or (x - mean(x)) / std(x) * weight + bias, with epsilon added to the mean
 * square or the variance (Zhang and Sennrich 2019; Ba et al. 2016). */
typedef struct sr_norm {
  sr_norm_kind kind;
  int64_t width;
  double epsilon;
  const float *weight, *bias;
} sr_norm;

/* n rows; to may be from. */
void sr_norm_rows(const sr_norm *norm, const float *from, int64_t n, float *to);

/* y = activation(y), or y = activation(gate) y where gate is not NULL; n elements. */
void sr_activate(sr_activation activation, const float *gate, int64_t n, float *y);

/* Cosines and sines of a token's angles, [width / 2] of each: position / base^(2 i / width), divided by factors where
 * these are not NULL. In float64 until they are rounded. */
void sr_rotary_angles(double position, double base, int64_t width, const float *factors, float *cosine, float *sine);

/* What scores of each of so many heads lose a token of distance: powers of two from 2^(-8 / heads) to 2^-8, and where
 * there is no power of two of heads, behind those of the largest one below it every other one of the next (Press et
 * al., arXiv:2108.12409). */
void sr_alibi_slopes(int64_t heads, double *slope);

/* Turns the first `width` elements of each of so many heads of one token. */
void sr_rotary_turn(sr_pairs pairs, int64_t width, const float *cosine, const float *sine, int64_t heads,
                    int64_t head_width, float *x);

/* Sines and cosines of a token's position, [width], that are added to its embedding. */
void sr_sinusoidal_add(int64_t position, int64_t width, float *x);

#endif
