/* AVX2 with FMA: 16 registers of 8 floats. 12 accumulators, 3 queries, 1 broadcast key. */
#ifndef SR_KERNELS_ISA_AVX2_H
#define SR_KERNELS_ISA_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#include "exp2.h"

#define VECTOR_BYTES 32
#define NV           3
#define MR           4
#define KEY_BLOCK    64
#define PANELS       1
#define RUN          32
#define F32_WEIGHS   AT_ONCE
#define F64_WEIGHS   0
#define F32_ROOTS    8
#define F64_ROOTS    1
#define ISA_TEXT     "avx2"
#define ISA(x)       sr_avx2_##x

enum { SCORE_UNROLL = 6, VALUE_UNROLL = 4 }; /* which a pragma takes, unlike a macro */

typedef float f32_vec __attribute__((vector_size(VECTOR_BYTES)));
typedef double f64_vec __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t f32_ivec __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t f64_ivec __attribute__((vector_size(VECTOR_BYTES)));

static inline f32_vec f32_broadcast(const float *x) { return (f32_vec)_mm256_broadcast_ss(x); }
static inline f64_vec f64_broadcast(const double *x) { return (f64_vec)_mm256_broadcast_sd(x); }

#define f32_iota ((f32_ivec){0, 1, 2, 3, 4, 5, 6, 7})
#define f64_iota ((f64_ivec){0, 1, 2, 3})

static inline f32_vec f32_from_f16(const uint16_t *x) { return (f32_vec)_mm256_cvtph_ps(_mm_loadu_si128((const void *)x)); }
static inline f32_vec f32_from_bf16(const uint16_t *x) {
  return (f32_vec)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)x)), 16);
}

/* a where it is the larger one, or the smaller, else b: b when one is NaN. */
static inline f32_vec f32_max(f32_vec a, f32_vec b) { return (f32_vec)_mm256_max_ps((__m256)a, (__m256)b); }
static inline f64_vec f64_max(f64_vec a, f64_vec b) { return (f64_vec)_mm256_max_pd((__m256d)a, (__m256d)b); }
static inline f32_vec f32_min(f32_vec a, f32_vec b) { return (f32_vec)_mm256_min_ps((__m256)a, (__m256)b); }

static inline f32_vec f32_round(f32_vec x) { return (f32_vec)_mm256_round_ps((__m256)x, 8); }
static inline f64_vec f64_round(f64_vec x) { return (f64_vec)_mm256_round_pd((__m256d)x, 8); }
static inline f32_vec f32_ceil(f32_vec x) { return (f32_vec)_mm256_round_ps((__m256)x, 10); }
static inline f64_vec f64_ceil(f64_vec x) { return (f64_vec)_mm256_round_pd((__m256d)x, 10); }

static inline f32_vec f32_scale(f32_vec y, f32_vec n) {
  __m256 keep = _mm256_cmp_ps((__m256)n, _mm256_set1_ps(-125), _CMP_NLT_UQ);
  __m256i i = _mm256_slli_epi32(_mm256_cvtps_epi32((__m256)n), 23);
  return (f32_vec)_mm256_and_ps(keep, (__m256)_mm256_add_epi32(i, (__m256i)y));
}
static inline f64_vec f64_scale(f64_vec y, f64_vec n) {
  __m256d keep = _mm256_cmp_pd((__m256d)n, _mm256_set1_pd(-1021), _CMP_NLT_UQ);
  __m256i i = (__m256i)_mm256_add_pd((__m256d)n, _mm256_set1_pd(0x1.8p52)); /* n in the low bits */
  __m256d power = (__m256d)_mm256_slli_epi64(_mm256_add_epi64(i, _mm256_set1_epi64x(1023)), 52);
  return (f64_vec)_mm256_and_pd(keep, _mm256_mul_pd((__m256d)y, power));
}

static inline f32_vec f32_root(f32_vec x) {
  const f32_ivec roots = {EXP2_ROOTS_8};
  __m256i root = _mm256_permutevar8x32_epi32((__m256i)roots, (__m256i)x);
  return (f32_vec)_mm256_add_epi32(root, _mm256_slli_epi32((__m256i)x, 20));
}

/* x, rounded: no product that it is may become part of a fused multiply-add. */
static inline f32_vec f32_alone(f32_vec x) {
  __asm__("" : "+x"(x));
  return x;
}

static inline f32_vec f32_rest(f32_vec x, f32_vec nearest) { return x - nearest; }

static inline int f32_any_above(f32_vec a, f32_vec b) { return _mm256_movemask_ps(_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_GT_OQ)) != 0; }
static inline int f64_any_above(f64_vec a, f64_vec b) { return _mm256_movemask_pd(_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_GT_OQ)) != 0; }

#endif
