/* Compiled once an instruction set, whose header is ISA_HEADER, with the flags of its tiles. */
#include "exp2_lanes.h"

#include ISA_HEADER

#define REAL              float
#define INT               int32_t
#define LANES             (VECTOR_BYTES / 4)
#define NAME(x)           lanes_f32_##x
#define OP(x)             f32_##x
#define LIMIT(x)          FLT_##x
#define ROOTS             F32_ROOTS
#define EXP2_COEFFICIENTS EXP2_F32(F32_ROOTS)
#include "kernels/lanes.inc"
void exp2_lanes_f32(int64_t n, const float *s, float e, float *p) {
  for (int64_t i = 0; i < n; i += LANES) STORE(p + i, NAME(exp2)(LOAD(s + i), (VEC){} + e));
}
const bool exp2_lanes_near = ROOTS > 1;
void exp2_near_lanes_f32(int64_t n, const float *s, float e, float *p) {
#if ROOTS > 1
  for (int64_t i = 0; i < n; i += LANES) STORE(p + i, NAME(exp2_near)(LOAD(s + i), (VEC){} + (MAGIC - e)));
#else
  (void)n, (void)s, (void)e, (void)p;
#endif
}
bool all_near_lanes_f32(float low, float e) {
#if ROOTS > 1
  VEC lows = (VEC){} + e;
  lows[LANES - 1] = low;
  return NAME(all_near)(lows, (VEC){} + e);
#else
  return (void)low, (void)e, false;
#endif
}
#include "kernels/end_lanes.inc"

#define REAL              double
#define INT               int64_t
#define LANES             (VECTOR_BYTES / 8)
#define NAME(x)           lanes_f64_##x
#define OP(x)             f64_##x
#define LIMIT(x)          DBL_##x
#define ROOTS             F64_ROOTS
#define EXP2_COEFFICIENTS EXP2_F64(F64_ROOTS)
#include "kernels/lanes.inc"
void exp2_lanes_f64(int64_t n, const double *s, double e, double *p) {
  for (int64_t i = 0; i < n; i += LANES) STORE(p + i, NAME(exp2)(LOAD(s + i), (VEC){} + e));
}
#include "kernels/end_lanes.inc"
