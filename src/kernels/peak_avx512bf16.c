/* The peak of products of bfloat16 pairs; what else avx512bf16 does is avx512's. */
#include <immintrin.h>

#include "peak_variants.h"

enum { SUMS = 24, OPERATIONS = 64 }; /* registers, and operations of one instruction */

double sr_avx512bf16_run(int64_t loops) {
  const __m512bh factor = (__m512bh)_mm512_set1_epi16(0x3e80); /* 1/4 */
  __m512 sum[SUMS], total = _mm512_setzero_ps();
#pragma GCC unroll 32
  for (int i = 0; i < SUMS; i++) sum[i] = _mm512_set1_ps((float)i);
  for (int64_t loop = 0; loop < loops; loop++)
#pragma GCC unroll 32
    for (int i = 0; i < SUMS; i++) sum[i] = _mm512_dpbf16_ps(sum[i], factor, factor);
#pragma GCC unroll 32
  for (int i = 0; i < SUMS; i++) total += sum[i];
  __asm__ volatile("" : : "m"(total));
  return (double)SUMS * OPERATIONS * (double)loops;
}
