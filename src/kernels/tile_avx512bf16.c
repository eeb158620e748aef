/* AVX-512 with products of bfloat16 pairs (AVX512_BF16). Other types have nothing to gain from it: they use avx512's. */
#include "isa_avx512.h"
#include "variants.h"

#undef KEY_BLOCK
#undef ISA_TEXT
#undef ISA
#define KEY_BLOCK 128
#define ISA_TEXT  "avx512bf16"
#define ISA(x)    sr_avx512bf16_##x

/* Lane i holds the pair (p[i], next[i]), rounded to nearest, ties to even; p in the lower half. */
static inline f32_vec bf16_pair(f32_vec p, f32_vec next) {
  const __m512i turn = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20,
                                        4, 19, 3, 18, 2, 17, 1, 16, 0);
  __m512bh halves = _mm512_cvtne2ps_pbh((__m512)next, (__m512)p);
  return (f32_vec)_mm512_permutexvar_epi16(turn, (__m512i)halves);
}

static inline f32_vec bf16_madd(f32_vec sum, f32_vec x, f32_vec y) {
  return (f32_vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)y);
}

static inline f32_vec f32_ones(void) { return (f32_vec)_mm512_set1_epi16(0x3f80); }

#define REAL              float
#define INT               int32_t
#define PACK              2
#define LANES             (VECTOR_BYTES / 4)
#define SCALED            1
#define NAME(x)           ISA(bf16_##x)
#define OP(x)             f32_##x
#define MADD(sum, x, y)   bf16_madd(sum, x, y)
#define PRODUCT(x, y)     bf16_madd((VEC){0}, x, y)
#define WEIGHT(p, next)   bf16_pair(p, next)
#define LIMIT(x)          FLT_##x
#define ROOTS             F32_ROOTS
#define WEIGHS            BETWEEN_PRODUCTS
#define EXP2_COEFFICIENTS EXP2_F32(F32_ROOTS)
#include "lanes.inc"
#include "tile.inc"
#include "end_lanes.inc"

const sr_kernel sr_avx512bf16_bf16_kernel = {.isa = ISA_TEXT,
                                             .compute = SR_BF16,
                                             .sums = SR_F32,
                                             .pack = 2,
                                             .tile = VECTOR_BYTES / 4 * NV,
                                             .key_block = KEY_BLOCK,
                                             .scratch_bytes = KEY_BLOCK * VECTOR_BYTES * NV,
                                             .begin = sr_avx512bf16_bf16_begin,
                                             .meet = sr_avx512bf16_bf16_meet,
                                             .fold = sr_avx512_f32_fold,
                                             .divide = sr_avx512_f32_divide,
                                             .row = &sr_avx512_f32_row_kernel};
