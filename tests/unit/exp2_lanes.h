/* The tiles' exp2 of one instruction set, for arrays: p[i] = 2^(s[i] - e). n is a multiple of 16. */
#ifndef TESTS_UNIT_EXP2_LANES_H
#define TESTS_UNIT_EXP2_LANES_H

#include <stdbool.h>
#include <stdint.h>

void lanes_exp2_f32(int64_t n, const float *s, float e, float *p);
void lanes_exp2_f64(int64_t n, const double *s, double e, double *p);

/* Whether the instruction set has one for scores that are near, which all from low to e are or not. */
extern const bool lanes_has_near_f32, lanes_has_near_f64;
void lanes_exp2_near_f32(int64_t n, const float *s, float e, float *p);
void lanes_exp2_near_f64(int64_t n, const double *s, double e, double *p);
bool lanes_all_near_f32(float low, float e);
bool lanes_all_near_f64(double low, double e);

#endif
