/* Compiled once an instruction set, whose header is ISA_HEADER, with the flags of its tiles. */
#include "exp2_lanes.h"

#include ISA_HEADER

#define REAL              float
#define INT               int32_t
#define LANES             (VECTOR_BYTES / 4)
#define NAME(x)           lanes_f32_##x
#define OP(x)             f32_##x
#define EXP2_COEFFICIENTS EXP2_COEFFICIENTS_F32
#include "kernels/lanes.inc"
void exp2_lanes_f32(int64_t n, const float *s, float e, float *p) {
  for (int64_t i = 0; i < n; i += LANES) STORE(p + i, NAME(exp2)(LOAD(s + i), (VEC){} + e));
}
#include "kernels/end_lanes.inc"

#define REAL              double
#define INT               int64_t
#define LANES             (VECTOR_BYTES / 8)
#define NAME(x)           lanes_f64_##x
#define OP(x)             f64_##x
#define EXP2_COEFFICIENTS EXP2_COEFFICIENTS_F64
#include "kernels/lanes.inc"
void exp2_lanes_f64(int64_t n, const double *s, double e, double *p) {
  for (int64_t i = 0; i < n; i += LANES) STORE(p + i, NAME(exp2)(LOAD(s + i), (VEC){} + e));
}
#include "kernels/end_lanes.inc"
