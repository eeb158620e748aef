/* The tiles' exp2 of one instruction set, for arrays: p[i] = 2^(s[i] - e). n is a multiple of 16. */
#ifndef TESTS_UNIT_EXP2_LANES_H
#define TESTS_UNIT_EXP2_LANES_H

#include <stdbool.h>
#include <stdint.h>

void exp2_lanes_f32(int64_t n, const float *s, float e, float *p);
void exp2_lanes_f64(int64_t n, const double *s, double e, double *p);

/* Whether the instruction set has one for scores that are near: float32 alone. */
extern const bool exp2_lanes_near;
void exp2_near_lanes_f32(int64_t n, const float *s, float e, float *p);

/* Whether scores from low to e are near. */
bool all_near_lanes_f32(float low, float e);

#endif
