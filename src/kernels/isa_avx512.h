/* AVX-512: 32 registers of 16 floats. 24 accumulators, 3 queries, and 5 for keys and for what weighs others. */
#ifndef SR_KERNELS_ISA_AVX512_H
#define SR_KERNELS_ISA_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#include "exp2.h"

#define VECTOR_BYTES 64
#define NV           3
#define MR           8
#define KEY_BLOCK    64
#define PANELS       0
#define RUN          32
#define F32_WEIGHS   AT_ONCE
#define F64_WEIGHS   AT_ONCE
#define F32_ROOTS    16
#define F64_ROOTS    8
#define ISA_TEXT     "avx512"
#define ISA(x)       sr_avx512_##x

enum { SCORE_UNROLL = 1, VALUE_UNROLL = 2 }; /* which a pragma takes, unlike a macro */

typedef float f32_vec __attribute__((vector_size(VECTOR_BYTES)));
typedef double f64_vec __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t f32_ivec __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t f64_ivec __attribute__((vector_size(VECTOR_BYTES)));

static inline f32_vec f32_broadcast(const float *x) { return (f32_vec)_mm512_set1_ps(*x); }
static inline f64_vec f64_broadcast(const double *x) { return (f64_vec)_mm512_set1_pd(*x); }

#define f32_iota ((f32_ivec){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#define f64_iota ((f64_ivec){0, 1, 2, 3, 4, 5, 6, 7})

/* A vector of halves, or of bfloat16, as float. */
static inline f32_vec f32_from_f16(const uint16_t *x) { return (f32_vec)_mm512_cvtph_ps(_mm256_loadu_si256((const void *)x)); }
static inline f32_vec f32_from_bf16(const uint16_t *x) {
  return (f32_vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)x)), 16);
}

/* a where it is the larger one, or the smaller, else b: b when one is NaN. */
static inline f32_vec f32_max(f32_vec a, f32_vec b) { return (f32_vec)_mm512_max_ps((__m512)a, (__m512)b); }
static inline f64_vec f64_max(f64_vec a, f64_vec b) { return (f64_vec)_mm512_max_pd((__m512d)a, (__m512d)b); }
static inline f32_vec f32_min(f32_vec a, f32_vec b) { return (f32_vec)_mm512_min_ps((__m512)a, (__m512)b); }
static inline f64_vec f64_min(f64_vec a, f64_vec b) { return (f64_vec)_mm512_min_pd((__m512d)a, (__m512d)b); }

/* The nearest integer, ties to even, of any size. */
static inline f32_vec f32_round(f32_vec x) { return (f32_vec)_mm512_roundscale_ps((__m512)x, 8); }
static inline f64_vec f64_round(f64_vec x) { return (f64_vec)_mm512_roundscale_pd((__m512d)x, 8); }
static inline f32_vec f32_ceil(f32_vec x) { return (f32_vec)_mm512_roundscale_ps((__m512)x, 10); }
static inline f64_vec f64_ceil(f64_vec x) { return (f64_vec)_mm512_roundscale_pd((__m512d)x, 10); }

/* y 2^n for an integer n <= 0 and y from 1/2 to 2; 0 below the normal range, whatever y is. */
static inline f32_vec f32_scale(f32_vec y, f32_vec n) {
  __mmask16 keep = _mm512_cmp_ps_mask((__m512)n, _mm512_set1_ps(-125), _CMP_NLT_UQ);
  return (f32_vec)_mm512_maskz_scalef_ps(keep, (__m512)y, (__m512)n);
}
static inline f64_vec f64_scale(f64_vec y, f64_vec n) {
  __mmask8 keep = _mm512_cmp_pd_mask((__m512d)n, _mm512_set1_pd(-1021), _CMP_NLT_UQ);
  return (f64_vec)_mm512_maskz_scalef_pd(keep, (__m512d)y, (__m512d)n);
}

/* 2^x for multiples x of 1 / ROOTS, as MAGIC + x of lanes.inc holds them: in its low bits. */
static inline f32_vec f32_root(f32_vec x) {
  const f32_ivec roots = {EXP2_ROOTS_16};
  __m512i root = _mm512_permutexvar_epi32((__m512i)x, (__m512i)roots);
  return (f32_vec)_mm512_add_epi32(root, _mm512_slli_epi32((__m512i)x, 19));
}
static inline f64_vec f64_root(f64_vec x) {
  const f64_ivec roots = {EXP2_F64_ROOTS_8};
  __m512i root = _mm512_permutexvar_epi64((__m512i)x, (__m512i)roots);
  return (f64_vec)_mm512_add_epi64(root, _mm512_slli_epi64((__m512i)x, 49));
}

/* x, rounded: no product that it is may become part of a fused multiply-add. */
static inline f32_vec f32_alone(f32_vec x) {
  __asm__("" : "+v"(x));
  return x;
}

/* x less the multiple of 1 / ROOTS that is nearest, ties to even. */
static inline f32_vec f32_rest(f32_vec x, f32_vec nearest) {
  (void)nearest; /* to subtract it takes an instruction more */
  return (f32_vec)_mm512_reduce_ps((__m512)x, 0x40);
}
static inline f64_vec f64_rest(f64_vec x, f64_vec nearest) {
  (void)nearest;
  return (f64_vec)_mm512_reduce_pd((__m512d)x, 0x30);
}

/* Whether a > b in any lane. */
static inline int f32_any_above(f32_vec a, f32_vec b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ) != 0; }
static inline int f64_any_above(f64_vec a, f64_vec b) { return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_GT_OQ) != 0; }

#endif
