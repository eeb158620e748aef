/* Instruction sets that this processor and its operating system support. */
#ifndef SR_BASE_CPU_H
#define SR_BASE_CPU_H

#include <stdbool.h>

/* True where vectors of 8 floats with fused multiply-add, or 16 floats, or those with products of bfloat16 pairs, can
 * be used. */
bool sr_cpu_has_avx2(void);
bool sr_cpu_has_avx512(void);
bool sr_cpu_has_avx512bf16(void);

#endif
